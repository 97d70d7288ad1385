"""Who somebody says they are, and whom every detail designates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from uuid import UUID

from ambroise.kernel.db import Reader
from ambroise.modules.identity import tokens
from ambroise.modules.identity.enrolment import repository
from ambroise.modules.identity.enrolment.model import Claim, serial_of
from ambroise.modules.identity.ins import DEFAULT_OID, Ins, comparable
from ambroise.modules.identity.insi import repository as insi
from ambroise.modules.identity.registry.model import PatientIdentity
from ambroise.modules.identity.registry.repository import identity_under

NUMBER_LENGTH: Final = 13
"""The characters of a number without its key."""


def number_of(claim: Claim) -> str:
    """The number claimed, however it was typed."""
    return "".join(claim.matricule.split()).upper()


async def claimed(reader: Reader, claim: Claim, *, demonstration: bool) -> list[PatientIdentity]:
    """The people whom every detail designates: nobody whatever is wrong; several when a card is a family's.

    A card has the number of its policy holder and several beneficiaries. Among those of the same birth date the names
    that are claimed choose; nothing is ever guessed.
    """
    number = number_of(claim)
    found = await identity_under(reader, Ins(number, DEFAULT_OID[demonstration]))
    if claim.birth_date is None:
        return []
    if not claim.card:
        return [one for one in _alive(found) if _born(one, claim) and _named(one, claim)]
    held = [one for one in await _on_card(reader, claim, [*_alive(found)]) if _born(one, claim)]
    return (
        held
        if len(held) < 2 or not (claim.birth_name or claim.first_name)
        else [one for one in held if _named(one, claim)]
    )


async def _on_card(reader: Reader, claim: Claim, holder: list[PatientIdentity]) -> list[PatientIdentity]:
    """Those who are on this card: its holder, and the beneficiaries born that day."""
    serial = serial_of(claim.card)
    if serial is None or claim.birth_date is None:
        return []
    beneficiaries = await insi.beneficiaries(reader, number_of(claim)[:NUMBER_LENGTH], claim.birth_date)
    known = {one.patient: one for one in holder}
    for one in beneficiaries:
        known |= {person.patient: person for person in _alive(await identity_under(reader, one.ins))}
    return [
        one
        for one in known.values()
        if await repository.has_card(reader, one.patient, card_digest(one.patient, serial))
    ]


def _alive(found: PatientIdentity | None) -> Iterator[PatientIdentity]:
    if found is not None and found.merged_into is None:
        yield found


def _born(one: PatientIdentity, claim: Claim) -> bool:
    return one.traits.birth_date == claim.birth_date


def _named(one: PatientIdentity, claim: Claim) -> bool:
    return _same(one.traits.birth_name, claim.birth_name) and _same(one.traits.first_given, claim.first_name)


def card_digest(patient: UUID, serial: str) -> bytes:
    """What is kept of the serial number of a card."""
    return tokens.digest(f"card {patient} {serial}")


def _same(known: str | None, said: str) -> bool:
    with suppress(ValueError):
        return bool(known) and bool(said.strip()) and comparable(known or "") == comparable(said)
    return False
