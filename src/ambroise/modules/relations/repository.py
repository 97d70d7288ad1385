"""The SQL of invitations, mediators and their codes."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import shard_of
from ambroise.modules.relations.model import Answer, Invitation, Mediator

_COLUMNS: Final = (
    "id, patient, kind, invitee, invitee_name, invited_by, inviter_name, scope, ends_at, state, sent_at, expires_at,"
    " answered_at"
)


async def add(tx: Transaction, one: Invitation) -> None:
    """Write a new invitation."""
    await tx.execute(
        """
        insert into relation_invitation (
          shard, id, patient, kind, invitee, invitee_name, invited_by, inviter_name, scope, ends_at, sent_at, expires_at
        )
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            shard_of(one.patient),
            one.id,
            one.patient,
            one.kind,
            one.invitee,
            one.invitee_name,
            one.invited_by,
            one.inviter_name,
            one.scope,
            one.ends_at,
            one.sent_at,
            one.expires_at,
        ),
    )


async def answer(tx: Transaction, one: Invitation, state: Answer, at: datetime) -> None:
    """Write how an invitation ended."""
    await tx.execute(
        "update relation_invitation set state = %s, answered_at = %s where shard = %s and patient = %s and id = %s",
        (state.value, at, shard_of(one.patient), one.patient, one.id),
    )


async def hold(tx: Transaction, id: UUID) -> Invitation | None:
    """One invitation, for this transaction alone; its id carries the shard of the space."""
    row = await tx.fetch_one(
        f"select {_COLUMNS} from relation_invitation where shard = %s and id = %s for update", (shard_of(id), id)
    )
    return None if row is None else _invitation(row)


async def sent(reader: Reader, patient: UUID) -> list[Invitation]:
    """The invitations into a space, the newest first."""
    rows = await reader.fetch_all(
        f"select {_COLUMNS} from relation_invitation where shard = %s and patient = %s order by sent_at desc, id",
        (shard_of(patient), patient),
    )
    return [_invitation(row) for row in rows]


async def received(reader: Reader, invitee: UUID) -> list[Invitation]:
    """The invitations that wait for somebody's answer, the newest first."""
    rows = await reader.fetch_all(
        f"""
        select {_COLUMNS}
        from relation_invitation
        where invitee = %s and state = 'pending'
        order by sent_at desc, id
        """,
        (invitee,),
    )
    return [_invitation(row) for row in rows]


async def lock_people(tx: Transaction, *people: UUID) -> None:
    """Let nobody else count or change who helps these people until this transaction ends; always in the same order."""
    for person in sorted(people):
        await tx.execute(
            "select 1 from access_space where shard = %s and patient = %s for update", (shard_of(person), person)
        )


async def enrol(tx: Transaction, one: Mediator, by: str) -> None:
    """Write a mediator."""
    await tx.execute(
        """
        insert into mediator (person, name, place, enrolled_at, enrolled_by)
        values (%s, %s, %s, %s, %s)
        on conflict (person) do update
        set name = excluded.name, place = excluded.place, enrolled_at = excluded.enrolled_at,
          enrolled_by = excluded.enrolled_by, ended_at = null
        """,
        (one.person, one.name, one.place, one.enrolled_at, by),
    )


async def end_enrolment(tx: Transaction, person: UUID, at: datetime) -> int:
    """Write that somebody mediates no more."""
    return await tx.execute("update mediator set ended_at = %s where person = %s and ended_at is null", (at, person))


async def mediator(reader: Reader, person: UUID) -> Mediator | None:
    """The enrolment of somebody, ended or not."""
    row = await reader.fetch_one(
        "select person, name, place, enrolled_at, ended_at from mediator where person = %s", (person,)
    )
    return None if row is None else Mediator(*row)


async def mediators(reader: Reader) -> list[Mediator]:
    """Everybody enrolled, by name."""
    rows = await reader.fetch_all(
        "select person, name, place, enrolled_at, ended_at from mediator order by ended_at is not null, name, person"
    )
    return [Mediator(*row) for row in rows]


async def keep_code(
    tx: Transaction, digest: bytes, patient: UUID, content: bool, at: datetime, expires_at: datetime
) -> None:
    """Keep the hash of a code; a former one that was not used is forgotten."""
    await tx.execute("delete from mediation_code where patient = %s and used_at is null", (patient,))
    await tx.execute(
        "insert into mediation_code (digest, patient, content, made_at, expires_at) values (%s, %s, %s, %s, %s)",
        (digest, patient, content, at, expires_at),
    )


async def use_code(tx: Transaction, digest: bytes, mediator: UUID, at: datetime) -> tuple[UUID, bool] | None:
    """Use a code, once: whose space it opens, and whether its content is shown."""
    row = await tx.fetch_one(
        """
        update mediation_code
        set used_by = %s, used_at = %s
        where digest = %s and used_at is null and expires_at > %s
        returning patient, content
        """,
        (mediator, at, digest, at),
    )
    return None if row is None else (row[0], row[1])


def _invitation(row: Row) -> Invitation:
    made = Invitation(*row)
    return replace(made, state=Answer(made.state))
