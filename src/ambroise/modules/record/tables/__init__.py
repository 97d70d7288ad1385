"""The French code tables that the record reads: types, classes, formats, specialties, settings, flags.

The rows are data (`data/*.tsv`), compiled from the published value sets by `tools/compile_code_tables.py`, each file
with its source and date. A code system may be named in any of its forms: OID, `urn:oid:` or FHIR URL.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from msgspec import Struct

from ambroise.modules.record.tables.systems import same_system, system_oid, system_url

__all__ = [
    "CLASS_SYSTEM",
    "Entry",
    "Format",
    "Table",
    "class_label",
    "class_of_type",
    "contains",
    "entry",
    "format_of_media",
    "format_of_templates",
    "formats",
    "is_format",
    "label",
    "names",
    "same_system",
    "system_oid",
    "system_url",
    "table",
    "type_code",
]

CLASS_SYSTEM = "1.2.250.1.213.1.1.4.1"
"""OID of the classes of documents (TRE_A03)."""

_DATA = files(__name__) / "data"
_NOT_VALUE_SETS = frozenset({"document_class", "document_format", "systems"})


class Entry(Struct, frozen=True):
    """One code of a table; `system` is an OID (or the word the publisher wrote when there is none)."""

    code: str
    label: str
    system: str


class Table(Struct, frozen=True):
    """One value set with where it comes from."""

    name: str
    source: str
    oid: str
    date: str
    title: str
    entries: tuple[Entry, ...]


class Format(Struct, frozen=True):
    """One format of documents: its code, and the CDA templates or media types that make it."""

    code: str
    label: str
    makers: tuple[str, ...]


def names() -> tuple[str, ...]:
    """The names of all value sets, sorted."""
    stems = (item.name.removesuffix(".tsv") for item in _DATA.iterdir() if item.name.endswith(".tsv"))
    return tuple(sorted(stem for stem in stems if stem not in _NOT_VALUE_SETS))


@cache
def table(name: str) -> Table:
    """One value set by its name in code. Raises KeyError when there is none."""
    about, rows = _read(name)
    entries = tuple(Entry(code, label, system) for code, label, system in rows)
    return Table(name, about["source"], about.get("oid", ""), about["date"], about["title"], entries)


def entry(name: str, code: str, system: str | None = None) -> Entry | None:
    """The row of `code` in a table, in that system when one is given."""
    for found in _index(name).get(code, ()):
        if system is None or same_system(found.system, system):
            return found
    return None


def contains(name: str, code: str, system: str | None = None) -> bool:
    """Whether a table holds `code`, in that system when one is given."""
    return entry(name, code, system) is not None


def label(name: str, code: str, system: str | None = None) -> str | None:
    """The published French label of a code."""
    found = entry(name, code, system)
    return found.label if found else None


def type_code(code: str) -> Entry | None:
    """The document type (typeCode, JDV_J07) of this code."""
    return entry("document_type", code)


def class_of_type(code: str) -> str | None:
    """The class (classCode) to which documents of this type belong."""
    return _classes().get(code)


def class_label(code: str) -> str | None:
    """The label of a class of documents."""
    return label("document_class_label", code)


@cache
def formats() -> tuple[Format, ...]:
    """Every format of documents (formatCode) that is accepted."""
    return tuple(Format(code, text, tuple(makers.split())) for code, text, makers in _read("document_format")[1])


def is_format(code: str) -> bool:
    """Whether documents of this format are accepted."""
    return code in _format_codes()


def format_of_templates(roots: Iterable[str]) -> str | None:
    """The format of a structured CDA, from its template ids; the most specific template decides."""
    known = _makers()
    found = [root for root in roots if root in known and root[0].isdigit()]
    # A national template says more than the IHE one that stands beside it, and a longer arc says more than its parent.
    found.sort(key=lambda root: (root.startswith("1.2.250.1.213."), root.count(".")), reverse=True)
    return known[found[0]] if found else None


def format_of_media(media_type: str) -> str | None:
    """The format of an unstructured CDA, from the media type inside it."""
    return _makers().get(media_type)


@cache
def _format_codes() -> frozenset[str]:
    return frozenset(item.code for item in formats())


@cache
def _makers() -> Mapping[str, str]:
    return {maker: item.code for item in formats() for maker in item.makers}


@cache
def _classes() -> Mapping[str, str]:
    return {row[0]: row[1] for row in _read("document_class")[1]}


@cache
def _index(name: str) -> Mapping[str, tuple[Entry, ...]]:
    found: dict[str, tuple[Entry, ...]] = {}
    for item in table(name).entries:
        found[item.code] = (*found.get(item.code, ()), item)
    return found


def _read(name: str) -> tuple[dict[str, str], list[list[str]]]:
    path = _DATA / f"{name}.tsv"
    if not path.is_file():
        raise KeyError(f"there is no code table {name!r}")
    about: dict[str, str] = {}
    rows: list[list[str]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            key, _, value = line[2:].partition("\t")
            about[key] = value
        elif line:
            rows.append(line.split("\t"))
    return about, rows
