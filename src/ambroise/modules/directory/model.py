"""Professionals, structures and situations of exercise, as the directory knows them."""

from __future__ import annotations

import unicodedata

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger
from ambroise.modules.directory.keys import finess_valid, rpps_valid, siren_valid

_log = logger(__name__)

G15 = "1.2.250.1.71.1.2.7"


class Structure(Struct, frozen=True):
    """A place of care.

    `id_nat` is the Struct_IdNat: `1` then a FINESS, `2` then a SIREN…; `facility` a TRE_R02 sector of activity,
    `setting` a JDV_J04 practice setting.
    """

    id_nat: str
    name: str
    facility: str | None = None
    setting: str | None = None
    address_line: str | None = None
    postal_code: str | None = None
    city: str | None = None
    phone: str | None = None
    email: str | None = None
    test_identity: bool = False

    @property
    def finess(self) -> str | None:
        """The FINESS number, when the structure is identified by one."""
        return self.id_nat[1:] if self.id_nat.startswith("1") else None


class ProfessionalEntry(Struct, frozen=True):
    """A professional, wherever he or she practises. `label` is the profession and specialty in words."""

    rpps: str
    family: str
    given: str
    profession: str
    profession_system: str = G15
    specialty: str | None = None
    label: str | None = None
    sex: str | None = None
    title: str | None = None
    phone: str | None = None
    test_identity: bool = False
    national_id: str | None = None

    @property
    def id_nat(self) -> str:
        """The national identifier (PS_IdNat): `8` and the RPPS, unless the register says another one (ADELI…)."""
        return self.national_id or "8" + self.rpps

    @property
    def name(self) -> str:
        """Given name and family name, without title."""
        return f"{self.given} {self.family}"


class Situation(Struct, frozen=True):
    """A professional in a structure."""

    organization: str
    role_title: str | None = None


class Found(Struct, frozen=True):
    """One line of a search in the directory: the professional in his or her first situation."""

    entry: ProfessionalEntry
    structure: Structure | None
    role_title: str | None = None


def check_structure(structure: Structure) -> None:
    """Refuse a structure whose identifier has a wrong key; raises STRUCTURE_ID_INVALID."""
    prefix, number = structure.id_nat[:1], structure.id_nat[1:]
    valid = {"1": finess_valid, "2": siren_valid}.get(prefix, bool)(number)
    _accept(valid, "STRUCTURE_ID_INVALID", "structure", structure.test_identity)


def check_professional(entry: ProfessionalEntry) -> None:
    """Refuse a professional whose RPPS has a wrong key; raises RPPS_INVALID."""
    _accept(rpps_valid(entry.rpps), "RPPS_INVALID", "professional", entry.test_identity)


def _accept(valid: bool, code: str, what: str, test_identity: bool) -> None:
    if valid:
        return
    if test_identity:
        _log.warning("directory_key_wrong", what=what, code=code)
        return
    raise Refusal(Kind.UNPROCESSABLE, code, f"The identifier of this {what} has a wrong length or check digit.")


class Criteria(Struct, frozen=True):
    """What one looks for; everything given must hold. `name` is the beginning of the family name and of first names.

    `town` is a name or a postal code, `specialty` a code of savoir-faire, `finess` and `rpps` are exact.
    """

    name: str = ""
    town: str = ""
    profession: str | None = None
    specialty: str | None = None
    rpps: str | None = None
    finess: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is asked."""
        return not (self.name or self.town or self.profession or self.specialty or self.rpps or self.finess)


def key(text: str) -> str:
    """A name or a town as it is sorted and found: its words, without accents, case or punctuation."""
    return " ".join(words(text))


def words(text: str) -> tuple[str, ...]:
    """The words of a text without accents, case or punctuation, as the directory indexes and searches them."""
    flat = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c if c.isalnum() else " " for c in flat if not unicodedata.combining(c))
    return tuple(kept.split())
