"""The identity of a patient and its datamatrix: shown to the person and to professionals, and read by the latter."""

from __future__ import annotations

import asyncio
from uuid import UUID

from markupsafe import Markup
from msgspec import Struct
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import FileField, TextAreaField

from ambroise.interfaces.web.identities import words
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.ui.forms import Form
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import (
    AccountKind,
    PatientIdentity,
    Scanned,
    datamatrix_of,
    identity_of,
    read_datamatrix,
)
from ambroise.trust.gateway import Gateway

# A picture of 8 MB, and the rest of the form.
_MOST = 8 * 1024 * 1024 + 64 * 1024


class ReadForm(Form):
    image = FileField(
        lazy(N_("Photo ou image du datamatrix")),
        description=lazy(N_("PNG ou JPEG. L’image n’est pas gardée.")),
        render_kw={"accept": "image/png,image/jpeg", "capture": "environment"},
    )
    symbole = TextAreaField(
        lazy(N_("Ou le contenu lu par une douchette")),
        render_kw={"rows": "2", "maxlength": "400", "autocomplete": "off"},
    )


class Shown(Struct, frozen=True):
    """An identity in words for a page, with its symbol when it is qualified."""

    patient: UUID
    name: str
    ins: str | None
    status: tuple[str, str, str, str]
    attributes: list[tuple[str, str, str]]
    rows: list[tuple[str, str]]
    symbol: Markup | None


def shown(known: PatientIdentity) -> Shown:
    """What a page says of an identity."""
    traits, usable = known.traits, known.trust.usable_ins
    content = datamatrix_of(known)
    rows = [
        (gettext("Nom de naissance"), (traits.birth_name or "").upper()),
        (gettext("Prénoms"), proper(traits.given_names or traits.first_given or "")),
        (gettext("Nom utilisé"), proper(known.used_name or "")),
        (gettext("Sexe"), {"M": gettext("masculin"), "F": gettext("féminin")}.get(traits.sex or "", "")),
        (gettext("Date de naissance"), traits.birth_date.strftime("%d/%m/%Y") if traits.birth_date else ""),
        (gettext("Lieu de naissance (code)"), traits.birth_place or ""),
        (gettext("Matricule INS"), usable.matricule if usable else ""),
    ]
    return Shown(
        known.patient,
        proper(known.display_name),
        usable.matricule if usable else None,
        words.status(known.status.value),
        [words.attribute(one.value) for one in sorted(known.attributes)],
        [(name, value) for name, value in rows if value],
        _drawn(content) if content else None,
    )


def _drawn(content: str) -> Markup:
    # The picture libraries are opened at the first symbol that needs them.
    from ambroise.modules.identity.datamatrix.symbol import svg

    return Markup(svg(content))  # noqa: S704 - drawn by us from a path of digits and letters.


def symbol_routes(site: Site, database: Database, gateway: Gateway) -> list[BaseRoute]:
    """The pages of the person and of professionals."""
    person, professional = Screen(site, AccountKind.CITIZEN), Screen(site, AccountKind.PROFESSIONAL)

    async def _read(visit: Visit, patient: UUID) -> PatientIdentity:
        ctx = visit.context()
        async with database.reader() as reader:
            # The door traces that this identity was looked at, and refuses when the space must not even be known.
            await gateway.read(reader, ctx, "Patient", str(patient))
            known = await identity_of(reader, patient)
        if known is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PATIENT", "No such patient.")
        return known

    async def own(visit: Visit) -> Response:
        patient = visit.context().space
        if patient is None:
            raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "No such page.")
        return await visit.render("identities/own.html", one=shown(await _read(visit, patient)), place="identite")

    async def patient(visit: Visit) -> Response:
        one = shown(await _read(visit, visit.id("patient")))
        return await visit.render("identities/patient.html", one=one, place="patients")

    async def ask(visit: Visit) -> Response:
        return await _show(visit, ReadForm())

    async def read(visit: Visit, sent: FormData) -> Response:
        form = ReadForm.of(sent)
        try:
            said = read_datamatrix(await _content(sent))
        except Refusal as refusal:
            form.general.append(_why(refusal))
            return await _show(visit, form, status=422)
        ctx = visit.context()
        async with database.reader() as reader:
            found = await gateway.find_patient(reader, ctx, ins=(said.ins.system, said.ins.matricule))
            known = await identity_of(reader, found[0].patient) if found else None
        differences = [words.trait(one.trait.value) for one in said.differences_from(known.traits)] if known else []
        return await _show(visit, form, said=said, known=known, differences=differences)

    async def _show(
        visit: Visit,
        form: Form,
        *,
        status: int = 200,
        said: Scanned | None = None,
        known: PatientIdentity | None = None,
        differences: list[str] | None = None,
    ) -> Response:
        return await visit.render(
            "identities/datamatrix.html",
            status,
            form=form,
            problems=form.problems,
            said=said,
            known=known,
            differences=differences or [],
            place="patients",
        )

    return [
        person.route("/identite", own),
        professional.route("/pro/datamatrix", ask, read, most=_MOST),
        professional.route("/pro/patients/{patient}/identite", patient),
    ]


async def _content(sent: FormData) -> str:
    picture = sent.get("image")
    if isinstance(picture, UploadFile) and picture.filename:
        from ambroise.modules.identity.datamatrix.symbol import contents

        found = await asyncio.to_thread(contents, await picture.read())
        if not found:
            raise Refusal(Kind.UNPROCESSABLE, "DATAMATRIX_INVALID", "No symbol.", data={"problem": "none"})
        return found[0]
    return str(sent.get("symbole", ""))


def _why(refusal: Refusal) -> str:
    if refusal.code == "IMAGE_UNREADABLE":
        return gettext("Cette image ne s’ouvre pas. Enregistrez-la de nouveau.")
    if refusal.code == "IMAGE_TOO_LARGE":
        return gettext("Cette image est trop grande. Réduisez-la, puis recommencez.")
    problem = str(refusal.data.get("problem", ""))
    if problem == "none":
        return gettext("Aucun datamatrix n’est visible sur cette image. Rapprochez-vous et recommencez.")
    return words.problem(problem)
