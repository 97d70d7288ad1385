"""Reading the committed artefact; each part is decompressed when first asked for."""

from functools import cache
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from ambroise.fhir.definitions.model import Constraint, Container, Index, Manifest, SearchParameter, Shape

FILE: Final = "r4.msgpack"


def _inflate(frame: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(frame)


@cache
def _container() -> Container:
    data = Path(__file__).with_name(FILE).read_bytes()
    return msgspec.msgpack.decode(data, type=Container)


def manifest() -> Manifest:
    """The package that the definitions were compiled from."""
    return _container().manifest


@cache
def index() -> Index:
    """Names, numbers, search parameters and compartments."""
    return msgspec.msgpack.decode(_inflate(_container().index), type=Index)


@cache
def parameters(type_: str) -> tuple[SearchParameter, ...]:
    """The search parameters stated for `type_`, or for every resource under `Resource`."""
    raw = index().parameters.get(type_)
    return () if raw is None else msgspec.msgpack.decode(raw, type=tuple[SearchParameter, ...])


@cache
def _shape_group(name: str) -> dict[str, Shape]:
    shapes = msgspec.msgpack.decode(_inflate(_container().shapes[name]), type=list[Shape])
    return {shape.name: shape for shape in shapes}


def shapes_of(type_: str) -> list[Shape]:
    """The shape of a resource or data type and those of its backbone elements. Raises KeyError."""
    return list(_shape_group(type_).values())


def shape(name: str) -> Shape:
    """The shape called `name`: `Patient`, `Patient.contact`, `HumanName`. Raises KeyError."""
    return _shape_group(name.split(".", 1)[0])[name]


@cache
def constraints() -> dict[str, Constraint]:
    """Every invariant by key."""
    rows = msgspec.msgpack.decode(_inflate(_container().constraints), type=list[Constraint])
    return {row.key: row for row in rows}


@cache
def value_sets() -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """The codes of each value set under a required binding, as (system, codes) pairs."""
    return msgspec.msgpack.decode(_inflate(_container().value_sets), type=dict[str, list[tuple[str, tuple[str, ...]]]])
