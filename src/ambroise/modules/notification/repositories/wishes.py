"""The SQL of what people chose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.ids import shard_of
from ambroise.modules.notification.model import Kind
from ambroise.modules.notification.wishes import Cadence, Channel, Choice, Rhythm, Wishes


async def wishes_of(reader: Reader, people: Iterable[UUID]) -> dict[UUID, Wishes]:
    """What each of these people chose; everybody is in the answer."""
    wanted = list(people)
    shards = [shard_of(one) for one in wanted]
    rhythms = await reader.fetch_all(
        """
        select r.person, r.language, r.zone, r.quiet_from, r.quiet_until, r.cadence
        from notification_rhythm r
        join unnest(%s::smallint[], %s::uuid[]) as one (shard, person) using (shard, person)
        """,
        (shards, wanted),
    )
    chosen = await reader.fetch_all(
        """
        select c.person, c.patient, c.kind, c.channel, c.wanted
        from notification_choice c
        join unnest(%s::smallint[], %s::uuid[]) as one (shard, person) using (shard, person)
        """,
        (shards, wanted),
    )
    rhythm_of = {
        person: Rhythm(language, zone, quiet_from, quiet_until, Cadence(cadence))
        for person, language, zone, quiet_from, quiet_until, cadence in rhythms
    }
    choices: defaultdict[UUID, dict[Choice, bool]] = defaultdict(dict)
    for person, patient, kind, channel, yes in chosen:
        choices[person][(patient, Kind(kind), Channel(channel))] = yes
    return {one: Wishes(rhythm_of.get(one, Rhythm()), choices[one]) for one in wanted}


async def keep_rhythm(tx: Transaction, person: UUID, rhythm: Rhythm) -> None:
    await tx.execute(
        """
        insert into notification_rhythm (shard, person, language, zone, quiet_from, quiet_until, cadence)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (shard, person) do update
        set language = excluded.language, zone = excluded.zone, quiet_from = excluded.quiet_from,
          quiet_until = excluded.quiet_until, cadence = excluded.cadence
        """,
        (
            shard_of(person),
            person,
            rhythm.language,
            rhythm.zone,
            rhythm.quiet_from,
            rhythm.quiet_until,
            rhythm.cadence.value,
        ),
    )


async def keep_choices(
    tx: Transaction, person: UUID, patient: UUID, choices: Mapping[tuple[Kind, Channel], bool]
) -> None:
    """Keep these choices about one space; the others stay."""
    for (kind, channel), wanted in choices.items():
        tx.enqueue(
            """
            insert into notification_choice (shard, person, patient, kind, channel, wanted)
            values (%s, %s, %s, %s, %s, %s)
            on conflict (shard, person, patient, kind, channel) do update
            set wanted = excluded.wanted
            """,
            (shard_of(person), person, patient, kind.value, channel.value, wanted),
        )


async def erase(tx: Transaction, person: UUID) -> None:
    """Forget what somebody chose, and what others chose about their space."""
    for table in ("notification_rhythm", "notification_choice", "notification_browser"):
        await tx.execute(f"delete from {table} where shard = %s and person = %s", (shard_of(person), person))
    await tx.execute("delete from notification_choice where patient = %s", (person,))
