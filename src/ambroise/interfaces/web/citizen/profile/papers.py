"""Papers made of the profile: its summary (synthèse) and its vaccinations as PDF, advance directives by form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import RadioField, TextAreaField

from ambroise.interfaces.web import profiles
from ambroise.interfaces.web.citizen.filing import metadata
from ambroise.interfaces.web.citizen.profile.spaces import space_of
from ambroise.interfaces.web.citizen.views import NewDocument
from ambroise.interfaces.web.files import fileable
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.forms import Form, Required, Ticks
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.paper import paper
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import identity_of
from ambroise.modules.profile.api import EXPECTED, Profile, Section
from ambroise.modules.record.api import Document, Incoming, Record, Submission
from ambroise.trust.context import Context

_SELECTABLE = (*EXPECTED, Section.DONATION)
_DIRECTIVES, _SUMMARY = "DIR_ANT", "SYNTH_PML"


class SummaryForm(Form):
    rubriques = Ticks(
        lazy(N_("Rubriques à y mettre")),
        [Required(N_("Choisissez au moins une rubrique"))],
        choices=[(one.value, lazy(profiles.FACES[one].title)) for one in _SELECTABLE],
    )


_LONG = {"rows": "4", "maxlength": "5000"}


class _Field(Struct, frozen=True):
    name: str
    words: str
    help: str = ""


# The two models of the ministry: when one is in good health, and when one is ill or near the end of life.
_GOOD = (
    _Field("contexte", N_("Ce que vous voulez dire de votre situation"), N_("Vos valeurs, vos craintes…")),
    _Field("maintien", N_("Sur le maintien artificiel de la vie"), N_("Par exemple : un respirateur.")),
    _Field("actes", N_("Sur les actes et les traitements"), N_("Ce que vous acceptez, ce que vous refusez.")),
    _Field("sedation", N_("Sur la sédation profonde"), N_("Si ce qui vous maintient en vie était arrêté.")),
)
_END = (
    _Field("reanimation", N_("En cas d’arrêt du cœur, la réanimation")),
    _Field("branchement", N_("Le branchement à un appareil : respirateur, dialyse…")),
    _Field("chirurgie", N_("Une intervention chirurgicale")),
    _Field("autres", N_("D’autres actes")),
    _Field("entrepris", N_("Si des actes ont déjà été entrepris")),
    _Field("arretes", N_("Les actes que je veux voir arrêtés")),
)
MODELS: Mapping[str, tuple[str, tuple[_Field, ...]]] = {
    "bonne-sante": (N_("Je suis en bonne santé"), _GOOD),
    "fin-de-vie": (N_("Je suis malade, ou proche de la fin de ma vie"), (*_GOOD, *_END)),
}


def _form(fields: tuple[_Field, ...]) -> type[Form]:
    made: dict[str, Any] = {
        one.name: TextAreaField(
            lazy(one.words),
            description=lazy(one.help) if one.help else "",
            render_kw={"rows": "4", "maxlength": "5000"},
        )
        for one in fields
    }
    made["visible"] = RadioField(
        lazy(N_("Qui peut les voir ?")),
        choices=[
            ("soignants", lazy(N_("Moi et mes soignants autorisés"))),
            ("moi", lazy(N_("Moi seul : masqué aux professionnels"))),
        ],
        default="soignants",
    )
    return type("DirectivesForm", (Form,), made)


_FORMS = {model: _form(fields) for model, (_, fields) in MODELS.items()}


def paper_routes(screen: Screen, profile: Profile, record: Record) -> list[BaseRoute]:
    """The summary and the directives."""

    async def asking(visit: Visit) -> Response:
        form = SummaryForm(rubriques=[one.value for one in _SELECTABLE])
        return await visit.render("citizen/profile_summary.html", form=form, problems=[], place="profil")

    async def printed(visit: Visit, sent: FormData) -> Response:
        form = SummaryForm.of(sent)
        if not form.validate():
            return await visit.render(
                "citizen/profile_summary.html", 422, form=form, problems=form.problems, place="profil"
            )
        ctx = visit.context()
        sections = [one for one in _SELECTABLE if one.value in form.rubriques.data]
        sheet = await profile.sheet(ctx, space_of(ctx), sections)
        content = await paper(
            visit,
            "citizen/profile_paper.html",
            parts=[sheet[one].for_others for one in sections],
            profiles=profiles,
            person=await _person(profile, ctx),
            now=visit.now,
        )
        if sent.get("geste") != "ranger":
            headers = {"content-disposition": 'attachment; filename="synthese.pdf"', "cache-control": "no-store"}
            return Response(content, media_type="application/pdf", headers=headers)
        title = gettext("Synthèse de mon profil médical")
        async with profile.database.transaction() as tx:
            id = await _file(tx, visit, record, content, title, _SUMMARY, masked=False)
        return visit.go(f"/documents/{id}", Toast("added"))

    async def vaccinations(visit: Visit) -> Response:
        ctx = visit.context()
        part = (await profile.sheet(ctx, space_of(ctx), (Section.VACCINATIONS,)))[Section.VACCINATIONS]
        # The oldest first, as in a booklet.
        lines = [one for one in reversed(part.for_others.items) if not one.denied]
        content = await paper(
            visit,
            "citizen/vaccination_paper.html",
            lines=lines,
            confirmed=profiles.confirmed,
            profiles=profiles,
            person=await _person(profile, ctx),
            now=visit.now,
        )
        headers = {"content-disposition": 'attachment; filename="vaccinations.pdf"', "cache-control": "no-store"}
        return Response(content, media_type="application/pdf", headers=headers)

    async def directives(visit: Visit) -> Response:
        ctx = visit.context()
        async with profile.database.reader() as reader:
            present = await profile.documents(reader, ctx, space_of(ctx), "EXPPAT_3")
        return await visit.render(
            "citizen/profile_wishes.html",
            present=present,
            models=MODELS,
            place="profil",
            model=None,
            form=None,
            problems=[],
        )

    async def writing(visit: Visit) -> Response:
        return await _ask(visit, _FORMS[_model(visit)].drafted(await visit.draft()))

    async def write(visit: Visit, sent: FormData) -> Response:
        model = _model(visit)
        form = _FORMS[model].of(sent)
        said = [(gettext(one.words), str(form[one.name].data or "").strip()) for one in MODELS[model][1]]
        if not any(words for _, words in said):
            form.general.append(gettext("Écrivez au moins une réponse"))
            return await _ask(visit, form, 422)
        ctx = visit.context()
        content = await paper(
            visit, "citizen/directives_paper.html", said=said, person=await _person(profile, ctx), now=visit.now
        )
        async with profile.database.transaction() as tx:
            former = await profile.documents(tx, ctx, space_of(ctx), "EXPPAT_3")
            masked = form["visible"].data == "moi"
            title = gettext("Mes directives anticipées")
            id = await _file(tx, visit, record, content, title, _DIRECTIVES, masked=masked)
            # One at a time: the former ones are not kept.
            await _withdraw(tx, ctx, record, former)
        return visit.go(f"/documents/{id}", Toast("added"))

    async def _ask(visit: Visit, form: Any, status: int = 200) -> Response:
        return await visit.render(
            "citizen/profile_wishes.html",
            status,
            form=form,
            problems=form.problems,
            model=MODELS[_model(visit)],
            models=MODELS,
            present=(),
            place="profil",
        )

    return [
        screen.route("/profil/synthese", asking, printed),
        screen.route("/profil/vaccinations/certificat.pdf", vaccinations),
        screen.route("/profil/directives", directives),
        screen.route("/profil/directives/{model}", writing, write),
    ]


async def _withdraw(tx: Transaction, ctx: Context, record: Record, former: list[Document]) -> None:
    for one in former:
        if one.by_patient:
            await record.withdraw(tx, ctx, one.id)


async def _file(
    tx: Transaction, visit: Visit, record: Record, content: bytes, title: str, category: str, *, masked: bool
) -> str:
    ctx = visit.context()
    ready = await fileable(content)
    new = NewDocument(ready, "application/pdf", title, category, dates.as_day(visit.now), masked=masked)
    described = metadata(space_of(ctx), ctx.actor.name, new, "application/pdf")
    filed = await record.submit(tx, ctx, Submission((Incoming(ready, None, described),)))
    return str(filed.documents[0].document)


async def _person(profile: Profile, ctx: Context) -> Mapping[str, Any]:
    async with profile.database.reader() as reader:
        known = await identity_of(reader, space_of(ctx))
    if known is None:
        raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PATIENT", "No such person.")
    return {"name": proper(known.display_name), "birth_date": known.traits.birth_date}


def _model(visit: Visit) -> str:
    name = visit.parameter("model")
    if name not in MODELS:
        raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "No such model.")
    return name
