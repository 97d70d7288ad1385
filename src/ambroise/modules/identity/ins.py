"""The national health identity (identité nationale de santé, INS): matricule, OIDs, traits and their comparison.

Everything here is pure. The rules come from the INS reference (matricule and OID always travel together) and from the
national identity vigilance rules (RNIV): five strict traits, plus the first of the first names.
"""

import re
import unicodedata
from datetime import date
from enum import Enum, StrEnum
from typing import NoReturn

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal

NIR_OID = "1.2.250.1.213.1.4.8"
NIA_OID = "1.2.250.1.213.1.4.9"
TEST_OID = "1.2.250.1.213.1.4.10"
DEMONSTRATION_OID = "1.2.250.1.213.1.4.11"

PRODUCTION_OIDS = frozenset({NIR_OID, NIA_OID})
TEST_OIDS = frozenset({TEST_OID, DEMONSTRATION_OID})
INS_OIDS = PRODUCTION_OIDS | TEST_OIDS

DEFAULT_OID = {True: TEST_OID, False: NIR_OID}
"""The authority of a matricule that comes without its OID: on a demonstration, or on a real instance."""

UNKNOWN_PLACE = "99999"


class Sex(StrEnum):
    """The sex of a strict trait, as the INSi service writes it; undetermined is local and never sent to it."""

    MALE = "M"
    FEMALE = "F"
    UNDETERMINED = "I"


class Trait(StrEnum):
    """The traits that two identities are compared by."""

    BIRTH_NAME = "birth_name"
    FIRST_GIVEN = "first_given"
    GIVEN_NAMES = "given_names"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    BIRTH_PLACE = "birth_place"


class Gap(Enum):
    """How a claimed trait fails: it says something else, or it says nothing."""

    DIFFERS = "differs"
    MISSING = "missing"


class Ins(Struct, frozen=True):
    """A matricule (15 characters, key included) with the OID of what assigned it."""

    matricule: str
    oid: str

    @property
    def system(self) -> str:
        """The FHIR identifier system."""
        return f"urn:oid:{self.oid}"


class Traits(Struct, frozen=True):
    """The traits of a person as one source states them, untouched; None is what the source does not say.

    `given_names` is the list of the birth certificate, separated by spaces; `birth_place` is a COG code.
    """

    birth_name: str | None = None
    first_given: str | None = None
    given_names: str | None = None
    birth_date: date | None = None
    sex: Sex | None = None
    birth_place: str | None = None


class Difference(Struct, frozen=True):
    """One trait that a document claims and the registry does not confirm."""

    trait: Trait
    gap: Gap


def nir_key(number: str) -> int:
    """The control key of the 13 characters of a NIR or NIA; Corsica counts as 19 (2A) and 18 (2B)."""
    if not _NUMBER.fullmatch(number):
        raise ValueError("a matricule has 13 digits before its key, 2A or 2B allowed for Corsica")
    return 97 - int(_without_corsica(number)) % 97


def matricule_is_valid(matricule: str) -> bool:
    """Whether 15 characters are a NIR or NIA whose key is right."""
    return bool(_MATRICULE.fullmatch(matricule)) and nir_key(matricule[:13]) == int(matricule[13:])


def check_ins(ins: Ins, *, demonstration: bool, element: str = "recordTarget/patientRole/id") -> None:
    """Refuse (INS_INVALID) an identity that this instance cannot hold; `data["problem"]` says why.

    `element` is where the sender wrote it.

    Test identities live on demonstration instances only, real ones never do: the two worlds do not meet.
    """
    if ins.oid not in INS_OIDS:
        _refuse_ins(
            element, "oid", f"the identifier system {ins.oid} is not one of an INS; use {_expected(demonstration)}"
        )
    if ins.oid not in (TEST_OIDS if demonstration else PRODUCTION_OIDS):
        kind, here = ("production", "test") if demonstration else ("test", "production")
        _refuse_ins(
            element,
            f"{kind}_oid",
            f"the OID {ins.oid} marks a {kind} identity and this is a {here} instance; use {_expected(demonstration)}",
        )
    if not _MATRICULE.fullmatch(ins.matricule):
        _refuse_ins(
            element, "form", "a matricule has 15 characters: 13 of the number (2A or 2B for Corsica) and 2 of the key"
        )
    if not matricule_is_valid(ins.matricule):
        _refuse_ins(element, "key", "the control key of the matricule is wrong: check the number against its source")


def normal_name(text: str) -> str:
    """Write a name as the INSi service does: capitals A to Z, space, apostrophe, hyphen.

    Raises ValueError for a character that has no equivalent (a digit, `_`…): such a name is refused, never trimmed.
    """
    return _spaces(_letters(text, strict=True))


def comparable(text: str) -> str:
    """What stays of a name when capitals, accents and separators no longer count (`Marie-Ève` is `MARIE EVE`)."""
    return _spaces(re.sub(r"[-' ]+", " ", _letters(text, strict=False)))


def starts_with_first_name(given_names: str, first_given: str) -> bool:
    """Whether the first first-name opens the list; hyphen, apostrophe and space are equivalent (EXI ID 10)."""
    names, first = comparable(given_names), comparable(first_given)
    return bool(first) and (names == first or names.startswith(first + " "))


def birth_date_of(text: str) -> date:
    """Read a birth date `YYYYMMDD` or `YYYY-MM-DD`; unknown parts (absent or `00`) are filled as the RNIV says.

    Day unknown: the 1st. Month unknown with a day: January. Both unknown: 31 December. Raises ValueError otherwise.
    """
    match = re.fullmatch(r"(\d{4})-?(\d{2})?-?(\d{2})?(?:[T ]?\d.*)?", text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a birth date")
    year, month, day = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    if not month and not day:
        return date(year, 12, 31)
    return date(year, month or 1, day or 1)


def differences(reference: Traits, claimed: Traits) -> tuple[Difference, ...]:
    """The traits that `claimed` does not share with the registry's `reference`, in a fixed order.

    A trait unknown to the registry is not compared (birth place `99999` included). Names are compared by
    `comparable`; when the registry has no first first-name, the claimed one must open its list of first names.
    """
    found: list[Difference] = []
    for trait in Trait:
        if _same(reference, claimed, trait):
            continue
        known, said = _value(reference, trait), _value(claimed, trait)
        if trait is Trait.FIRST_GIVEN and not known:
            if reference.given_names and not starts_with_first_name(reference.given_names, claimed.first_given or ""):
                found.append(Difference(trait, Gap.DIFFERS if said else Gap.MISSING))
        elif known and not said:
            found.append(Difference(trait, Gap.MISSING))
        elif known and known != said:
            found.append(Difference(trait, Gap.DIFFERS))
    return tuple(found)


def check_traits(reference: Traits, claimed: Traits, *, complete: bool = True) -> None:
    """Refuse (TRAITS_MISMATCH) a document whose traits are not those of the registry.

    `complete` asks for every trait, as a CDA must state them with an INS; without it only what is said is compared.
    The refusal names the traits in `data["traits"]`, never what the registry holds.
    """
    gaps = [item for item in differences(reference, claimed) if complete or item.gap is Gap.DIFFERS]
    if not gaps:
        return
    listed = ", ".join(f"{item.trait.value} {item.gap.value}" for item in gaps)
    raise Refusal(
        Kind.UNPROCESSABLE,
        "TRAITS_MISMATCH",
        f"the patient's traits are not those of the qualified identity ({listed}): check whose document this is, "
        "then correct the traits at their source",
        element="recordTarget/patientRole/patient",
        data={"traits": {item.trait.value: item.gap.value for item in gaps}},
    )


_NUMBER = re.compile(r"[1-9]\d{4}(?:\d{2}|2[ABab])\d{6}")
_MATRICULE = re.compile(_NUMBER.pattern + r"\d{2}")
_LIGATURES = str.maketrans({"Œ": "OE", "Æ": "AE", "ẞ": "SS", "Ø": "O", "Đ": "D", "Ð": "D", "Ł": "L", "Þ": "TH"})
_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "`": "'", "´": "'", "‐": "-", "‑": "-", "–": "-", "\u00a0": " "})


def _without_corsica(number: str) -> str:
    department = {"2A": "19", "2B": "18"}.get(number[5:7].upper(), number[5:7])
    return number[:5] + department + number[7:]


def _letters(text: str, *, strict: bool) -> str:
    upper = text.translate(_APOSTROPHES).upper().translate(_LIGATURES)
    bare = upper if upper.isascii() else _without_accents(upper)
    if strict and (wrong := re.search(r"[^A-Z '\-]", bare)):
        raise ValueError(f"the character {wrong[0]!r} has no place in a name")
    return bare


def _without_accents(text: str) -> str:
    return "".join([sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign)])


def _spaces(text: str) -> str:
    return " ".join(text.split())


def _same(reference: Traits, claimed: Traits, trait: Trait) -> bool:
    """Whether a trait is written as the registry holds it, to the letter, as most are: nothing is left to compare."""
    known = getattr(reference, trait)
    # Where the registry has no first first-name, the list of first names has the word.
    return known == getattr(claimed, trait) and (trait is not Trait.FIRST_GIVEN or (known or "").isalpha())


def _value(traits: Traits, trait: Trait) -> str | date | None:
    value: str | date | None = getattr(traits, trait.value)
    if trait is Trait.BIRTH_PLACE:
        return None if value in (None, "", UNKNOWN_PLACE) else str(value).upper()
    if isinstance(value, str) and not isinstance(value, Sex):
        return comparable(value) or None
    return value


def _expected(demonstration: bool) -> str:
    return TEST_OID if demonstration else f"{NIR_OID} or {NIA_OID}"


def _refuse_ins(element: str, problem: str, diagnostics: str) -> NoReturn:
    raise Refusal(Kind.UNPROCESSABLE, "INS_INVALID", diagnostics, element=element, data={"problem": problem})
