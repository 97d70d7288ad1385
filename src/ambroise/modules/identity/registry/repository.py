"""The SQL of the registry of identities."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import Final
from uuid import UUID
from weakref import WeakKeyDictionary

from msgspec import Struct

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import SHARDS, hash64, new_id, shard_of
from ambroise.modules.identity.ins import Ins, Sex, Traits
from ambroise.modules.identity.registry.model import PatientIdentity
from ambroise.modules.identity.registry.trust import Attribute, Change, Status

_COPY_IDENTITIES: Final = (
    "copy identity_registry (shard, patient, matricule, oid, status, birth_name, first_name, given_names, used_name,"
    " used_first_name, birth_date, sex, birth_place, updated) from stdin"
)
_COPY_MATRICULES: Final = "copy identity_matricule (shard, matricule, oid, patient_shard, patient, since) from stdin"
_FIRST: Final = itemgetter(0)
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def matricule_shard(ins: Ins) -> int:
    """The shard of a matricule: the space is not known yet when one asks by INS."""
    return hash64(ins.matricule) % SHARDS


def _said(identity: PatientIdentity) -> tuple[object, ...]:
    """What both statements write of an identity: its INS, its status, its traits, its used names."""
    traits, ins = identity.traits, identity.ins
    return (
        ins.matricule if ins else None,
        ins.oid if ins else None,
        identity.status.value,
        traits.birth_name,
        traits.first_given or "",
        traits.given_names,
        identity.used_name,
        identity.used_first_name,
        traits.birth_date,
        traits.sex.value if traits.sex else None,
        traits.birth_place,
    )


async def insert(tx: Transaction, identity: PatientIdentity, at: datetime) -> None:
    """Write a new identity and the matricule that leads to it."""
    _forget(tx)
    ins = identity.ins
    await tx.execute(
        """
        insert into identity_registry (
          shard, patient, matricule, oid, status, birth_name, first_name, given_names,
          used_name, used_first_name, birth_date, sex, birth_place, updated
        )
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            shard_of(identity.patient),
            identity.patient,
            *_said(identity),
            at,
        ),
    )
    if ins is not None:
        await lead(tx, ins, identity.patient, at)


async def enter_many(tx: Transaction, identities: Sequence[PatientIdentity], at: datetime) -> None:
    """Write many new identities, each under an INS, and the matricules that lead to them."""
    _forget(tx)
    moment = at.isoformat()
    people = [(one.patient, one, ins) for one in identities if (ins := one.ins) is not None]
    await tx.copy_text(_COPY_IDENTITIES, [_identity_line(one, ins, moment) for _, one, ins in people])
    # In the order of its index, which has no other locality.
    await tx.copy_text(
        _COPY_MATRICULES,
        [
            f"{shard}\t{ins.matricule}\t{ins.oid}\t{shard_of(key)}\t{key.hex}\t{moment}\n"
            for shard, key, ins in sorted(((matricule_shard(ins), key, ins) for key, _, ins in people), key=_FIRST)
        ],
    )


async def known_among(tx: Transaction, inses: Sequence[Ins]) -> set[Ins]:
    """Those of these INS that lead to a space, by a current or a former matricule."""
    rows = await tx.fetch_all(
        """
        select m.matricule, m.oid
        from unnest(%s::smallint[], %s::text[], %s::text[]) as one (shard, matricule, oid)
        join identity_matricule m on m.shard = one.shard and m.matricule = one.matricule and m.oid = one.oid
        """,
        ([matricule_shard(one) for one in inses], [one.matricule for one in inses], [one.oid for one in inses]),
    )
    return {Ins(matricule, oid) for matricule, oid in rows}


async def lead(tx: Transaction, ins: Ins, patient: UUID, at: datetime) -> None:
    """Make a matricule lead to a space."""
    _forget(tx)
    await tx.execute(
        """
        insert into identity_matricule (shard, matricule, oid, patient_shard, patient, since)
        values (%s, %s, %s, %s, %s, %s)
        """,
        (matricule_shard(ins), ins.matricule, ins.oid, shard_of(patient), patient, at),
    )


async def update(tx: Transaction, identity: PatientIdentity, at: datetime) -> None:
    """Write the traits, status, attributes and INS that an identity now has."""
    _forget(tx)
    await tx.execute(
        """
        update identity_registry
        set matricule = %s, oid = %s, status = %s, birth_name = %s, first_name = %s, given_names = %s,
            used_name = %s, used_first_name = %s, birth_date = %s, sex = %s, birth_place = %s,
            merged_into = %s, attributes = %s, updated = %s
        where shard = %s
          and patient = %s
        """,
        (
            *_said(identity),
            identity.merged_into,
            sorted(one.value for one in identity.attributes),
            at,
            shard_of(identity.patient),
            identity.patient,
        ),
    )


async def retire(tx: Transaction, ins: Ins, at: datetime, *, to: UUID | None = None) -> None:
    """Mark a matricule as no longer the current one; it goes on leading to its space, or to `to`."""
    _forget(tx)
    await tx.execute(
        """
        update identity_matricule
        set current = false, until = %s, patient = coalesce(%s, patient),
            patient_shard = coalesce(%s, patient_shard)
        where shard = %s
          and matricule = %s
          and oid = %s
        """,
        (at, to, shard_of(to) if to else None, matricule_shard(ins), ins.matricule, ins.oid),
    )


async def drop_lead(tx: Transaction, ins: Ins) -> None:
    """Let a matricule lead nowhere: it turned out to be somebody else's, who may open a space under it."""
    _forget(tx)
    await tx.execute(
        "delete from identity_matricule where shard = %s and matricule = %s and oid = %s",
        (matricule_shard(ins), ins.matricule, ins.oid),
    )


async def patient_of(reader: Reader, ins: Ins) -> UUID | None:
    """The space that an INS leads to, by its current matricule or a former one."""
    return await reader.fetch_value(
        """
        select patient
        from identity_matricule
        where shard = %s
          and matricule = %s
          and oid = %s
        """,
        (matricule_shard(ins), ins.matricule, ins.oid),
    )


_COLUMNS = """
  patient, matricule, oid, status, birth_name, first_name, given_names,
  used_name, used_first_name, birth_date, sex, birth_place, merged_into, attributes
"""


_read: Final[WeakKeyDictionary[Reader, dict[Ins, PatientIdentity]]] = WeakKeyDictionary()
"""Whom the INS of a transaction led to: its documents are mostly about one person. Any write of its own forgets it."""


async def identity_under(reader: Reader, ins: Ins) -> PatientIdentity | None:
    """The identity that an INS leads to, read once in a transaction."""
    if not isinstance(reader, Transaction):
        return await _identity_under(reader, ins)
    known = _read.setdefault(reader, {})
    if ins not in known and (found := await _identity_under(reader, ins)) is not None:
        known[ins] = found
    return known.get(ins)


def _forget(tx: Transaction) -> None:
    """What this transaction read of identities is no longer so."""
    _read.pop(tx, None)


async def _identity_under(reader: Reader, ins: Ins) -> PatientIdentity | None:
    row = await reader.fetch_one(
        f"""
        select {_COLUMNS}
        from identity_registry
        where (shard, patient) = (
          select patient_shard, patient
          from identity_matricule
          where shard = %s
            and matricule = %s
            and oid = %s
        )
        """,
        (matricule_shard(ins), ins.matricule, ins.oid),
    )
    return _identity(row) if row else None


async def identity_of(reader: Reader, patient: UUID) -> PatientIdentity | None:
    """The identity of a space."""
    row = await reader.fetch_one(
        f"select {_COLUMNS} from identity_registry where shard = %s and patient = %s",
        (shard_of(patient), patient),
    )
    return _identity(row) if row else None


async def count_born(reader: Reader, shards: Sequence[int], first: date, last: date, sex: str | None) -> int:
    """How many people of these shards, whose space is open, were born between two days; nobody is named."""
    return await reader.fetch_value(
        """
        select count(*)
        from identity_registry i
        join access_space s on s.shard = i.shard and s.patient = i.patient
        where i.shard = any(%s)
          and i.birth_date between %s and %s
          and (%s::text is null or i.sex = %s)
          and s.state in ('open_inactive', 'open_active')
        """,
        (list(shards), first, last, sex, sex),
    )


async def homonyms(reader: Reader, birth_name: str, birth_date: object, sex: str) -> list[PatientIdentity]:
    """The identities that share a birth name, a birth date and a sex, oldest first."""
    rows = await reader.fetch_all(
        f"""
        select {_COLUMNS}
        from identity_registry
        where birth_name = %s
          and birth_date = %s
          and sex = %s
          and merged_into is null
        order by patient
        limit 20
        """,
        (birth_name, birth_date, sex),
    )
    return [_identity(row) for row in rows]


async def born(reader: Reader, on: date, place: str) -> list[PatientIdentity]:
    """The identities of who was born that day in that place (COG), as many as one town can have."""
    rows = await reader.fetch_all(
        f"""
        select {_COLUMNS}
        from identity_registry
        where birth_date = %s
          and birth_place = %s
          and merged_into is null
        limit 1000
        """,
        (on, place),
    )
    return [_identity(row) for row in rows]


async def erase(tx: Transaction, patient: UUID) -> None:
    """Remove the identity of a space that is purged, its history, and every matricule that led to it."""
    _forget(tx)
    await tx.execute("delete from identity_trust where shard = %s and patient = %s", (shard_of(patient), patient))
    await tx.execute("delete from identity_registry where shard = %s and patient = %s", (shard_of(patient), patient))
    await tx.execute("delete from identity_matricule where patient = %s", (patient,))


class TrustLine(Struct, frozen=True):
    """One change of the trust of an identity: what happened, by whom, and what the identity became.

    `proof` is the document seen; `ins` the matricule retrieved, or the one that was dropped.
    """

    at: datetime
    change: Change
    status: Status
    attributes: frozenset[Attribute]
    ins: Ins | None
    proof: str | None
    by: str
    note: str | None


async def add_line(tx: Transaction, patient: UUID, line: TrustLine) -> None:
    """Keep a change for ever (until the space is purged)."""
    id = new_id(shard_of(patient))
    tx.enqueue(
        """
        insert into identity_trust (shard, patient, id, at, change, status, attributes, matricule, oid, proof, by, note)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            shard_of(patient),
            patient,
            id,
            line.at,
            line.change.value,
            line.status.value,
            sorted(one.value for one in line.attributes),
            line.ins.matricule if line.ins else None,
            line.ins.oid if line.ins else None,
            line.proof,
            line.by,
            line.note,
        ),
    )


async def lines(reader: Reader, patient: UUID) -> list[TrustLine]:
    """What happened to the trust of an identity, newest first."""
    rows = await reader.fetch_all(
        """
        select at, change, status, attributes, matricule, oid, proof, by, note
        from identity_trust
        where shard = %s
          and patient = %s
        order by id desc
        """,
        (shard_of(patient), patient),
    )
    return [
        TrustLine(
            at=row[0],
            change=Change(row[1]),
            status=Status(row[2]),
            attributes=frozenset(Attribute(one) for one in row[3]),
            ins=Ins(row[4], row[5]) if row[4] else None,
            proof=row[6],
            by=row[7],
            note=row[8],
        )
        for row in rows
    ]


def _identity(row: Row) -> PatientIdentity:
    traits = Traits(
        birth_name=row[4],
        first_given=row[5] or None,
        given_names=row[6],
        birth_date=row[9],
        sex=Sex(row[10]) if row[10] else None,
        birth_place=row[11],
    )
    return PatientIdentity(
        patient=row[0],
        ins=Ins(row[1], row[2]) if row[1] else None,
        status=Status(row[3]),
        traits=traits,
        used_name=row[7],
        used_first_name=row[8],
        merged_into=row[12],
        attributes=frozenset(Attribute(one) for one in row[13]),
    )


def _identity_line(one: PatientIdentity, ins: Ins, moment: str) -> str:
    traits = one.traits
    values = (
        traits.birth_name,
        traits.first_given or "",
        traits.given_names,
        one.used_name,
        one.used_first_name,
        traits.birth_date.isoformat() if traits.birth_date else None,
        traits.sex.value if traits.sex else None,
        traits.birth_place,
    )
    written = "\t".join("\\N" if value is None else value.translate(_ESCAPES) for value in values)
    place = f"{shard_of(one.patient)}\t{one.patient.hex}\t{ins.matricule}\t{ins.oid}\t{one.status.value}"
    return f"{place}\t{written}\t{moment}\n"
