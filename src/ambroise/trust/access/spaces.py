"""The state of a space and the patient's general choices: the face that writes `access_space`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import shard_of
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.people import recorder
from ambroise.trust.context import Context

_COPY = "copy access_space (shard, patient, state, state_since, updated, recorded_by) from stdin"


class Space(Struct, frozen=True):
    """A space as the pages show it: its state and the patient's general choices."""

    patient: UUID
    state: SpaceState
    etreat: bool
    btg: bool
    emergency_masked: bool
    masked_by_default: bool
    feed_opposed: bool
    state_since: datetime


async def space_of(reader: Reader, patient: UUID) -> Space | None:
    """The space of a patient, None when there never was one."""
    row = await reader.fetch_one(
        "select state, etreat, btg, emergency_masked, masked_by_default, feed_opposed, state_since"
        " from access_space where shard = %s and patient = %s",
        (shard_of(patient), patient),
    )
    return None if row is None else Space(patient, SpaceState(row[0]), *row[1:])


async def open_space(
    tx: Transaction, ctx: Context, patient: UUID, *, state: SpaceState = SpaceState.OPEN_INACTIVE
) -> None:
    """Open a space, or put an existing one in this state keeping the patient's choices."""
    now = ctx.now()
    await tx.execute(
        """
        insert into access_space (shard, patient, state, state_since, updated, recorded_by)
        values (%s, %s, %s, %s, %s, %s)
        on conflict (shard, patient) do update
        set state = excluded.state, updated = excluded.updated, recorded_by = excluded.recorded_by,
          state_since = case when access_space.state = excluded.state
            then access_space.state_since else excluded.state_since end
        """,
        (shard_of(patient), patient, state.value, now, now, recorder(ctx)),
    )


async def set_state(tx: Transaction, ctx: Context, patient: UUID, state: SpaceState) -> None:
    """Move an existing space to another state (close, suspend, reopen, purge…)."""
    now = ctx.now()
    touched = await tx.execute(
        "update access_space set state = %s, state_since = %s, updated = %s, recorded_by = %s"
        " where shard = %s and patient = %s",
        (state.value, now, now, recorder(ctx), shard_of(patient), patient),
    )
    _require(touched)


async def enter_many(tx: Transaction, ctx: Context, patients: Sequence[UUID], state: SpaceState) -> None:
    """Give a space in this state to many people who never had one."""
    now = ctx.now().isoformat()
    tail = f"\t{state.value}\t{now}\t{now}\t{recorder(ctx)}\n"
    await tx.copy_text(_COPY, [f"{shard_of(one)}\t{one.hex}{tail}" for one in patients])


async def move_many(tx: Transaction, ctx: Context, patients: Sequence[UUID], state: SpaceState) -> int:
    """Move many existing spaces to a state; how many there were."""
    now = ctx.now()
    return await tx.execute(
        """
        update access_space s
        set state = %s, state_since = %s, updated = %s, recorded_by = %s
        from unnest(%s::smallint[], %s::uuid[]) as one (shard, patient)
        where s.shard = one.shard and s.patient = one.patient
        """,
        (state.value, now, now, recorder(ctx), [shard_of(one) for one in patients], list(patients)),
    )


async def count_by_state(reader: Reader) -> dict[SpaceState, int]:
    """How many spaces are in each state."""
    rows = await reader.fetch_all("select state, count(*) from access_space group by state order by state")
    return {SpaceState(state): count for state, count in rows}


async def set_emergency_consents(
    tx: Transaction, ctx: Context, patient: UUID, *, etreat: bool, btg: bool, masked: bool
) -> None:
    """Record the three emergency choices: call centre, break-the-glass, masked documents."""
    touched = await tx.execute(
        "update access_space set etreat = %s, btg = %s, emergency_masked = %s, updated = %s, recorded_by = %s"
        " where shard = %s and patient = %s",
        (etreat, btg, masked, ctx.now(), recorder(ctx), shard_of(patient), patient),
    )
    _require(touched)


async def set_masked_by_default(tx: Transaction, ctx: Context, patient: UUID, masked: bool) -> None:
    """Record whether new documents arrive masked."""
    touched = await tx.execute(
        "update access_space set masked_by_default = %s, updated = %s, recorded_by = %s"
        " where shard = %s and patient = %s",
        (masked, ctx.now(), recorder(ctx), shard_of(patient), patient),
    )
    _require(touched)


async def set_feed_opposed(tx: Transaction, ctx: Context, patient: UUID, opposed: bool) -> None:
    """Record whether the patient opposes any feeding, for a legitimate reason (motif légitime)."""
    touched = await tx.execute(
        "update access_space set feed_opposed = %s, updated = %s, recorded_by = %s where shard = %s and patient = %s",
        (opposed, ctx.now(), recorder(ctx), shard_of(patient), patient),
    )
    _require(touched)


def _require(touched: int) -> None:
    if not touched:
        raise Refusal(Kind.NOT_FOUND, "SPACE_NOT_FOUND", "This patient has no space; open one first.")
