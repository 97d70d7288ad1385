"""The access matrix (matrice d'habilitation), read from data: no other code tests a profession."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias, cast

from msgspec import Struct
from msgspec.structs import replace

from ambroise.trust.access.kinds import KindTable, kinds, load_table

Mark: TypeAlias = Literal["verified", "proposal"]


class Role(Struct, frozen=True, dict=True):
    """What one group of professions may read, and under which conditions."""

    name: str
    readable: frozenset[int]
    care_team_only: bool = False
    emergency: bool = True
    may_treat: bool = False
    verified: frozenset[int] = frozenset()

    @cached_property
    def readable_array(self) -> str:
        """The same as PostgreSQL writes an array: a parameter that costs nothing to send."""
        return as_array(self.readable)

    def mark(self, kind: int) -> Mark:
        """Whether this cell was read in a source or is a proposal."""
        return "verified" if kind in self.verified else "proposal"


def as_array(kinds: frozenset[int]) -> str:
    """Kinds as PostgreSQL writes an array."""
    return "{" + ",".join(map(str, sorted(kinds))) + "}"


NO_ROLE = Role(name="unknown", readable=frozenset(), emergency=False)


class Cell(Struct, frozen=True):
    """One cell, for the page that shows the matrix in words."""

    kind: int
    code: str
    readable: bool
    mark: Mark


class Matrix(Struct, frozen=True):
    """A version of the matrix with its source."""

    version: str
    effective: date
    source: str
    roles: Mapping[tuple[str, str], Role]
    call_centres: frozenset[str]
    """The practice settings of the structures that regulate calls to centre 15."""

    def role(self, system: str, code: str) -> Role:
        """The role of a profession; one the matrix does not know reads nothing."""
        return self.roles.get((system, code), NO_ROLE)

    def role_in_call_centre(self, system: str, code: str, setting: str | None) -> Role:
        """The role of a profession reading for a call centre; elsewhere it opens no emergency."""
        role = self.role(system, code)
        return role if setting in self.call_centres else _without_emergency(role)

    def cells(self, system: str, code: str) -> Iterator[Cell]:
        """Every document type for one profession, in the order of the kinds."""
        role = self.role(system, code)
        for name, kind in sorted(kinds().numbers.items(), key=lambda pair: pair[1]):
            yield Cell(kind, name, kind in role.readable, role.mark(kind))


@lru_cache
def _without_emergency(role: Role) -> Role:
    return replace(role, emergency=False)


class Row(Struct, frozen=True):
    """What one group reads, by type code, and which of its cells were read in a source."""

    readable: frozenset[str]
    verified: frozenset[str]


Rows: TypeAlias = Mapping[str, Row]
"""The rows of one version of the matrix, by the name of the group."""


class Published(NamedTuple):
    """A later version, and the instant from which it is in force."""

    effective: datetime
    matrix: Matrix


_later: list[Published] = []
"""The versions published after the first one, the newest first; see `ambroise.trust.access.versions`."""


def matrix(at: datetime) -> Matrix:
    """The matrix in force at this instant: the newest of those whose day has come."""
    for one in _later:
        if one.effective <= at:
            return one.matrix
    return first_matrix()


def follow_versions(later: Iterable[Published]) -> None:
    """Know the versions published after the first one, the newest first, in this process."""
    _later[:] = later


@lru_cache(maxsize=1)
def first_matrix() -> Matrix:
    """The matrix that comes with the software: the first version."""
    raw = _first()
    return Matrix(
        version=raw["version"],
        effective=raw["effective"],
        source=raw["source"],
        roles=dict(_roles(raw, kinds())),
        call_centres=frozenset(raw["call_centre"]["settings"]),
    )


def matrix_of(rows: Rows, version: str, effective: date, source: str) -> Matrix:
    """A later version: the same groups, with other cells."""
    first, table = first_matrix(), kinds()

    def renewed(role: Role) -> Role:
        row = rows.get(role.name)
        if row is None:
            return role
        pseudo = role.readable & frozenset(table.pseudo.values())
        readable = frozenset(table.numbers[code] for code in row.readable if code in table.numbers)
        verified = frozenset(table.numbers[code] for code in row.verified if code in table.numbers)
        return replace(role, readable=readable | pseudo, verified=verified)

    made = {role: renewed(role) for role in set(first.roles.values())}
    return replace(
        first,
        version=version,
        effective=effective,
        source=source,
        roles={key: made[role] for key, role in first.roles.items()},
    )


def first_rows() -> Rows:
    """The rows of the first version."""
    return rows_of(first_matrix())


def rows_of(one: Matrix) -> Rows:
    """The rows of a version."""
    return {
        role.name: Row(
            frozenset(code for code, kind in kinds().numbers.items() if kind in role.readable),
            frozenset(code for code, kind in kinds().numbers.items() if kind in role.verified),
        )
        for role in dict.fromkeys(one.roles.values())
    }


@lru_cache(maxsize=1)
def _first() -> dict[str, Any]:
    return load_table("matrix.toml")


def _roles(raw: Mapping[str, Any], table: KindTable) -> Iterator[tuple[tuple[str, str], Role]]:
    shared = frozenset(table.number(name) for name in raw["shared"]["pseudo"])
    for group in cast(list[dict[str, Any]], raw["group"]):
        role = _role(group, table, shared)
        for system, codes in cast(dict[str, list[str]], group["roles"]).items():
            for code in _expand(codes):
                yield (raw["systems"][system], code), role


def _role(group: Mapping[str, Any], table: KindTable, shared: frozenset[int]) -> Role:
    def numbers(key: str) -> frozenset[int]:
        return frozenset(table.number(name) for name in group.get(key, ()))

    readable = (table.of_classes(group.get("classes", ())) | numbers("allowed")) - numbers("denied")
    every = frozenset(table.numbers.values())
    return Role(
        name=group["name"],
        readable=readable | shared,
        care_team_only=group.get("care_team_only", False),
        emergency=group.get("emergency", True),
        may_treat=group.get("may_treat", False),
        verified=every if group.get("all_verified") else numbers("verified"),
    )


def _expand(codes: list[str]) -> Iterator[str]:
    """Codes, with ranges such as "300-370" written out."""
    for code in codes:
        low, _, high = code.partition("-")
        if high:
            yield from (str(number) for number in range(int(low), int(high) + 1))
        else:
            yield code
