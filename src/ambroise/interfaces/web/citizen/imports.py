"""Bringing one's data from elsewhere: a file, what it offers, taking it, undoing it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import FileField

from ambroise.interfaces.web.categories import category
from ambroise.interfaces.web.copies.filer import SORTS
from ambroise.interfaces.web.ui.forms import Form, HasFile
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.portability.api import Imports, ImportState, Problem

_MOST = 20 * 1024 * 1024
_STATES: Mapping[ImportState, tuple[str, str, str]] = {
    ImportState.PROPOSED: ("due", "clock", N_("Attend votre décision")),
    ImportState.TAKING: ("due", "clock", N_("En cours")),
    ImportState.DONE: ("done", "check", N_("Repris")),
    ImportState.UNDONE: ("off", "undo-2", N_("Annulé")),
}
_PROBLEMS: Mapping[Problem, str] = {
    Problem.TYPE: N_("ce genre d’information ne se reprend pas"),
    Problem.INVALID: N_("mal écrit : nous ne saurions pas le relire"),
    Problem.FORMAT: N_("ce format de fichier n’est pas accepté"),
    Problem.MISSING: N_("le fichier n’est pas dans la copie"),
    Problem.ALTERED: N_("le fichier a changé depuis la copie"),
}
_SORTS_OF_FACTS = {
    "AllergyIntolerance": N_("Allergie"),
    "Condition": N_("Problème de santé"),
    "DeviceUseStatement": N_("Dispositif"),
    "FamilyMemberHistory": N_("Antécédent familial"),
    "Immunization": N_("Vaccin"),
    "MedicationRequest": N_("Traitement prescrit"),
    "MedicationStatement": N_("Traitement"),
    "Observation": N_("Résultat ou mesure"),
    "Procedure": N_("Acte"),
}


class BringForm(Form):
    fichier = FileField(
        lazy(N_("Fichier")),
        [
            HasFile(
                N_("Choisissez un fichier"), N_("Ce fichier dépasse 20 Mo. Choisissez un fichier plus petit."), _MOST
            )
        ],
        description=lazy(
            N_("Un résumé médical d’un autre pays (IPS, .json ou .xml), ou la copie d’un autre espace Ambroise (.zip).")
        ),
        render_kw={"accept": ".json,.xml,.zip"},
    )


def import_routes(screen: Screen, imports: Imports) -> list[BaseRoute]:
    async def ask(visit: Visit) -> Response:
        return await page(visit, BringForm())

    async def page(visit: Visit, form: BringForm, status: int = 200) -> Response:
        async with imports.database.reader() as reader:
            before = await imports.mine(reader, visit.context(), _space(visit))
        return await visit.render(
            "citizen/bring.html",
            status,
            form=form,
            problems=form.problems,
            before=before,
            states={state: (look, picture, gettext(words)) for state, (look, picture, words) in _STATES.items()},
            sorts={sort: gettext(words) for sort, words in SORTS.items()},
            place="copies",
        )

    async def bring(visit: Visit, sent: FormData) -> Response:
        form = BringForm.of(sent)
        if not form.validate():
            return await page(visit, form, 422)
        content = await form.fichier.data.read()
        try:
            made = await imports.propose(visit.context(), _space(visit), content, language=visit.language)
        except Refusal as refusal:
            form.refuse(refusal, "fichier")
            return await page(visit, form, 422)
        return visit.go(f"/mes-donnees/reprendre/{made.id}")

    async def show(visit: Visit) -> Response:
        one, brought = await imports.shown(visit.context(), _space(visit), visit.id())
        look, picture, words = _STATES.get(one.state, ("off", "x", N_("Abandonné")))
        return await visit.render(
            "citizen/brought.html",
            one=one,
            brought=brought,
            state=(look, picture, gettext(words)),
            sort=gettext(SORTS[one.sort]),
            category=category,
            reasons={problem: gettext(said) for problem, said in _PROBLEMS.items()},
            facts={type: gettext(said) for type, said in _SORTS_OF_FACTS.items()},
            place="copies",
        )

    async def decide(visit: Visit, sent: FormData) -> Response:
        ctx, space, id = visit.context(), _space(visit), visit.id()
        match str(sent.get("geste")):
            case "reprendre":
                await imports.take(ctx, space, id)
                return visit.go(f"/mes-donnees/reprendre/{id}", Toast("import-taken"))
            case "abandonner":
                await imports.drop(ctx, space, id)
                return visit.go("/mes-donnees/reprendre", Toast("import-dropped"))
            case "annuler":
                await imports.undo(ctx, space, id)
                return visit.go("/mes-donnees/reprendre", Toast("import-undone"))
            case _:
                raise Refusal(Kind.INVALID, "NO_SUCH_GESTURE", "Choose what to do with this file.")

    return [
        screen.route("/mes-donnees/reprendre", ask, bring, most=_MOST + 100_000),
        screen.route("/mes-donnees/reprendre/{id}", show, decide),
    ]


def _space(visit: Visit) -> UUID:
    space = visit.context().space
    if space is None:
        raise Refusal(Kind.FORBIDDEN, "NOT_A_CITIZEN", "These pages are for citizens.")
    return space
