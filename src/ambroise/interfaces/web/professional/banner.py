"""The identity line on top of every page about a patient."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from uuid import UUID

from msgspec import Struct

from ambroise.interfaces.web.identities.words import attribute
from ambroise.interfaces.web.professional.views import PatientIdentity, Standing
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.interfaces.web.ui.visit import Visit

_STATUS = {
    "QUAL": ("done", "check", N_("Identité qualifiée")),
    "VALI": ("due", "clock", N_("Identité validée")),
    "RECUP": ("due", "clock", N_("Identité récupérée")),
    "PROV": ("late", "triangle-alert", N_("Identité provisoire")),
}


class Banner(Struct, frozen=True):
    """The identity line, in words."""

    patient: UUID
    birth_name: str
    first_name: str
    about: str
    born_word: str
    birth_date: date | None
    birth_place: str | None
    ins: str | None
    treating: str | None
    alerts: list[tuple[str, str, str]]


def banner_of(
    identity: PatientIdentity, standing: Standing, visit: Visit, allergies: Sequence[tuple[str, str, str]] = ()
) -> Banner:
    """The identity line: NAME First, age, birth, INS, status, allergies; without access, identity alone."""
    sex = {"female": gettext("femme"), "male": gettext("homme")}.get(identity.sex, "")
    years = dates.age(identity.birth_date, dates.as_day(visit.now)) if identity.birth_date else ""
    state, picture, status = _STATUS[identity.status]
    alerts = [(state, picture, gettext(status))]
    alerts += [(one[0], "triangle-alert", one[1]) for one in map(attribute, identity.attributes)]
    if standing.allowed:
        alerts += allergies
    else:
        alerts.append(("off", "x", gettext("Accès refusé")))
    return Banner(
        patient=identity.patient,
        birth_name=identity.birth_name.upper(),
        first_name=identity.first_name,
        about=", ".join(part for part in (years, sex) if part),
        born_word={"female": gettext("Née le"), "male": gettext("Né le")}.get(identity.sex, gettext("Né(e) le")),
        birth_date=identity.birth_date,
        birth_place=identity.birth_place,
        ins=_spaced(identity.ins),
        treating=(gettext("vous") if standing.treats else standing.treating) if standing.allowed else None,
        alerts=alerts,
    )


def _spaced(ins: str | None) -> str | None:
    """« 2 83 09 37 261 998 21 »: the groups in which people read a matricule."""
    if not ins or len(ins) < 13:
        return ins
    cuts = (0, 1, 3, 5, 7, 10, 13, 15)
    return "\u00a0".join(part for part in (ins[a:b] for a, b in pairwise(cuts)) if part)
