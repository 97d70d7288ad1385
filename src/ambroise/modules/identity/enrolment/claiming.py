"""Who somebody says they are, and whom every detail designates."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from ambroise.kernel.db import Reader
from ambroise.modules.identity import tokens
from ambroise.modules.identity.enrolment import repository
from ambroise.modules.identity.enrolment.model import Claim, serial_of
from ambroise.modules.identity.ins import DEFAULT_OID, Ins, comparable
from ambroise.modules.identity.registry.model import PatientIdentity
from ambroise.modules.identity.registry.repository import identity_under


def number_of(claim: Claim) -> str:
    """The number claimed, however it was typed."""
    return "".join(claim.matricule.split()).upper()


async def claimed(reader: Reader, claim: Claim, *, demonstration: bool) -> PatientIdentity | None:
    """The person whom every detail designates; None whatever is wrong."""
    found = await identity_under(reader, Ins(number_of(claim), DEFAULT_OID[demonstration]))
    serial = serial_of(claim.card) if claim.card else None
    if found is None or found.merged_into is not None or claim.birth_date is None:
        return None
    if found.traits.birth_date != claim.birth_date:
        return None
    if claim.card:
        held = serial is not None and await repository.has_card(
            reader, found.patient, card_digest(found.patient, serial)
        )
        return found if held else None
    named = _same(found.traits.birth_name, claim.birth_name) and _same(found.traits.first_given, claim.first_name)
    return found if named else None


def card_digest(patient: UUID, serial: str) -> bytes:
    """What is kept of the serial number of a card."""
    return tokens.digest(f"card {patient} {serial}")


def _same(known: str | None, said: str) -> bool:
    with suppress(ValueError):
        return bool(known) and bool(said.strip()) and comparable(known or "") == comparable(said)
    return False
