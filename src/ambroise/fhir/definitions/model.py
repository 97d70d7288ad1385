"""The shape of the compiled R4 definitions: small arrays in the artefact, frozen structs in memory."""

import msgspec

UNBOUNDED = -1


class TypeRef(msgspec.Struct, array_like=True, frozen=True):
    """One type an element may have; `targets` are the resource types that a Reference or canonical may name."""

    code: str
    targets: tuple[str, ...] = ()


class Element(msgspec.Struct, array_like=True, frozen=True):
    """One child element. `name` has no `[x]`; `shape` names the inline shape of a backbone element."""

    name: str
    minimum: int
    maximum: int
    types: tuple[TypeRef, ...]
    choice: bool = False
    shape: str | None = None
    binding: str | None = None
    summary: bool = False
    modifier: bool = False
    constraints: tuple[str, ...] = ()

    @property
    def repeats(self) -> bool:
        """Whether JSON writes this element as an array."""
        return self.maximum == UNBOUNDED or self.maximum > 1

    @property
    def keys(self) -> tuple[tuple[str, TypeRef], ...]:
        """The JSON keys of this element with the type that each carries: one, or one per type of a choice."""
        if not self.choice:
            return ((self.name, self.types[0]),)
        return tuple((self.name + ref.code[0].upper() + ref.code[1:], ref) for ref in self.types)


class Shape(msgspec.Struct, array_like=True, frozen=True):
    """The elements of a resource type, a data type or a backbone element, in the standard's order."""

    name: str
    kind: str
    base: str
    elements: tuple[Element, ...]
    constraints: tuple[str, ...] = ()
    pattern: str | None = None

    def element(self, name: str) -> Element | None:
        """The element called `name` (a choice by its stem), if any."""
        return next((element for element in self.elements if element.name == name), None)


class Constraint(msgspec.Struct, array_like=True, frozen=True):
    """An invariant of the standard: error or warning, its FHIRPath and its sentence."""

    key: str
    severity: str
    expression: str
    human: str


class Component(msgspec.Struct, array_like=True, frozen=True):
    """One part of a composite search parameter: the code of the parameter it repeats and its relative path."""

    code: str
    expression: str


class SearchParameter(msgspec.Struct, array_like=True, frozen=True):
    """One search parameter as it applies to one resource type; `number` is stable for (type, code)."""

    code: str
    type: str
    url: str
    number: int
    expression: str
    targets: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()
    source: str = "hl7.fhir.r4"


class Index(msgspec.Struct, frozen=True):
    """What is read at start: names, numbers, compartments; the search parameters of a type stay packed until used."""

    types: dict[str, int]
    data_types: tuple[str, ...]
    parameters: dict[str, msgspec.Raw]
    compartments: dict[str, dict[str, tuple[str, ...]]]


class Manifest(msgspec.Struct, frozen=True):
    """Where the artefact comes from."""

    package: str
    version: str
    integrity: str
    published: str
    licence: str


class Container(msgspec.Struct, frozen=True):
    """The artefact file: a manifest and zstd frames, each decoded when first asked for."""

    manifest: Manifest
    index: bytes
    shapes: dict[str, bytes]
    constraints: bytes
    value_sets: bytes
