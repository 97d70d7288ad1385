"""What a token leaves of what its holder may do: scopes of SMART App Launch 2, which only ever take away."""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

from msgspec import Struct

from ambroise.fhir.definitions import is_resource_type

ANY = "*"
# SMART App Launch 2.2, "Scopes for requesting FHIR Resources": letters in this order, each at most once.
_SCOPE = re.compile(r"(patient|user)/(\*|[A-Z][A-Za-z]+)\.(c?r?u?d?s?)")


class Permission(Struct, frozen=True):
    """One scope on resources: whose (`patient` in context, or whatever the `user` sees), which type, which letters."""

    whose: str
    type: str
    letters: str

    @staticmethod
    def read(scope: str) -> Permission | None:
        """What a scope permits; None when it is not one on resources, or one that is not offered here."""
        found = _SCOPE.fullmatch(scope)
        if found is None or not found[3] or not (found[2] == ANY or is_resource_type(found[2])):
            return None
        return Permission(found[1], found[2], found[3])

    def covers(self, other: Permission) -> bool:
        """Whether the other permits nothing more."""
        same = self.whose == other.whose and self.type in (ANY, other.type)
        return same and set(other.letters) <= set(self.letters)


class Limits(Struct, frozen=True):
    """What a token opens at most: pairs of a type (or `*`) and a letter among `cruds`.

    With a `patient`, nothing that concerns anybody else. The rules of access are asked all the same, before or after.
    """

    permitted: frozenset[tuple[str, str]]
    patient: UUID | None = None

    @staticmethod
    def of(scopes: Iterable[str], patient: UUID | None) -> Limits:
        """The limits that these scopes draw. Without a patient in context, a scope on that patient permits nothing.

        One scope on the patient keeps the whole token to that patient: narrower than asked, never wider.
        """
        read = [one for one in map(Permission.read, scopes) if one is not None]
        useful = [one for one in read if one.whose == "user" or patient is not None]
        permitted = frozenset((one.type, letter) for one in useful for letter in one.letters)
        confined = any(one.whose == "patient" for one in useful)
        return Limits(permitted, patient if confined else None)

    def allows(self, letter: str, type: str) -> bool:
        """Whether this act (c, r, u, d, s) on this type is left."""
        return (type, letter) in self.permitted or (ANY, letter) in self.permitted

    def sees(self, type: str | None) -> bool:
        """Whether rows of this type may be looked at; None: of every type."""
        return any(self.allows(letter, type or ANY) for letter in "rs")

    def reach(self, patient: UUID | None) -> bool:
        """Whether what concerns this patient, or nobody, is left."""
        return self.patient is None or patient is None or patient == self.patient
