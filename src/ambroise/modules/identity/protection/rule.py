"""Which passwords an account may take: one rule for enrolment, change and recovery (CNIL deliberation 2022-100)."""

from __future__ import annotations

from datetime import date

from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity import contacts, passwords
from ambroise.modules.identity.model import Account, AccountKind
from ambroise.modules.identity.registry.model import PatientIdentity
from ambroise.modules.identity.registry.repository import identity_of
from ambroise.modules.identity.tokens import Sealer


def check(kind: AccountKind, password: str, *personal: str) -> None:
    """Refuse a password that is short, common, repetitive, or personal. Raises PASSWORD_*."""
    judge = passwords.citizen_weakness if kind is AccountKind.CITIZEN else passwords.weakness
    weak = judge(password, *personal)
    if weak is not None:
        raise Refusal(Kind.UNPROCESSABLE, weak.value, "Choose a longer or less common password.", element="nouveau")


async def known_of(reader: Reader, sealer: Sealer, account: Account) -> tuple[str, ...]:
    """What the password of an account must not contain: names, proven addresses, birth date, number."""
    person = await identity_of(reader, account.patient) if account.patient is not None else None
    addresses = (await contacts.of_account(reader, sealer, account.id)).values()
    return (account.sign_in_name, account.display_name, *addresses, *personal(person))


def personal(person: PatientIdentity | None) -> tuple[str, ...]:
    """What the registry knows of a person that a password must not contain."""
    if person is None:
        return ()
    traits = person.traits
    return (
        traits.birth_name or "",
        traits.given_names or "",
        traits.first_given or "",
        person.used_name or "",
        person.used_first_name or "",
        *_dates(traits.birth_date),
        *((person.ins.matricule, person.ins.matricule[:13]) if person.ins else ()),
    )


def _dates(born: date | None) -> tuple[str, ...]:
    return () if born is None else tuple(born.strftime(form) for form in ("%Y", "%d%m%Y", "%d%m%y", "%Y%m%d"))
