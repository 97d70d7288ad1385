"""The SQL of the base of reference of national identities."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import SHARDS, hash64
from ambroise.modules.identity.ins import Ins, Sex, comparable
from ambroise.modules.identity.insi.model import Former, Individual

_COLUMNS = "matricule, oid, birth_name, given_names, sex, birth_date, birth_place, holder, birth_rank"


def shard_of_ins(ins: Ins) -> int:
    """The shard of a matricule."""
    return hash64(ins.matricule) % SHARDS


def put(tx: Transaction, individual: Individual) -> None:
    """Write an identity of reference, or write it over; leaves with the next statement."""
    ins = individual.ins
    tx.enqueue(
        """
        insert into insi_person (
          shard, matricule, oid, birth_name, given_names, sex, birth_date, birth_place, name_key, holder, birth_rank
        )
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (shard, matricule, oid) do update set
          birth_name = excluded.birth_name, given_names = excluded.given_names, sex = excluded.sex,
          birth_date = excluded.birth_date, birth_place = excluded.birth_place, name_key = excluded.name_key
        """,
        (
            shard_of_ins(ins),
            ins.matricule,
            ins.oid,
            individual.birth_name,
            individual.given_names,
            individual.sex.value,
            individual.birth_date,
            individual.birth_place,
            comparable(individual.birth_name),
            individual.holder or ins.matricule[:13],
            individual.birth_rank,
        ),
    )
    for former in individual.former:
        put_former(tx, former, ins)


def put_former(tx: Transaction, former: Former, current: Ins) -> None:
    """Say that a matricule was replaced by another one."""
    ins = former.ins
    tx.enqueue(
        """
        insert into insi_former (shard, matricule, oid, current_matricule, current_oid, since, until)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (shard, matricule, oid) do update set
          current_matricule = excluded.current_matricule, current_oid = excluded.current_oid,
          since = excluded.since, until = excluded.until
        """,
        (shard_of_ins(ins), ins.matricule, ins.oid, current.matricule, current.oid, former.since, former.until),
    )


async def replace(tx: Transaction, former: Ins, current: Ins, on: date) -> None:
    """Move an identity to its new matricule, its history with it."""
    tx.enqueue(
        """
        update insi_person
        set shard = %s, matricule = %s, oid = %s
        where shard = %s
          and matricule = %s
          and oid = %s
        """,
        (shard_of_ins(current), current.matricule, current.oid, shard_of_ins(former), former.matricule, former.oid),
    )
    tx.enqueue(
        """
        update insi_former
        set current_matricule = %s, current_oid = %s
        where current_matricule = %s
          and current_oid = %s
        """,
        (current.matricule, current.oid, former.matricule, former.oid),
    )
    put_former(tx, Former(former, until=on), current)


async def by_traits(reader: Reader, birth_name: str, birth_date: date, sex: str) -> list[Individual]:
    """The identities of one birth name (accents and separators apart), birth date and sex; at most 20."""
    rows = await reader.fetch_all(
        f"""
        select {_COLUMNS}
        from insi_person
        where name_key = %s
          and birth_date = %s
          and sex = %s
        order by matricule
        limit 20
        """,
        (comparable(birth_name), birth_date, sex),
    )
    return [_individual(row) for row in rows]


async def by_card(reader: Reader, holder: str, birth_date: date, birth_rank: int) -> list[Individual]:
    """The beneficiaries of a carte Vitale born on a day, at this rank."""
    rows = await reader.fetch_all(
        f"""
        select {_COLUMNS}
        from insi_person
        where holder = %s
          and birth_date = %s
          and birth_rank = %s
        order by matricule
        limit 20
        """,
        (holder, birth_date, birth_rank),
    )
    return [_individual(row) for row in rows]


async def beneficiaries(reader: Reader, holder: str, birth_date: date) -> list[Individual]:
    """The beneficiaries of a carte Vitale born on a day, whatever their rank."""
    rows = await reader.fetch_all(
        f"select {_COLUMNS} from insi_person where holder = %s and birth_date = %s order by matricule limit 20",
        (holder, birth_date),
    )
    return [_individual(row) for row in rows]


async def by_matricule(reader: Reader, matricule: str) -> list[Individual]:
    """The identities under a matricule; one, unless two OIDs share it."""
    rows = await reader.fetch_all(
        f"select {_COLUMNS} from insi_person where shard = %s and matricule = %s order by oid",
        (hash64(matricule) % SHARDS, matricule),
    )
    return [_individual(row) for row in rows]


async def under(reader: Reader, ins: Ins) -> Individual | None:
    """The identity that an INS leads to, present or former."""
    row = await reader.fetch_one(
        f"select {_COLUMNS} from insi_person where shard = %s and matricule = %s and oid = %s",
        (shard_of_ins(ins), ins.matricule, ins.oid),
    )
    if row is not None:
        return _individual(row)
    current = await reader.fetch_one(
        """
        select current_matricule, current_oid
        from insi_former
        where shard = %s
          and matricule = %s
          and oid = %s
        """,
        (shard_of_ins(ins), ins.matricule, ins.oid),
    )
    return await under(reader, Ins(*current)) if current else None


async def history(reader: Reader, ins: Ins) -> tuple[Former, ...]:
    """The former matricules of an identity, the latest first."""
    rows: Iterable[Row] = await reader.fetch_all(
        """
        select matricule, oid, since, until
        from insi_former
        where current_matricule = %s
          and current_oid = %s
        order by until desc nulls last, matricule
        """,
        (ins.matricule, ins.oid),
    )
    return tuple(Former(Ins(row[0], row[1]), row[2], row[3]) for row in rows)


def _individual(row: Row) -> Individual:
    return Individual(
        ins=Ins(row[0], row[1]),
        birth_name=row[2],
        given_names=row[3],
        sex=Sex(row[4]),
        birth_date=row[5],
        birth_place=row[6],
        holder=row[7],
        birth_rank=row[8],
    )
