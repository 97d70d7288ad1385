"""The desk sends an insurer's file, follows how far it was read, and reads what was refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

from starlette.datastructures import FormData
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute
from wtforms import DateField, FileField
from wtforms.validators import Optional

from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui.forms import Form, HasFile
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.security import content_headers
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit, with_query
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.space.api import population_format, populations

MOST_BYTES = 64 * 1024 * 1024
_LATEST = 20
_LINES = 1000
_WHY: Mapping[str, str] = {
    "INS_INVALID": N_("Matricule INS faux"),
    "NAME_INVALID": N_("Nom ou prénom illisible"),
    "BIRTH_DATE_INVALID": N_("Date de naissance fausse"),
    "SEX_INVALID": N_("Sexe inconnu"),
    "BIRTH_PLACE_INVALID": N_("Lieu de naissance faux"),
    "MAIL_INVALID": N_("Adresse électronique fausse"),
    "CONTACT_MISSING": N_("Ni courriel, ni adresse"),
    "COLUMN_COUNT": N_("Nombre de colonnes différent"),
    "DUPLICATE_LINE": N_("Personne déjà vue dans ce fichier"),
    "NOT_UTF_8": N_("Texte illisible (pas en UTF-8)"),
}


class PopulationForm(Form):
    fichier = FileField(
        lazy(N_("Fichier de l’assurance maladie")),
        [
            HasFile(
                N_("Choisissez un fichier"),
                N_("Ce fichier dépasse 64 Mo : envoyez-le par la ligne de commande."),
                MOST_BYTES,
            )
        ],
        description=lazy(N_("CSV en UTF-8, 64 Mo au plus.")),
        render_kw={"accept": ".csv,text/csv"},
    )
    envoi = DateField(
        lazy(N_("Jour d’envoi de l’information (facultatif)")),
        [Optional()],
        description=lazy(N_("Les six semaines se comptent de ce jour ; sans date, d’aujourd’hui.")),
    )


def population_routes(screen: Screen, lives: Lives) -> list[BaseRoute]:
    async def show(visit: Visit) -> Response:
        return await page(visit, PopulationForm())

    async def page(visit: Visit, form: Any, status: int = 200) -> Response:
        async with lives.database.reader() as reader:
            files = await populations.latest(reader, _LATEST)
            chosen = next((one for one in files if str(one.id) == visit.query.get("fichier")), None)
            reasons = await populations.refusals_by_code(reader, chosen.id) if chosen else []
        return await visit.render(
            "desk/populations.html",
            status,
            files=files,
            one=chosen,
            reasons=[(gettext(_WHY[code]), element, count) for code, element, count in reasons],
            columns=population_format(),
            form=form,
            problems=form.problems,
            running=any(one.finished_at is None for one in files),
            place="espaces",
        )

    async def receive(visit: Visit, sent: FormData) -> Response:
        form = PopulationForm.of(sent)
        if not form.validate():
            return await page(visit, form, 422)
        upload = form.fichier.data
        try:
            begun = await lives.populations.receive(
                visit.context(), upload.filename or "", upload.file, notified_on=form.envoi.data
            )
        except Refusal as refusal:
            form.refuse(refusal, "envoi" if refusal.code == "NOTICE_DATE" else "fichier")
            return await page(visit, form, 422)
        return visit.go(with_query("/guichet/espaces/fichiers", fichier=str(begun.id)), Toast("desk-population"))

    async def report(visit: Visit) -> Response:
        id = visit.id()
        async with lives.database.reader() as reader:
            if await populations.population(reader, id) is None:
                raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "No such file.")
        headers = {
            **content_headers(secure=visit.request.url.scheme == "https"),
            "content-disposition": 'attachment; filename="lignes-refusees.csv"',
            "cache-control": "no-store",
        }
        return StreamingResponse(_lines(lives, id), headers=headers, media_type="text/csv")

    return [
        screen.route("/guichet/espaces/fichiers", show, receive, most=MOST_BYTES + 100_000),
        screen.route("/guichet/espaces/fichiers/{id}/refus.csv", report),
    ]


async def _lines(lives: Lives, id: UUID) -> AsyncIterator[str]:
    yield "ligne;code;colonne\n"
    after = 0
    while True:
        async with lives.database.reader() as reader:
            found = await populations.refusals(reader, id, _LINES, after)
        if not found:
            return
        yield "".join(f"{one.line};{one.code};{one.element}\n" for one in found)
        after = found[-1].line
