"""Who somebody is here, from what a partner says of them."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind
from ambroise.modules.identity import repository as accounts
from ambroise.modules.identity.federation.model import Proven, refuse
from ambroise.modules.identity.ins import Sex, Trait, Traits, birth_date_of, differences
from ambroise.modules.identity.model import Account
from ambroise.modules.identity.professionals import known_professional
from ambroise.modules.identity.registry.model import PatientIdentity
from ambroise.modules.identity.registry.repository import born
from ambroise.modules.identity.registry.trust import Attribute, Status
from ambroise.modules.identity.service import Identity

_SEXES = {"male": Sex.MALE, "female": Sex.FEMALE}
# Without one of these in the registry, two people could be taken for one.
_NEEDED = (Trait.BIRTH_NAME, Trait.BIRTH_DATE, Trait.SEX, Trait.BIRTH_PLACE)
_UNSURE = frozenset({Attribute.DOUBTFUL, Attribute.FICTITIOUS})


def national_id(proven: Proven) -> str:
    """The national identifier (PS_IdNat) that a partner gives of a professional. Raises FEDERATION_NO_IDENTIFIER."""
    partner = proven.partner
    said = partner.said(proven.claims, "national_id")
    if said is None and (rpps := partner.said(proven.claims, "rpps")) is not None:
        said = "8" + rpps
    if said is None or not said.isalnum() or not 9 <= len(said) <= 40:
        refuse(Kind.FORBIDDEN, "FEDERATION_NO_IDENTIFIER", "The provider gave no national identifier.", partner)
    return said


async def professional(tx: Transaction, identity: Identity, proven: Proven) -> Account:
    """The account of a professional, made from the directory the first time. Raises FEDERATION_PERSON_UNKNOWN."""
    identifier = national_id(proven)
    found = await known_professional(tx, identity, identifier)
    if found is None:
        refuse(
            Kind.FORBIDDEN,
            "FEDERATION_PERSON_UNKNOWN",
            "The directory knows nobody so.",
            proven.partner,
        )
    return found


async def citizen(reader: Reader, proven: Proven) -> UUID | None:
    """The one person whose qualified identity is exactly what the partner says; None for nobody, or for several.

    FranceConnect gives no INS: every strict trait must be the same (RNIV), the birth place included.
    """
    claimed = traits_of(proven)
    if claimed.birth_date is None or not claimed.birth_place:
        return None
    near = await born(reader, claimed.birth_date, claimed.birth_place)
    with suppress(ValueError):
        same = [one.patient for one in near if _is(one, claimed)]
        return same[0] if len(same) == 1 else None
    return None


def traits_of(proven: Proven) -> Traits:
    """The strict traits, as FranceConnect words them: a commune (COG), or a country for who was born abroad."""
    partner, claims = proven.partner, proven.claims
    listed = partner.listed(claims, "given_names_list")
    names = " ".join(listed) or partner.said(claims, "given_names")
    first = listed[0] if listed else (names or "").partition(" ")[0]
    place = partner.said(claims, "birth_place") or partner.said(claims, "birth_country")
    return Traits(
        birth_name=partner.said(claims, "birth_name"),
        first_given=first or None,
        given_names=names,
        birth_date=_date(partner.said(claims, "birth_date")),
        sex=_SEXES.get(partner.said(claims, "sex") or ""),
        birth_place=place.upper() if place else None,
    )


def _is(known: PatientIdentity, claimed: Traits) -> bool:
    traits = known.traits
    if known.status is not Status.QUALIFIED or known.attributes & _UNSURE:
        return False
    if any(getattr(traits, trait.value) in (None, "", "99999") for trait in _NEEDED):
        return False
    return bool(traits.first_given or traits.given_names) and not differences(traits, claimed)


def _date(text: str | None) -> date | None:
    with suppress(ValueError):
        return birth_date_of(text) if text else None
    return None


async def usable(reader: Reader, account: UUID) -> Account:
    """An account that may sign in. Raises ACCOUNT_SUSPENDED."""
    found = await accounts.credentials(reader, account=account)
    if found is None or found.suspended:
        refuse(Kind.FORBIDDEN, "ACCOUNT_SUSPENDED", "This account is suspended.")
    return found.account
