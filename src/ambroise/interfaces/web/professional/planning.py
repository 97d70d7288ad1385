"""The plan of a prevention check-up as a professional writes it: the form, and the document that it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from wtforms import BooleanField, DateField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional, ValidationError

from ambroise.interfaces.web.professional.signed import Paper, act_of, file_signed
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy
from ambroise.kernel.db import Transaction
from ambroise.modules.record.api import Record, write
from ambroise.trust.context import Context

SORTS: Final[Mapping[str, str]] = {
    "rdv": N_("Rendez-vous"),
    "vaccin": N_("Vaccin"),
    "depistage": N_("Dépistage"),
    "orientation": N_("Orientation"),
    "conseil": N_("Conseil"),
}
"""The sorts of actions, whose French words are those of the document."""
_NO_MODEL: Final = "urn:asipSante:modelesHorsProfils:2011"
"""JDV_J60: the format of what follows no published model."""
_LOOKED_AT_AGAIN: Final = "Le point est fait à 3, 6 et 12 mois : le patient y est invité dans son espace de santé."
_AIMS, _STEPS = (1, 2), (1, 2, 3, 4)
_SHORT = {"maxlength": "200", "autocomplete": "off"}
_LONG = {"rows": "2", "maxlength": "1000"}


def _aim(first: bool) -> tuple[Any, ...]:
    priority = [Required(N_("Donnez une priorité"))] if first else []
    words = [Required(N_("Écrivez l’objectif"))] if first else []
    return (
        StringField(lazy(N_("Priorité")), priority, render_kw=_SHORT),
        TextAreaField(lazy(N_("Objectif convenu ensemble")), words, render_kw=_LONG),
        StringField(lazy(N_("Comment on le verra (facultatif)")), render_kw=_SHORT),
        DateField(lazy(N_("Échéance (facultatif)")), [Optional()]),
    )


def _step(first: bool) -> tuple[Any, ...]:
    own = {**_SHORT, "list": "propositions"}
    return (
        SelectField(lazy(N_("Sorte")), choices=[(key, lazy(words)) for key, words in SORTS.items()]),
        StringField(lazy(N_("Action")), render_kw=own),
        DateField(lazy(N_("Avant le (facultatif)")), [Optional()]),
    )


class PlanForm(Form):
    """Two priorities at most, and four actions."""

    priorite1, objectif1, repere1, echeance1 = _aim(True)
    priorite2, objectif2, repere2, echeance2 = _aim(False)
    sorte1, action1, quand1 = _step(True)
    sorte2, action2, quand2 = _step(False)
    sorte3, action3, quand3 = _step(False)
    sorte4, action4, quand4 = _step(False)
    suivi = StringField(lazy(N_("Autre suivi (facultatif)")), render_kw=_SHORT)
    signe = BooleanField(
        lazy(N_("J’ai relu ce plan et je le signe comme auteur")), [Required(N_("Cochez pour signer"))]
    )
    acte = HiddenField()

    def validate_signe(self, field: BooleanField) -> None:
        if not field.data:
            raise ValidationError(str(lazy(N_("Cochez pour signer"))))

    def validate_priorite2(self, field: StringField) -> None:
        if _said(self.objectif2) and not _said(field):
            raise ValidationError(str(lazy(N_("Donnez une priorité"))))

    def validate_objectif2(self, field: TextAreaField) -> None:
        if _said(self.priorite2) and not _said(field):
            raise ValidationError(str(lazy(N_("Écrivez l’objectif"))))

    def in_the_past(self, today: date) -> bool:
        """Whether a day of the plan is over, which is told beside it."""
        days = [*(self[f"echeance{n}"] for n in _AIMS), *(self[f"quand{n}"] for n in _STEPS)]
        over = [one for one in days if one.data is not None and one.data < today]
        for one in over:
            one.errors = [*one.errors, str(lazy(N_("Donnez un jour à venir")))]
        return bool(over)

    @property
    def aims(self) -> list[list[Any]]:
        """The fields of each aim."""
        return [[self[f"{name}{n}"] for name in ("priorite", "objectif", "repere", "echeance")] for n in _AIMS]

    @property
    def steps(self) -> list[list[Any]]:
        """The fields of each action."""
        return [[self[f"{name}{n}"] for name in ("sorte", "action", "quand")] for n in _STEPS]

    @property
    def more_steps(self) -> bool:
        """Whether something is written, or wrong, beyond the first action."""
        return any(words.data or until.data or until.errors for _, words, until in self.steps[1:])


async def file_plan(
    tx: Transaction, ctx: Context, record: Record, patient: UUID, form: PlanForm, checkup: str, former: str | None
) -> UUID:
    """Sign the plan of this form and file it, in place of the one that the same professional wrote for it."""
    said = _said(form.suivi)
    follow_up = (said, _LOOKED_AT_AGAIN) if said else (_LOOKED_AT_AGAIN,)
    plan = write.PreventionPlan(checkup, tuple(_aims(form)), tuple(_steps(form)), follow_up)
    paper = Paper(write.PREVENTION_PLAN_TYPE, "Plan personnalisé de prévention", act_of(form), former, _NO_MODEL)
    return await file_signed(
        tx, ctx, record, patient, paper, lambda head: write.prevention_plan(write.Header(), head, plan)
    )


def _aims(form: Any) -> Iterator[write.Aim]:
    for priority, words, sign, until in form.aims:
        if _said(priority):
            yield write.Aim(_said(priority), _said(words), _said(sign), until.data)


def _steps(form: Any) -> Iterator[write.Step]:
    for sort, words, until in form.steps:
        if _said(words):
            yield write.Step(SORTS[sort.data], _said(words), until.data)


def _said(field: Any) -> str:
    return " ".join((field.data or "").split())
