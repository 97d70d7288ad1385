"""The desk has several identities verified by the INSi service, from a file, and reads a result for each line."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from msgspec import Struct
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import FileField

from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.ui.forms import Form, HasFile
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy, ngettext
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.api import (
    DEFAULT_OID,
    Ins,
    Insi,
    InsiClaim,
    InsiOutcome,
    InsiTraits,
    InsiVerified,
    insi_limits,
    require_identity_duty,
    verify_insi_many,
)

MOST_BYTES = 60 * 1024
HEADERS = ("matricule", "oid", "nom_naissance", "prenoms", "date_naissance", "sexe", "lieu_naissance")
_NEEDED = frozenset({"matricule", "nom_naissance", "prenoms", "date_naissance", "sexe"})
_FAILURES: Mapping[str, str] = {
    "INSI_NAME_MISSING": N_("Nom de naissance absent"),
    "INSI_FIELD_MISSING": N_("Prénom, sexe ou date de naissance absent"),
    "INSI_LEXICAL": N_("Un nom porte un signe que le service n’accepte pas"),
    "INSI_VALUE": N_("Sexe, date ou lieu de naissance faux"),
    "INSI_MATRICULE": N_("Matricule faux, ou d’une autre autorité"),
    "INSI_THROTTLED": N_("Trop d’appels : renvoyez cette ligne dans une minute"),
    "INSI_UNAVAILABLE": N_("Service national inaccessible : renvoyez cette ligne plus tard"),
}


class FileForm(Form):
    fichier = FileField(
        lazy(N_("Fichier des identités")),
        [HasFile(N_("Choisissez un fichier"), N_("Ce fichier dépasse 60 Ko : partagez-le."), MOST_BYTES)],
        description=lazy(N_("CSV en UTF-8, points-virgules, une personne par ligne.")),
        render_kw={"accept": ".csv,text/csv"},
    )


class Result(Struct, frozen=True):
    """A line of the page: who was asked about, and what came of it."""

    number: int
    name: str
    matricule: str
    state: str
    picture: str
    words: str


def verifying_routes(screen: Screen, database: Database) -> list[BaseRoute]:
    """The page, and what it answers."""
    insi = Insi(database)

    async def show(visit: Visit) -> Response:
        require_identity_duty(visit.context())
        return await page(visit, FileForm(), [])

    async def page(visit: Visit, form: FileForm, results: Sequence[Result]) -> Response:
        return await visit.render(
            "identities/desk_verifying.html",
            422 if form.problems else 200,
            form=form,
            problems=form.problems,
            results=results,
            headers=[(name, name in _NEEDED) for name in HEADERS],
            most=insi_limits()["per_batch"],
            place="identites",
        )

    async def verify(visit: Visit, sent: FormData) -> Response:
        ctx = visit.context()
        require_identity_duty(ctx)
        form = FileForm.of(sent)
        claims: list[InsiClaim] = []
        if form.validate():
            try:
                claims = _claims(await _text(form.fichier.data), DEFAULT_OID[ctx.demonstration])
            except ValueError as error:
                form.general.append(str(error))
        if form.problems:
            return await page(visit, form, [])
        lines = enumerate(zip(claims, await verify_insi_many(insi, ctx, claims), strict=True), 2)
        results = [_result(number, claim, said) for number, (claim, said) in lines]
        return await page(visit, FileForm(), results)

    return [screen.route("/guichet/identites/verifications", show, verify)]


async def _text(upload: UploadFile) -> str:
    try:
        return (await upload.read()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(gettext("Ce fichier n’est pas en UTF-8.")) from None


def _claims(text: str, oid: str) -> list[InsiClaim]:
    """The lines of a file. Raises ValueError, in words of the page, for one of another form."""
    rows = csv.DictReader(io.StringIO(text), delimiter=";")
    missing = sorted(_NEEDED - {name.strip().lower() for name in rows.fieldnames or ()})
    if missing:
        raise ValueError(gettext("La première ligne ne nomme pas ces colonnes : %(names)s.", names=", ".join(missing)))
    rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
    claims = [_claim(row, oid) for row in rows]
    most = insi_limits()["per_batch"]
    if not claims:
        raise ValueError(gettext("Ce fichier n’a aucune ligne."))
    if len(claims) > most:
        raise ValueError(
            ngettext(
                "%(count)s ligne au plus à la fois : envoyez la suite une minute après.",
                "%(count)s lignes au plus à la fois : envoyez la suite une minute après.",
                most,
            )
        )
    return claims


def _claim(row: Mapping[str, str | None], oid: str) -> InsiClaim:
    def value(name: str) -> str:
        return (row.get(name) or "").strip()

    ins = Ins(value("matricule").replace(" ", "").upper(), value("oid") or oid)
    names = tuple(value("prenoms").split())
    query = InsiTraits(
        value("nom_naissance"), names, value("sexe"), value("date_naissance"), value("lieu_naissance") or None
    )
    return InsiClaim(ins, query)


def _result(number: int, claim: InsiClaim, one: InsiVerified) -> Result:
    name = proper(f"{' '.join(claim.query.given_names[:1])} {claim.query.birth_name}".strip())
    said = (number, name, claim.ins.matricule)
    if isinstance(one, Refusal):
        return Result(*said, "warn", "triangle-alert", gettext(_FAILURES.get(one.code, _FAILURES["INSI_UNAVAILABLE"])))
    present = one.individual.ins.matricule if one.individual else None
    match one.outcome:
        case InsiOutcome.FOUND if present == claim.ins.matricule:
            return Result(*said, "done", "check", gettext("INS et traits confirmés"))
        case InsiOutcome.FOUND:
            return Result(*said, "warn", "info", gettext("Confirmé, mais l’INS a changé : %(ins)s", ins=present))
        case InsiOutcome.SEVERAL:
            return Result(*said, "warn", "users", gettext("Plusieurs personnes : complétez les traits"))
        case InsiOutcome.NOBODY:
            return Result(*said, "stop", "x", gettext("Non confirmé : l’INS n’est pas celui de cette personne"))
