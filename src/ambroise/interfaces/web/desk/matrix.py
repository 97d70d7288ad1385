"""The desk's access matrix: what each group reads, proposing a change, versions and what each one changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from itertools import pairwise
from typing import Any

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import BooleanField, DateField, StringField, TextAreaField
from wtforms.validators import Optional

from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.forms import Form, Required, Ticks
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit, whole
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.directory.api import count_by_profession
from ambroise.modules.record.api import tables
from ambroise.trust.access.kinds import kinds
from ambroise.trust.access.matrix import Row, matrix
from ambroise.trust.access.versions import DUTY, Change, Version, changes, versions
from ambroise.trust.context import Context, Operator

GROUPS = {
    "doctor": N_("Médecin"),
    "doctor_in_training": N_("Médecin en formation"),
    "pharmacist": N_("Pharmacien"),
    "nurse": N_("Infirmier"),
    "midwife": N_("Sage-femme"),
    "dentist": N_("Dentiste"),
    "allied_health": N_("Auxiliaire médical, appareilleur"),
    "assistant": N_("Assistant, préparateur"),
    "social": N_("Psychologue, social"),
}


class ProposalForm(Form):
    types = Ticks(lazy(N_("Documents que ce groupe peut lire")), validate_choice=False)
    lu = BooleanField(lazy(N_("Les cellules changées ont été lues dans cette source")))
    source = StringField(
        lazy(N_("Source")),
        [Required(N_("Donnez la source du changement"))],
        description=lazy(N_("Par exemple : arrêté du 26 octobre 2023, annexe.")),
        render_kw={"maxlength": "300", "autocomplete": "off"},
    )
    raison = TextAreaField(
        lazy(N_("Raison")),
        [Required(N_("Dites pourquoi la matrice change"))],
        render_kw={"rows": "2", "maxlength": "1000"},
    )
    debut = DateField(
        lazy(N_("En vigueur à partir du (facultatif)")),
        [Optional()],
        description=lazy(N_("Sans date, une minute après la publication.")),
    )


class Effect(Struct, frozen=True):
    """What a proposal would touch: the cells, and how many professionals and documents, never which."""

    changes: Sequence[Change]
    professionals: int
    documents: int


def matrix_routes(screen: Screen, lives: Lives) -> list[BaseRoute]:
    door = lives.gateway.matrices

    async def grid(visit: Visit) -> Response:
        known = await _versions(lives)
        return await visit.render(
            "desk/matrix.html",
            present=_in_force(known, visit.now),
            coming=[one for one in known if one.effective and one.effective > visit.now],
            classes=_classes(),
            group=_group(visit),
            may=_may(visit.context()),
            **_words(),
        )

    async def ask(visit: Visit) -> Response:
        group, newest = _group(visit), (await _versions(lives))[0]
        return await _proposal(visit, _form(group, types=sorted(newest.rows[group].readable)), group)

    async def propose(visit: Visit, sent: FormData) -> Response:
        group, newest = _group(visit), (await _versions(lives))[0]
        form = _form(group, sent)
        if not form.validate():
            return await _proposal(visit, form, group, 422)
        rows = {group: _row(newest.rows[group], frozenset(form.types.data), read=form.lu.data)}
        if sent.get("geste") != "publier":
            return await _proposal(visit, form, group, effect=await _effect(newest, rows))
        try:
            async with lives.database.transaction() as tx:
                begins = _begins(form.debut.data)
                said = {"reason": form.raison.data, "source": form.source.data.strip()}
                await door.publish(tx, visit.context(), rows, **said, effective=begins)
        except Refusal as refusal:
            if refusal.kind is Kind.FORBIDDEN:
                raise
            form.refuse(refusal)
            return await _proposal(visit, form, group, 422)
        return visit.go("/guichet/matrice/versions", Toast("matrix-published"))

    async def _effect(newest: Version, rows: Mapping[str, Row]) -> Effect:
        found = changes(newest.rows, {**newest.rows, **rows})
        concerned = {role for role, one in newest.matrix.roles.items() if one.name in rows}
        async with lives.database.reader() as reader:
            people = await count_by_profession(reader)
            documents = await door.documents(reader, {one.code for one in found})
        return Effect(found, sum(count for role, count in people.items() if role in concerned), documents)

    async def _proposal(
        visit: Visit, form: Any, group: str, status: int = 200, *, effect: Effect | None = None
    ) -> Response:
        return await visit.render(
            "desk/matrix_proposal.html",
            status,
            form=form,
            problems=form.problems,
            group=group,
            effect=effect,
            may=_may(visit.context()),
            **_words(),
        )

    async def history(visit: Visit) -> Response:
        known = await _versions(lives)
        told = [(one, changes(before.rows, one.rows)) for one, before in pairwise(known)]
        return await visit.render(
            "desk/matrix_versions.html",
            told=told,
            first=known[-1],
            present=_in_force(known, visit.now),
            may=_may(visit.context()),
            **_words(),
        )

    async def undo(visit: Visit, sent: FormData) -> Response:
        number, reason = str(sent.get("version", "")), str(sent.get("raison", "")).strip()
        async with lives.database.transaction() as tx:
            said = reason or gettext("Annulation de la version %(number)s", number=number)
            await door.undo(tx, visit.context(), whole(number) or 0, reason=said)
        return visit.go("/guichet/matrice/versions", Toast("matrix-published"))

    return [
        screen.route("/guichet/matrice", grid),
        screen.route("/guichet/matrice/proposer", ask, propose, proof=Act.MATRIX),
        screen.route("/guichet/matrice/versions", history, undo, proof=Act.MATRIX),
    ]


async def _versions(lives: Lives) -> list[Version]:
    async with lives.database.reader() as reader:
        return await versions(reader)


def _in_force(known: Sequence[Version], now: datetime) -> Version:
    return next(one for one in known if one.effective is None or one.effective <= now)


def _group(visit: Visit) -> str:
    asked = visit.query.get("groupe", "nurse")
    return asked if asked in {role.name for role in matrix(visit.now).roles.values()} else "nurse"


def _may(ctx: Context) -> bool:
    return isinstance(ctx.actor, Operator) and DUTY in ctx.actor.duties


def _classes() -> list[tuple[str, list[str]]]:
    """The document types by class, as the matrix shows them."""
    table = kinds()
    return [
        (
            tables.label("document_class_label", name) or name,
            [code for code, kind in table.numbers.items() if kind in numbers],
        )
        for name, numbers in table.classes.items()
    ]


def _form(group: str, sent: FormData | None = None, **values: Any) -> Any:
    form = ProposalForm.of(sent) if sent is not None else ProposalForm(**values)
    form.types.choices = [(code, type_name(code)) for code in kinds().numbers]
    return form


def _row(before: Row, readable: frozenset[str], *, read: bool) -> Row:
    """The row as proposed: cells that change are verified only when they were read in the source."""
    readable &= frozenset(kinds().numbers)
    changed = before.readable ^ readable
    return Row(readable, before.verified | changed if read else before.verified - changed)


def _begins(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), dates.PARIS)


def type_name(code: str) -> str:
    """A type of document in words."""
    return tables.label("document_type", code) or code


def _words() -> dict[str, Any]:
    return {
        "groups": {code: gettext(name) for code, name in GROUPS.items()},
        "type_name": type_name,
        "place": "matrice",
    }
