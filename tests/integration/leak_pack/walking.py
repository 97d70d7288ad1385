"""Looking at every page of the portals with somebody's eyes: which addresses a route has, and what an answer says."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence

from starlette.routing import Route

from ambroise.modules.identity.api import AccountKind
from ambroise.modules.record.content.words import words_of
from tests.integration.leak_pack.portals import BAND, DOCTOR, NOBODY, Portals

SECTIONS = ("illnesses", "allergies", "vaccinations")
# What is asked of some pages beside their address; the word stands in each letter and is no mark.
QUESTIONS = {
    "/documents": ("", "mots=menisque", "auteur=muller", "categorie=CPT_REND"),
    "/agenda/bilan": (f"tranche={BAND}",),
    "/agenda/acte": (f"quoi=checkup.{BAND}",),
    "/agenda/acte.ics": (f"quoi=checkup.{BAND}",),
    "/acces/comme": (f"qui={DOCTOR}", "qui=metier:medecin", "qui=urgence"),
    "/historique": ("", "qui=moi", "qui=soignants"),
    "/notifications": ("", "lues=non"),
    "/guichet": ("", "dossier={id}"),
    "/pro/patients/{patient}": ("", "filtre=menisque", "categorie=CPT_REND", "nouveau=1", "doc={id}"),
}
_PORTAL = {AccountKind.PROFESSIONAL: "/pro", AccountKind.OPERATOR: "/guichet"}
KINDS = dict.fromkeys(("doctor", "blocked", "stranger"), AccountKind.PROFESSIONAL) | {"desk": AccountKind.OPERATOR}


def of_portal(path: str, part: str) -> bool:
    """Whether a person of this part has business with a route: its own portal's, or what is common to all."""
    kind = KINDS.get(part, AccountKind.CITIZEN)
    owner = next((one for one, prefix in _PORTAL.items() if path == prefix or path.startswith(prefix + "/")), None)
    return owner is kind or (owner is None and kind is AccountKind.CITIZEN)


def addresses(portals: Portals, route: Route) -> Iterator[tuple[str, str]]:
    """Each address of a route that could show something, with the id that it names, if it names one."""
    for question in QUESTIONS.get(route.path, ("",)):
        asked = f"{route.path}?{question}" if question else route.path
        for section in SECTIONS if "{section}" in asked else ("",):
            address = filled(portals, asked, section)
            for id in _ids(portals, address) if "{id}" in asked else ("",):
                yield address.replace("{id}", id), id


def _ids(portals: Portals, address: str) -> Sequence[str]:
    """The ids that an address may name; one of nothing where no mark has one."""
    if address.startswith("/historique"):
        return portals.lines
    asked = address.replace("doc=", "documents/")
    return [one.id for one in portals.marks if one.kind and one.kind in asked] or [NOBODY]


def filled(portals: Portals, asked: str, section: str = "") -> str:
    """An address with everything in its place but ids."""
    named = {"patient": portals.patient, "token": portals.emergency, "section": section, "name": portals.joined}
    return re.sub(r"\{(\w+)(?::int)?\}", lambda part: part[0] if part[1] == "id" else str(named.get(part[1], 1)), asked)


def said(content: bytes) -> str:
    """The words of an answer, whatever the file."""
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "\n".join(said(archive.read(name)) for name in archive.namelist())
    if content.startswith(b"%PDF-"):
        return words_of(content)
    return content.decode("utf-8", "replace")


def met(portals: Portals, text: str) -> frozenset[str]:
    """The marks in a text."""
    found = text.casefold()
    return frozenset(one.word for one in portals.marks if one.word.casefold() in found)
