"""The SQL of the registry of identities."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.ids import SHARDS, hash64, shard_of
from ambroise.modules.identity.ins import Ins, Sex, Traits
from ambroise.modules.identity.registry.model import PatientIdentity, Status


def matricule_shard(ins: Ins) -> int:
    """The shard of a matricule: the space is not known yet when one asks by INS."""
    return hash64(ins.matricule) % SHARDS


async def insert(tx: Transaction, identity: PatientIdentity, at: datetime) -> None:
    """Write a new identity and the matricule that leads to it."""
    traits = identity.traits
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
            identity.ins.matricule,
            identity.ins.oid,
            identity.status.value,
            traits.birth_name,
            traits.first_given or "",
            traits.given_names,
            identity.used_name,
            identity.used_first_name,
            traits.birth_date,
            traits.sex.value if traits.sex else None,
            traits.birth_place,
            at,
        ),
    )
    await lead(tx, identity.ins, identity.patient, at)


async def lead(tx: Transaction, ins: Ins, patient: UUID, at: datetime) -> None:
    """Make a matricule lead to a space."""
    await tx.execute(
        """
        insert into identity_matricule (shard, matricule, oid, patient_shard, patient, since)
        values (%s, %s, %s, %s, %s, %s)
        """,
        (matricule_shard(ins), ins.matricule, ins.oid, shard_of(patient), patient, at),
    )


async def update(tx: Transaction, identity: PatientIdentity, at: datetime) -> None:
    """Write the traits, status and INS that an identity now has."""
    traits = identity.traits
    await tx.execute(
        """
        update identity_registry
        set matricule = %s, oid = %s, status = %s, birth_name = %s, first_name = %s, given_names = %s,
            used_name = %s, used_first_name = %s, birth_date = %s, sex = %s, birth_place = %s,
            merged_into = %s, updated = %s
        where shard = %s
          and patient = %s
        """,
        (
            identity.ins.matricule,
            identity.ins.oid,
            identity.status.value,
            traits.birth_name,
            traits.first_given or "",
            traits.given_names,
            identity.used_name,
            identity.used_first_name,
            traits.birth_date,
            traits.sex.value if traits.sex else None,
            traits.birth_place,
            identity.merged_into,
            at,
            shard_of(identity.patient),
            identity.patient,
        ),
    )


async def retire(tx: Transaction, ins: Ins, at: datetime, *, to: UUID | None = None) -> None:
    """Mark a matricule as no longer the current one; it goes on leading to its space, or to `to`."""
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
  used_name, used_first_name, birth_date, sex, birth_place, merged_into
"""


async def identity_under(reader: Reader, ins: Ins) -> PatientIdentity | None:
    """The identity that an INS leads to, in one statement."""
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


async def erase(tx: Transaction, patient: UUID) -> None:
    """Remove the identity of a space that is purged, and every matricule that led to it."""
    await tx.execute("delete from identity_registry where shard = %s and patient = %s", (shard_of(patient), patient))
    await tx.execute("delete from identity_matricule where patient = %s", (patient,))


def _identity(row: Row) -> PatientIdentity:
    traits = Traits(
        birth_name=row[4],
        first_given=row[5] or None,
        given_names=row[6],
        birth_date=row[9],
        sex=Sex(row[10]) if row[10] else None,
        birth_place=row[11],
    )
    return PatientIdentity(row[0], Ins(row[1], row[2]), Status(row[3]), traits, row[7], row[8], row[12])
