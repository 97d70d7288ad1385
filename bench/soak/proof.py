"""What is proven in the end: each acknowledged act has its trace, each acknowledged document is there, unchanged."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg

from ambroise.fhir.definitions import type_number
from ambroise.main.builder import InstanceBuilder
from bench.instance import Instance
from bench.soak.pace import Kept
from bench.soak.traffic import NotWell, Traffic

_READ_AGAIN = 500


@dataclass(frozen=True)
class Left:
    """What a kind leaves in the trace, where its answer does not say a request id: as many visits as were answered."""

    kinds: tuple[str, ...]
    channel: str
    event: str
    type: str | None = None
    actor: str | None = None


_LEFT = (
    Left(("citizen-list",), "web", "search", "DocumentReference", "citizen"),
    Left(("citizen-document",), "web", "content_read", "DocumentReference", "citizen"),
    Left(("professional-list",), "web", "search", "DocumentReference", "professional"),
    Left(("professional-document",), "web", "content_read", "DocumentReference", "professional"),
    Left(("xds-find",), "xds", "search", "DocumentReference"),
    Left(("sign-on",), "web", "signed_in"),
)
_CHANNELS = {"submission": "fhir", "xds": "xds", "hl7v2": "hl7"}


@dataclass(frozen=True)
class Check:
    """One promise: how many acts were acknowledged, how many are proven."""

    what: str
    expected: int
    found: int
    more: bool = False
    """Whether more than expected is well: an act without answer may have left its trace too."""

    @property
    def holds(self) -> bool:
        return self.found >= self.expected if self.more else self.found == self.expected


def prove(instance: Instance, kinds: Mapping[str, Kept], since: datetime) -> list[Check]:
    """Every check, on the running instance."""
    with InstanceBuilder().database(instance.settings) as (owner, _), psycopg.connect(owner) as connection:
        checks = [_requests(connection, kinds, since)]
        checks += [_visits(connection, kinds, since, left) for left in _LEFT]
        for kind, channel in _CHANNELS.items():
            checks += _documents(connection, kinds[kind], kind, channel)
    return checks


async def read_again(instance: Instance, traffic: Traffic, kinds: Mapping[str, Kept]) -> Check:
    """Deposited documents, drawn at random, read by their owners (ITI-68) and compared with what was sent."""
    sent = [done for kept in kinds.values() for done in kept.done if done.uid]
    chosen = traffic.random.sample(sent, min(_READ_AGAIN, len(sent)))
    hashes = {f"urn:oid:{done.uid}": done.sha256 for done in chosen}
    with InstanceBuilder().database(instance.settings) as (owner, _), psycopg.connect(owner) as connection:
        rows = connection.execute(
            "select unique_id, binary_id, patient from record_unique_id where unique_id = any(%s)", (list(hashes),)
        ).fetchall()
    same = 0
    for uid, binary, patient in rows:
        with suppress(NotWell):
            same += hashlib.sha256(await traffic.content(binary, patient)).digest() == hashes[uid]
    return Check("Documents drawn at random, read by their owners: the bytes that were sent", len(chosen), same)


def verified(instance: Instance) -> str:
    """What `ambroise audit verify` says, after the last lines were sealed."""
    said = ""
    for command in ("seal", "verify"):
        done = subprocess.run(
            [sys.executable, "-m", "bench.run_ambroise", "audit", command, "--data", str(instance.folder)],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parents[2],
        )
        said += done.stdout + done.stderr
    return said.strip()


def _requests(connection: psycopg.Connection[tuple[int]], kinds: Mapping[str, Kept], since: datetime) -> Check:
    asked = [done.request for kept in kinds.values() for done in kept.done if done.request is not None]
    row = connection.execute(
        "select count(distinct request_id) from trace where at >= %s and request_id = any(%s)", (since, asked)
    ).fetchone()
    return Check("FHIR requests whose id stands in the trace", len(asked), row[0] if row else 0)


def _visits(
    connection: psycopg.Connection[tuple[int]], kinds: Mapping[str, Kept], since: datetime, left: Left
) -> Check:
    row = connection.execute(
        "select count(distinct request_id) from trace where at >= %(since)s and channel = %(channel)s"
        " and event = %(event)s and outcome = 0 and (%(type)s::int2 is null or resource_type = %(type)s)"
        " and (%(actor)s::text is null or actor_kind = %(actor)s)",
        {
            "since": since,
            "channel": left.channel,
            "event": left.event,
            "type": type_number(left.type) if left.type else None,
            "actor": left.actor,
        },
    ).fetchone()
    expected = sum(len(kinds[kind].done) for kind in left.kinds if kind in kinds)
    return Check(f"{', '.join(left.kinds)}: visits in the trace ({left.event})", expected, row[0] if row else 0, True)


def _documents(connection: psycopg.Connection[tuple[int]], kept: Kept, kind: str, channel: str) -> list[Check]:
    """Each document that was acknowledged: its unique id with the hash sent, its reference, its content, its trace."""
    sent = [(f"urn:oid:{done.uid}", done.sha256) for done in kept.done if done.uid]
    row = connection.execute(
        """
        with sent as (select * from unnest(%(uids)s::text[], %(hashes)s::bytea[]) as s (uid, sha256))
        select count(*),
          count(*) filter (where exists (select from resource r where r.id = u.document)
            and exists (select from blob b where b.id = u.binary_id)),
          count(*) filter (where exists (select from trace t where t.shard = d.shard and t.patient = u.patient
            and t.resource = u.document and t.event = 'create' and t.channel = %(channel)s))
        from sent s
        join record_unique_id u on u.unique_id = s.uid and u.sha256 = s.sha256
        join resource d on d.id = u.document
        """,
        {"uids": [uid for uid, _ in sent], "hashes": [digest for _, digest in sent], "channel": channel},
    ).fetchone()
    known, there, traced = row or (0, 0, 0)  # type: ignore[misc]
    return [
        Check(f"{kind}: documents acknowledged, known by unique id and hash", len(sent), known),
        Check(f"{kind}: of which metadata and content are there", len(sent), there),
        Check(f"{kind}: of which the trace says the deposit", len(sent), traced),
    ]
