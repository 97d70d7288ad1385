"""Who may read: authorisations, treating doctors, administrators, care teams, blocks (`access_grant`).

NONE → authorised → treating; any → blocked → NONE: unblocking never gives an authorisation back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, cast
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import shard_of
from ambroise.trust.access.facts import OPEN_STATES
from ambroise.trust.access.kinds import load_table
from ambroise.trust.access.people import Party, PartyKind, recorder
from ambroise.trust.context import Citizen, Context

GrantState: TypeAlias = Literal["authorised", "treating", "administrator", "blocked"]
Via: TypeAlias = Literal["consent", "care_team", "treating", "patient", "presence"]

NO_TEAM = UUID(int=0)
PRESENCE = UUID(int=1)
"""The team of an access opened by presence: it stands beside a lasting consent and never touches it."""


class Grant(Struct, frozen=True):
    """One line of "who can see my data"."""

    patient: UUID
    party: Party
    state: GrantState
    via: Via
    team: UUID | None
    since: datetime
    until: datetime | None
    recorded_by: str
    recorded_name: str

    def in_force(self, at: datetime) -> bool:
        """Whether it counts at this instant."""
        return self.since <= at and (self.until is None or self.until > at)


async def grants_of(reader: Reader, patient: UUID) -> list[Grant]:
    """Every grant and block of a patient, the newest first."""
    rows = await reader.fetch_all(
        """
        select actor_id, actor_name, actor_kind, state, via, team, since, until, recorded_by, recorded_name
        from access_grant
        where shard = %s and patient = %s
        order by since desc, actor_id, team
        """,
        (shard_of(patient), patient),
    )
    return [
        Grant(
            patient,
            Party(id, name, cast(PartyKind, kind)),
            cast(GrantState, state),
            cast(Via, via),
            None if team == NO_TEAM else team,
            since,
            until,
            recorded_by,
            recorded_name,
        )
        for id, name, kind, state, via, team, since, until, recorded_by, recorded_name in rows
    ]


async def patients_of(reader: Reader, parties: Sequence[Party], at: datetime, *, limit: int = 200) -> list[UUID]:
    """The patients that authorise one of these parties, the newest authorisation first."""
    rows = await reader.fetch_all(
        """
        select g.patient, max(g.since) as newest
        from access_grant g
        where g.actor = any(%(actors)s) and g.state <> 'blocked'
          and g.since <= %(at)s and (g.until is null or g.until > %(at)s)
          and not exists (select from access_grant b
            where b.shard = g.shard and b.patient = g.patient and b.actor = any(%(actors)s) and b.state = 'blocked')
        group by g.patient
        order by newest desc, g.patient
        limit %(limit)s
        """,
        {"actors": [party.key for party in parties], "at": at, "limit": limit},
    )
    return [row[0] for row in rows]


class Authorised(Struct, frozen=True):
    """A patient who lets somebody read: since when at the latest, and whether as the treating doctor."""

    patient: UUID
    since: datetime
    treating: bool


async def authorised_since(
    reader: Reader, parties: Sequence[Party], at: datetime, since: datetime, *, limit: int
) -> list[Authorised]:
    """The patients of open spaces whose newest authorisation to one of these parties is not older than `since`."""
    rows = await reader.fetch_all(
        """
        select g.patient, max(g.since) as newest, bool_or(g.state = 'treating')
        from access_grant g
        join access_space s on s.shard = g.shard and s.patient = g.patient and s.state = any(%(open)s)
        where g.actor = any(%(actors)s) and g.state <> 'blocked'
          and g.since <= %(at)s and (g.until is null or g.until > %(at)s)
          and not exists (select from access_grant b
            where b.shard = g.shard and b.patient = g.patient and b.actor = any(%(actors)s) and b.state = 'blocked')
        group by g.patient
        having max(g.since) >= %(since)s
        order by newest desc, g.patient
        limit %(limit)s
        """,
        {
            "actors": [party.key for party in parties],
            "at": at,
            "since": since,
            "open": [state.value for state in OPEN_STATES],
            "limit": limit,
        },
    )
    return [Authorised(*row) for row in rows]


async def authorise(
    tx: Transaction,
    ctx: Context,
    patient: UUID,
    party: Party,
    *,
    via: Via = "consent",
    team: UUID | None = None,
    until: datetime | None = None,
) -> None:
    """Record that the patient consents to this party reading (habilitation); never lowers a treating doctor."""
    await _refuse_blocked(tx, patient, party)
    await _write(tx, ctx, patient, party, "authorised", via, team, until, keep="('treating', 'administrator')")


def presence_lasts() -> timedelta:
    """How long presence opens a record."""
    return timedelta(minutes=int(load_table("limits.toml")["presence"]["minutes"]))


async def open_presence(tx: Transaction, ctx: Context, patient: UUID, party: Party, until: datetime) -> None:
    """Record that the patient is there and lets this professional read until then."""
    await _refuse_blocked(tx, patient, party)
    await _write(tx, ctx, patient, party, "authorised", "presence", PRESENCE, until)


async def authorise_care_team(
    tx: Transaction,
    ctx: Context,
    patient: UUID,
    team: UUID,
    members: Sequence[Party],
    *,
    until: datetime | None = None,
) -> list[Party]:
    """Record a care team (équipe de soins): one first consent covers its members; those who stay blocked."""
    blocked = await blocked_among(tx, patient, members)
    for member in members:
        if member not in blocked:
            await _write(tx, ctx, patient, member, "authorised", "care_team", team, until)
    return blocked


async def declare_treating(
    tx: Transaction, ctx: Context, patient: UUID, party: Party, *, until: datetime | None = None
) -> None:
    """Record the treating doctor (médecin traitant): also reads what is masked."""
    await _refuse_blocked(tx, patient, party)
    await _write(tx, ctx, patient, party, "treating", "treating", None, until, keep="('administrator')")


async def appoint_administrator(
    tx: Transaction, ctx: Context, patient: UUID, party: Party, *, until: datetime | None = None
) -> None:
    """Record an administrator doctor (médecin administrateur): reads what is masked and may block others."""
    await _refuse_blocked(tx, patient, party)
    await _write(tx, ctx, patient, party, "administrator", "patient", None, until)


async def revoke(tx: Transaction, ctx: Context, patient: UUID, party: Party, *, team: UUID | None = None) -> bool:
    """End an authorisation, whatever its degree; a block stays. With `team`, end one membership only."""
    touched = await tx.execute(
        """
        delete from access_grant
        where shard = %s and patient = %s and actor = %s and state <> 'blocked'
          and (%s::uuid is null or team = %s::uuid)
        """,
        (shard_of(patient), patient, party.key, team, team),
    )
    return touched > 0


async def block(tx: Transaction, ctx: Context, patient: UUID, party: Party) -> None:
    """Block a party (blocage): nothing is readable in any mode, but its own deposits; feeding stays possible."""
    await revoke(tx, ctx, patient, party)
    await _write(tx, ctx, patient, party, "blocked", "patient", None, None)


async def unblock(tx: Transaction, ctx: Context, patient: UUID, party: Party) -> bool:
    """Lift a block. Consent must be given anew: the former authorisation does not come back."""
    touched = await tx.execute(
        "delete from access_grant where shard = %s and patient = %s and actor = %s and state = 'blocked'",
        (shard_of(patient), patient, party.key),
    )
    return touched > 0


async def clear_grants(tx: Transaction, ctx: Context, patient: UUID) -> None:
    """Forget every authorisation and block of a patient: for a purge, or before rebuilding them from resources."""
    await tx.execute("delete from access_grant where shard = %s and patient = %s", (shard_of(patient), patient))


async def _write(
    tx: Transaction,
    ctx: Context,
    patient: UUID,
    party: Party,
    state: GrantState,
    via: Via,
    team: UUID | None,
    until: datetime | None,
    *,
    keep: Literal["('treating', 'administrator')", "('administrator')", "('')"] = "('')",
) -> None:
    """Write one grant; a state named in `keep` that is still in force is not overwritten."""
    now = ctx.now()
    name = ctx.actor.name if not isinstance(ctx.actor, Citizen) or ctx.actor.patient != patient else ""
    await tx.execute(
        """
        insert into access_grant (shard, patient, actor, team, actor_id, actor_name, actor_kind, state, via,
          since, until, recorded_by, recorded_name)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (shard, patient, actor, team) do update
        set state = excluded.state, via = excluded.via, since = excluded.since, until = excluded.until,
          actor_name = excluded.actor_name, recorded_by = excluded.recorded_by, recorded_name = excluded.recorded_name
        where access_grant.state <> 'blocked' and (access_grant.until <= excluded.since or access_grant.state not in """
        + keep
        + ")",
        (
            shard_of(patient),
            patient,
            party.key,
            team or NO_TEAM,
            party.id,
            party.name,
            party.kind,
            state,
            via,
            now,
            until,
            recorder(ctx),
            name,
        ),
    )


async def blocked_among(tx: Transaction, patient: UUID, parties: Sequence[Party]) -> list[Party]:
    """Those of these parties whom the patient blocked."""
    blocked = await _blocked(tx, patient)
    return [one for one in parties if one.key in blocked]


async def _blocked(tx: Transaction, patient: UUID) -> set[int]:
    rows = await tx.fetch_all(
        "select actor from access_grant where shard = %s and patient = %s and state = 'blocked'",
        (shard_of(patient), patient),
    )
    return {row[0] for row in rows}


async def _refuse_blocked(tx: Transaction, patient: UUID, party: Party) -> None:
    if party.key in await _blocked(tx, patient):
        raise Refusal(
            Kind.FORBIDDEN,
            "ACCESS_BLOCKED",
            "The patient blocked this professional or structure; only the patient can lift the block.",
            data={"rule": "blocked", "ways": ["ask_unblock"]},
        )
