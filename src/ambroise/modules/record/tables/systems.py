"""Names of code systems: CDA and XDS write OIDs, FHIR writes URLs."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_URN = "urn:oid:"


def system_url(oid: str) -> str:
    """The FHIR name of a code system given by OID: its URL when it has one, else `urn:oid:…`."""
    bare = oid.removeprefix(_URN)
    return _urls().get(bare) or (_URN + bare if bare[:1].isdigit() else oid)


def system_oid(system: str) -> str:
    """The OID of a code system given by URL, `urn:oid:` or OID; an unknown URL is returned as it is."""
    return _oids().get(system) or system.removeprefix(_URN)


def same_system(one: str, other: str) -> bool:
    """Whether two names mean the same code system."""
    return one == other or system_oid(one) == system_oid(other)


@cache
def _rows() -> tuple[tuple[str, str], ...]:
    text = (files("ambroise.modules.record.tables") / "data" / "systems.tsv").read_text(encoding="utf-8")
    cells = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return tuple((oid, url) for oid, url, _ in cells)


@cache
def _urls() -> Mapping[str, str]:
    urls: dict[str, str] = {}
    for oid, url in _rows():
        urls.setdefault(oid, url)
    return urls


@cache
def _oids() -> Mapping[str, str]:
    return {url: oid for oid, url in _rows()}
