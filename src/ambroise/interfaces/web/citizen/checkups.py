"""Preparing a prevention check-up: questions, none mandatory; a draft of one's own, then shared with professionals."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from uuid import UUID

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import prevention as said
from ambroise.interfaces.web.citizen.filing import metadata
from ambroise.interfaces.web.citizen.record.base import citizen_of
from ambroise.interfaces.web.citizen.views import NewDocument
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.ui.paper import paper
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit, with_query
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.prevention.api import BANDS, Checkups, checkup_questions, kept_answers
from ambroise.modules.record.api import Category, Incoming, Submission, tables

_QUESTIONNAIRE = "74465-6"
_TOLD = {"partager": "checkup-shared", "reprendre": "checkup-taken-back", "ranger": "checkup-filed"}


def checkup_routes(screen: Screen, lives: Lives) -> list[BaseRoute]:
    checkups = Checkups(lives.prevention)

    async def show(visit: Visit) -> Response:
        band = _band(visit)
        async with lives.database.reader() as reader:
            found = await checkups.filled(reader, visit.context(), _space(visit))
        present = [one for one in found if one.band == band]
        filled = next((one for one in present if not one.shared), next(iter(present), None))
        answers: Mapping[str, str] = filled.answers if filled else {}
        return await visit.render(
            "citizen/checkup.html",
            band=band,
            groups=[(text, list(them)) for text, them in groupby(checkup_questions(band, answers), _group)],
            answers=answers,
            shared=next((one for one in present if one.shared), None),
            place="agenda",
            **said.vocabulary(),
        )

    async def answer(visit: Visit, sent: FormData) -> Response:
        ctx, band, patient, gesture = visit.context(), _band(visit), _space(visit), sent.get("geste")
        answers = kept_answers(band, {name: str(value) for name, value in sent.items()})
        async with lives.database.transaction() as tx:
            if gesture == "partager":
                await checkups.share(tx, ctx, patient, band, answers)
            elif gesture == "ranger":
                await checkups.save(tx, ctx, patient, band, answers)
                await lives.record.submit(tx, ctx, await _copy(visit, band, answers))
            elif gesture == "reprendre":
                await checkups.take_back(tx, ctx, patient, band)
            else:
                await checkups.save(tx, ctx, patient, band, answers)
        told = _TOLD.get(str(gesture), "checkup-saved")
        return visit.go(with_query("/agenda/bilan", tranche=band), Toast(told))

    return [screen.route("/agenda/bilan", show, answer)]


async def _copy(visit: Visit, band: str, answers: Mapping[str, str]) -> Submission:
    """The answers on paper, to file among one's documents: a patient's questionnaire, which the rules show as such."""
    title = gettext("Questionnaire avant mon bilan prévention")
    name = citizen_of(visit.context()).name
    content = await paper(
        visit, "citizen/checkup_paper.html", title=title, answers=said.answers_of(band, answers), now=visit.now
    )
    day = dates.as_day(visit.now)
    new = NewDocument(content, "application/pdf", title, Category.OTHER.value, day, masked=False)
    entry = tables.type_code(_QUESTIONNAIRE)
    type = {"coding": [{"system": f"urn:oid:{entry.system}" if entry else "", "code": _QUESTIONNAIRE}]}
    described = {**metadata(_space(visit), name, new, "application/pdf"), "type": type}
    return Submission((Incoming(content, None, described),))


def _band(visit: Visit) -> str:
    band = visit.query.get("tranche", "")
    if band not in BANDS:
        raise Refusal(Kind.NOT_FOUND, "CHECKUP_UNKNOWN", "There is no such check-up.")
    return band


def _space(visit: Visit) -> UUID:
    space = visit.context().space
    if space is None:
        raise Refusal(Kind.FORBIDDEN, "NOT_A_CITIZEN", "These pages are for citizens.")
    return space


def _group(question: Any) -> str:
    return said.words_of(question.group)
