"""What would the rules decide? The desk tries them on made-up people, with the very functions that decide for real."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import RadioField, SelectField

from ambroise.interfaces.web import reasons
from ambroise.interfaces.web.desk.matrix import GROUPS, type_name
from ambroise.interfaces.web.ui.forms import Fields, Form, Ticks
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.trust.access.decide import Action, Target, judge
from ambroise.trust.access.facts import Eyes, Facts, SpaceState, Standing, Viewer
from ambroise.trust.access.kinds import kinds
from ambroise.trust.access.matrix import matrix
from ambroise.trust.access.rules import Verdict
from ambroise.trust.context import Purpose
from ambroise.trust.gateway import Flags, Label

_PATIENT, _OTHER = UUID(int=1), UUID(int=2)
_ME, _STRUCTURE = 1, 2
_STANDINGS = {
    "none": (Standing.NONE, False),
    "authorised": (Standing.AUTHORISED, False),
    "care_team": (Standing.AUTHORISED, True),
    "treating": (Standing.TREATING, False),
    "administrator": (Standing.ADMINISTRATOR, False),
    "blocked": (Standing.BLOCKED, False),
}
_FLAGS = {
    "masked": Flags.MASKED,
    "withheld": Flags.INVISIBLE_PATIENT,
    "representatives": Flags.INVISIBLE_REPRESENTATIVES,
}
_CITIZENS = ("patient", "representative", "carer", "mediator", "mediator_content")


class SimulationForm(Form):
    qui = SelectField(
        lazy(N_("Qui regarde")),
        choices=[
            *((code, lazy(name)) for code, name in GROUPS.items()),
            ("patient", lazy(N_("La personne elle-même"))),
            ("representative", lazy(N_("Son représentant légal"))),
            ("carer", lazy(N_("Son aidant"))),
            ("mediator", lazy(N_("Un médiateur, sans le contenu"))),
            ("mediator_content", lazy(N_("Un médiateur, avec le contenu"))),
        ],
        default="nurse",
        validate_choice=False,
    )
    lien = SelectField(
        lazy(N_("Ce que ce professionnel est pour elle")),
        choices=[
            ("none", lazy(N_("Personne : aucun accord"))),
            ("authorised", lazy(N_("Autorisé"))),
            ("care_team", lazy(N_("Membre de l’équipe de soins"))),
            ("treating", lazy(N_("Médecin traitant"))),
            ("administrator", lazy(N_("Médecin administrateur"))),
            ("blocked", lazy(N_("Bloqué"))),
        ],
        default="authorised",
        validate_choice=False,
    )
    mode = RadioField(
        lazy(N_("Mode d’accès")),
        choices=[
            (Purpose.NORMAL.value, lazy(N_("Normal"))),
            (Purpose.BREAK_GLASS.value, lazy(N_("Urgence (bris de glace), ouverte"))),
            (Purpose.CENTRE_15.value, lazy(N_("Centre 15, depuis une structure de régulation"))),
        ],
        default=Purpose.NORMAL.value,
        validate_choice=False,
    )
    type = SelectField(lazy(N_("Document")), default="11502-2", validate_choice=False)
    marques = Ticks(
        lazy(N_("Ce document")),
        choices=[
            ("masked", lazy(N_("est masqué"))),
            ("withheld", lazy(N_("attend une annonce à la personne"))),
            ("representatives", lazy(N_("est caché aux représentants"))),
            ("kept", lazy(N_("est caché à ce professionnel"))),
            ("mine", lazy(N_("est de ce professionnel"))),
        ],
        validate_choice=False,
    )
    choix = Ticks(
        lazy(N_("Ses choix")),
        choices=[
            ("etreat", lazy(N_("Le Samu peut lire"))),
            ("btg", lazy(N_("Un soignant peut lire en urgence"))),
            ("urgence", lazy(N_("Y compris ce qui est masqué"))),
        ],
        default=["etreat", "btg"],
        validate_choice=False,
    )
    espace = SelectField(
        lazy(N_("Son espace")),
        choices=[
            (SpaceState.OPEN_ACTIVE.value, lazy(N_("Ouvert"))),
            (SpaceState.SUSPENDED.value, lazy(N_("Suspendu"))),
            (SpaceState.CLOSED.value, lazy(N_("Fermé"))),
        ],
        default=SpaceState.OPEN_ACTIVE.value,
        validate_choice=False,
    )


def simulator_routes(screen: Screen) -> list[BaseRoute]:
    async def simulate(visit: Visit) -> Response:
        asked = visit.request.query_params
        sent = Fields({name: asked.getlist(name) for name in asked}) if "qui" in asked else None
        form: Any = SimulationForm(sent)
        form.type.choices = [(code, type_name(code)) for code in kinds().numbers]
        present = matrix(visit.now)
        verdict = verdict_of(form, visit) if sent is not None else None
        return await visit.render(
            "desk/simulator.html",
            form=form,
            verdict=verdict,
            said=_said(verdict) if verdict else "",
            version=present.version,
            place="matrice",
        )

    return [screen.route("/guichet/simulateur", simulate)]


def verdict_of(form: Any, visit: Visit) -> Verdict:
    """What the rules in force decide in this made-up case."""
    eyes, facts = _eyes(form, visit), _facts(form)
    marks = set(form.marques.data or ())
    flags = Flags(0)
    for name, flag in _FLAGS.items():
        if name in marks:
            flags |= flag
    label = Label(_PATIENT, kinds().numbers.get(form.type.data, 0), flags, _ME if "mine" in marks else 9)
    return judge(facts, eyes, Action.READ, Target("DocumentReference", label))


def _eyes(form: Any, visit: Visit) -> Eyes:
    who = form.qui.data
    if who in _CITIZENS:
        own = who == "patient"
        return Eyes(Viewer.CITIZEN, 3, space=_PATIENT, person=_PATIENT if own else _OTHER, own=own)
    role = next((one for one in matrix(visit.now).roles.values() if one.name == who), None)
    purpose = Purpose(form.mode.data) if form.mode.data in set(Purpose) else Purpose.NORMAL
    found = Eyes(Viewer.PROFESSIONAL, _ME, _STRUCTURE, purpose=purpose)
    return found if role is None else Eyes(Viewer.PROFESSIONAL, _ME, _STRUCTURE, role, purpose)


def _facts(form: Any) -> Facts:
    standing, in_team = _STANDINGS.get(form.lien.data, _STANDINGS["none"])
    chosen, marks, who = set(form.choix.data or ()), set(form.marques.data or ()), form.qui.data
    relation = {"mediator_content": "mediator"}.get(who, who)
    return Facts(
        state=SpaceState(form.espace.data) if form.espace.data in set(SpaceState) else None,
        standing=standing,
        in_care_team=in_team,
        relation=relation if relation in ("representative", "carer", "mediator") else None,
        limited=who == "mediator",
        emergency_open=True,
        etreat="etreat" in chosen,
        btg="btg" in chosen,
        emergency_masked="urgence" in chosen,
        kept_kinds=frozenset({kinds().numbers.get(form.type.data, 0)}) if "kept" in marks else frozenset(),
    )


def _said(verdict: Verdict) -> str:
    """The words by which the person would be told."""
    rule = verdict.rule.value
    found = reasons.because(rule) if verdict.allowed else reasons.refused_because(rule)
    return found or gettext("Cette règle n’est pas montrée à la personne.")
