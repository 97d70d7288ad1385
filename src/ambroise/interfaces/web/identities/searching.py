"""Finding a professional in the national directory, for citizens and for professionals."""

from __future__ import annotations

from msgspec import Struct
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.db import Database
from ambroise.modules.directory import api as directory
from ambroise.modules.directory.api import Criteria, Found
from ambroise.modules.identity.api import AccountKind

_SHOWN = 50
# The professions of TRE_G15 that people look for, and the specialties of TRE_R38 that they ask for by name.
PROFESSIONS = (
    ("10", N_("Médecin")),
    ("60", N_("Infirmier")),
    ("21", N_("Pharmacien")),
    ("70", N_("Masseur-kinésithérapeute")),
    ("40", N_("Chirurgien-dentiste")),
    ("50", N_("Sage-femme")),
    ("91", N_("Orthophoniste")),
    ("92", N_("Orthoptiste")),
    ("80", N_("Pédicure-podologue")),
    ("93", N_("Psychologue")),
    ("94", N_("Ergothérapeute")),
    ("95", N_("Diététicien")),
)
SPECIALTIES = (
    ("SM54", N_("Médecine générale")),
    ("SM04", N_("Cardiologie")),
    ("SM15", N_("Dermatologie")),
    ("SM24", N_("Gastro-entérologie")),
    ("SM20", N_("Gynécologie-obstétrique")),
    ("SM32", N_("Neurologie")),
    ("SM38", N_("Ophtalmologie")),
    ("SM39", N_("ORL")),
    ("SM40", N_("Pédiatrie")),
    ("SM41", N_("Pneumologie")),
    ("SM42", N_("Psychiatrie")),
    ("SM48", N_("Rhumatologie")),
)


def searching_routes(site: Site, database: Database) -> list[BaseRoute]:
    """The same page in the two portals."""

    def page(shell: str, address: str) -> BaseRoute:
        kind = AccountKind.CITIZEN if shell == "ui/citizen.html" else AccountKind.PROFESSIONAL

        async def search(visit: Visit) -> Response:
            wanted = _wanted(visit)
            found: list[Found] = []
            if not wanted.empty:
                async with database.reader() as reader:
                    found = await directory.find(reader, wanted, limit=_SHOWN)
            return await visit.render(
                "identities/directory.html",
                shell=shell,
                address=address,
                wanted=wanted,
                typed=visit.query.get("nom", ""),
                found=[line_of(one) for one in found],
                asked=not wanted.empty,
                full=len(found) == _SHOWN,
                professions=[(code, gettext(name)) for code, name in PROFESSIONS],
                specialties=[(code, gettext(name)) for code, name in SPECIALTIES],
                keeps=kind is AccountKind.CITIZEN,
                place="annuaire",
            )

        return Screen(site, kind).route(address, search)

    return [page("ui/citizen.html", "/annuaire-sante"), page("ui/professional.html", "/pro/annuaire")]


def _wanted(visit: Visit) -> Criteria:
    name = visit.query.get("nom", "")[:100]
    number = "".join(name.split())
    professions, specialties = dict(PROFESSIONS), dict(SPECIALTIES)
    profession, specialty = visit.query.get("profession", ""), visit.query.get("specialite", "")
    return Criteria(
        name="" if directory.rpps_valid(number) else name,
        town=visit.query.get("ville", "")[:100],
        profession=profession if profession in professions else None,
        specialty=specialty if specialty in specialties else None,
        rpps=number if directory.rpps_valid(number) else None,
    )


class Line(Struct, frozen=True):
    """One professional of the directory, in words."""

    rpps: str
    name: str
    about: str
    structure: str
    street: str
    phone: str


def line_of(one: Found) -> Line:
    """What people read of a professional: name, profession, structure, address, telephone."""
    place = one.structure
    address = " ".join(part for part in (place.address_line, place.postal_code, place.city) if part) if place else ""
    return Line(
        one.entry.rpps,
        proper(one.entry.name),
        one.entry.label or gettext(dict(PROFESSIONS).get(one.entry.profession, N_("Professionnel de santé"))),
        place.name if place else "",
        address,
        (place.phone if place else None) or one.entry.phone or "",
    )
