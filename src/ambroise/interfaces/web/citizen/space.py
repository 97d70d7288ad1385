"""The citizen's space itself: its state and what comes next, objecting, activating, closing, reopening."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import BooleanField, RadioField

from ambroise.interfaces.web.entrance.objection import objection_proof
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.space.api import TERMS, Delay, Life, Reason, Step, delays, deletion_limit
from ambroise.trust.access.facts import SpaceState

STATES: Mapping[SpaceState, tuple[str, str, str]] = {
    SpaceState.ELIGIBLE: ("off", "circle", N_("Pas encore annoncé")),
    SpaceState.NOTIFIED: ("due", "clock", N_("Va s’ouvrir")),
    SpaceState.OPPOSED: ("off", "ban", N_("Opposition enregistrée")),
    SpaceState.OPEN_INACTIVE: ("due", "circle", N_("Ouvert, pas encore activé")),
    SpaceState.OPEN_ACTIVE: ("done", "check", N_("Ouvert et activé")),
    SpaceState.CLOSED: ("off", "lock", N_("Fermé")),
    SpaceState.SUSPENDED: ("mask", "triangle-alert", N_("Suspendu")),
    SpaceState.DELETING: ("mask", "trash-2", N_("Suppression demandée")),
    SpaceState.PURGED: ("off", "trash-2", N_("Supprimé")),
    SpaceState.DECEASED: ("off", "circle", N_("Personne décédée")),
}
"""How each state is shown: look, icon, words."""

REASONS: Mapping[Reason, str] = {
    Reason.NO_USE: N_("Je ne m’en sers pas"),
    Reason.CONFIDENTIALITY: N_("Je crains pour la confidentialité de mes données"),
    Reason.UNWANTED: N_("Je ne l’ai pas voulu"),
    Reason.OTHER: N_("Une autre raison"),
}
_TOLD = {
    Step.OBJECT: "space-objected",
    Step.ACTIVATE: "space-activated",
    Step.REOPEN: "space-reopened",
    Step.REQUEST_DELETION: "space-deleting",
    Step.CANCEL_DELETION: "space-kept",
    Step.CONTEST: "space-contested",
}


class Moment(Struct, frozen=True):
    """One thing in the end of a space: what, when, and whether it is done, under way, or to come."""

    words: str
    at: datetime | None
    place: Literal["done", "now", "next"]


def ending(life: Life) -> list[Moment]:
    """What follows a closing, in order: the archive, a deletion that was asked for, the destruction (R. 1111-36)."""
    if life.closed_at is None or life.state not in (SpaceState.CLOSED, SpaceState.DELETING, SpaceState.PURGED):
        return []
    told = [Moment(gettext("Espace fermé : plus aucun professionnel n’y dépose ni n’y lit"), life.closed_at, "done")]
    if life.deletion_requested_at is not None:
        told.append(Moment(gettext("Suppression demandée"), life.deletion_requested_at, "done"))
    if life.state is SpaceState.PURGED:
        return [
            *told,
            Moment(gettext("Données détruites, avec la clé qui permettait de les lire"), life.purged_at, "done"),
        ]
    if life.state is SpaceState.CLOSED:
        told.append(
            Moment(
                gettext("Archive : vous seul pouvez la rouvrir, l’emporter ou la faire supprimer, jusqu’au"),
                life.due_at,
                "now",
            )
        )
    else:
        told.append(Moment(gettext("Vous pouvez changer d’avis, ou emporter une copie, jusqu’au"), life.due_at, "now"))
    told.append(
        Moment(
            gettext("Données détruites, avec la clé qui permet de les lire : sauvegardes comprises"),
            life.due_at,
            "next",
        )
    )
    return told


class ActivateForm(Form):
    conditions = BooleanField(
        lazy(N_("J’accepte les conditions d’utilisation")), [Required(N_("Acceptez les conditions pour activer"))]
    )


class CloseForm(Form):
    raison = RadioField(
        lazy(N_("Pourquoi fermer mon espace ?")),
        [Required(N_("Choisissez une raison"))],
        choices=[(reason.value, lazy(words)) for reason, words in REASONS.items()],
        validate_choice=False,
    )
    donnees = RadioField(
        lazy(N_("Que deviennent mes données ?")),
        choices=[
            ("garder", lazy(N_("Les archiver dix ans : je pourrai rouvrir mon espace"))),
            ("supprimer", lazy(N_("Les supprimer définitivement"))),
        ],
        default="garder",
    )


def _delay(state: SpaceState) -> Delay:
    return delays()[state]


def space_routes(screen: Screen, lives: Lives) -> list[BaseRoute]:
    spaces = lives.spaces
    acts = {
        "opposer": (Step.OBJECT, spaces.object),
        "rouvrir": (Step.REOPEN, spaces.reopen),
        "supprimer": (Step.REQUEST_DELETION, spaces.request_deletion),
        "garder": (Step.CANCEL_DELETION, spaces.cancel_deletion),
        "contester": (Step.CONTEST, spaces.contest),
    }

    async def present(visit: Visit) -> Life:
        ctx = visit.context()
        async with lives.database.reader() as reader:
            return await spaces.life(reader, ctx, ctx.space or visit.who.id)

    async def show(visit: Visit) -> Response:
        return await page(visit, ActivateForm())

    async def page(visit: Visit, form: ActivateForm, status: int = 200) -> Response:
        life = await present(visit)
        look, picture, words = STATES[life.state]
        return await visit.render(
            "citizen/space.html",
            status,
            life=life,
            look=look,
            picture=picture,
            words=gettext(words),
            may={step.value for step in Step if life.may(step)}
            if visit.who.relation in (None, "representative")
            else set[str](),
            ending=ending(life),
            limit=deletion_limit().after(life.deletion_requested_at) if life.deletion_requested_at else None,
            deleted_on=_delay(SpaceState.DELETING).after(visit.now),
            form=form,
            problems=form.problems,
            reason=gettext(REASONS[Reason(life.close_reason)]) if life.close_reason in list(REASONS) else None,
            place="espace",
        )

    async def change(visit: Visit, sent: FormData) -> Response:
        gesture, ctx = str(sent.get("geste")), visit.context()
        life = await present(visit)
        if gesture == "activer":
            form = ActivateForm.of(sent)
            if not form.conditions.data:
                form.conditions.errors = [gettext("Acceptez les conditions pour activer")]
                return await page(visit, form, 422)
            async with lives.database.transaction() as tx:
                await spaces.activate(tx, ctx, life.patient, terms=TERMS)
            return visit.go("/espace", Toast("space-activated"))
        if gesture not in acts:
            raise Refusal(Kind.INVALID, "NO_SUCH_GESTURE", "Choose what to do with this space.")
        step, act = acts[gesture]
        async with lives.database.transaction() as tx:
            await act(tx, ctx, life.patient)
        return visit.go("/espace", Toast(_TOLD[step]))

    async def ask_close(visit: Visit) -> Response:
        life = await present(visit)
        if not life.may(Step.CLOSE):
            return visit.go("/espace")
        return await closing(visit, CloseForm())

    async def closing(visit: Visit, form: CloseForm, status: int = 200) -> Response:
        return await visit.render(
            "citizen/close_space.html",
            status,
            form=form,
            problems=form.problems,
            archived_until=_delay(SpaceState.CLOSED).after(visit.now),
            deleted_on=_delay(SpaceState.DELETING).after(visit.now),
            limit=deletion_limit().after(visit.now),
            place="espace",
        )

    async def close(visit: Visit, sent: FormData) -> Response:
        form = CloseForm.of(sent)
        if not form.validate() or form.raison.data not in [one.value for one in REASONS]:
            return await closing(visit, form, 422)
        life = await present(visit)
        async with lives.database.transaction() as tx:
            await spaces.close(
                tx, visit.context(), life.patient, Reason(form.raison.data), delete=form.donnees.data == "supprimer"
            )
        return visit.go("/espace", Toast("space-closed"))

    async def proof(visit: Visit) -> Response:
        return await objection_proof(visit, lives, await present(visit))

    return [
        screen.route("/espace", show, change, proof=Act.SPACE),
        screen.route("/espace/fermer", ask_close, close, proof=Act.SPACE),
        screen.route("/espace/opposition.pdf", proof),
    ]
