"""The header of a document that a professional signs in these pages: patient, author and structure, treating doctor."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from ambroise.interfaces.web.professional.describing import professional_of
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.directory import api as directory
from ambroise.modules.identity.api import Sex, identity_of
from ambroise.modules.record.api import tables, write
from ambroise.trust.access.grants import grants_of
from ambroise.trust.context import Context, Professional

_FACILITY, _SETTING = "SA07", "AMBULATOIRE"
_SEXES: Mapping[Sex | None, str] = {Sex.FEMALE: "F", Sex.MALE: "M"}


async def patient_of(reader: Reader, patient: UUID) -> write.Patient:
    """The patient as a document names them; refuses an identity that is not qualified (INS_NOT_QUALIFIED)."""
    known = await identity_of(reader, patient)
    if known is None or known.ins is None:
        raise _unqualified()
    traits = known.traits
    if traits.birth_date is None or not (traits.birth_name and traits.birth_place):
        raise _unqualified()
    first = traits.first_given or ""
    given = (traits.given_names or first).split() or [first]
    return write.Patient(
        known.ins.matricule,
        known.ins.oid,
        traits.birth_name,
        tuple(given),
        _SEXES.get(traits.sex, "U"),
        traits.birth_date,
        traits.birth_place,
        used_name=known.used_name,
        used_given=known.used_first_name,
    )


def _unqualified() -> Refusal:
    return Refusal(Kind.UNPROCESSABLE, "INS_NOT_QUALIFIED", "The identity of this person is not qualified.")


async def author_of(reader: Reader, ctx: Context) -> write.Professional:
    """The professional who signs, in the present situation; refuses one without a structure (NO_STRUCTURE)."""
    return await _described(reader, professional_of(ctx))


async def treating_of(reader: Reader, ctx: Context, patient: UUID) -> write.Professional | None:
    """The treating doctor of a patient: the one who signs when several are; None when the directory knows none."""
    grants = await grants_of(reader, patient)
    declared = [one.party for one in grants if one.state == "treating" and one.in_force(ctx.now())]
    me = professional_of(ctx)
    if any(one.id == me.id for one in declared):
        return await _described(reader, me)
    for one in declared:
        situations = await directory.situations(reader, one.id.removeprefix("8"))
        known = next((known for known in situations if known.organization), None)
        if known is not None:
            return await _described(reader, known)
    return None


async def _described(reader: Reader, who: Professional) -> write.Professional:
    if not who.organization:
        raise Refusal(Kind.UNPROCESSABLE, "NO_STRUCTURE", "A document is signed in a structure: choose a situation.")
    place = await directory.structure(reader, who.organization)
    entry = next((one.entry for one in await directory.exercises(reader, who.rpps)), None)
    given, _, family = who.name.partition(" ")
    return write.Professional(
        who.id,
        (entry.family if entry else family or given).upper(),
        entry.given if entry else given,
        _specialty(who),
        write.Structure(
            who.organization,
            (place.name if place else who.organization_name) or who.organization,
            _coded("facility_type", place.facility if place else None, _FACILITY),
            _coded("practice_setting", place.setting if place else None, _SETTING),
        ),
        phone=entry.phone if entry else None,
    )


def _specialty(who: Professional) -> write.Coded:
    profession = f"G15_{who.profession}"
    wanted = (f"{profession}/{who.specialty}", profession) if who.specialty else (profession,)
    found = next((known for one in wanted if (known := tables.entry("author_specialty", one))), None)
    if found is None:
        raise Refusal(Kind.UNPROCESSABLE, "SPECIALTY_UNKNOWN", "No code says the specialty of this professional.")
    return write.Coded(found.code, found.label, found.system)


def _coded(table: str, code: str | None, otherwise: str) -> write.Coded:
    entry = (tables.entry(table, code) if code else None) or tables.entry(table, otherwise)
    if entry is None:
        raise LookupError(f"{otherwise} is not in {table}")
    return write.Coded(entry.code, entry.label, entry.system)
