"""Writing a rule that is not there yet: whom it concerns and when, field by field; the rest comes with the draft."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional, ValidationError

from ambroise.interfaces.web import prevention as said
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit, with_query
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.prevention.api import Kind as Sort
from ambroise.modules.prevention.api import Rule, RuleDesk, Span, read_rule

_SHORT: Final = {"maxlength": "300", "autocomplete": "off"}
_AGE: Final = {"maxlength": "8", "autocomplete": "off"}
_LONG: Final = {"rows": "2", "maxlength": "1000"}
_SORTS: Final = (Sort.SCREENING, Sort.EXAMINATION, Sort.DENTAL, Sort.CHECKUP)
"""What a few fields say whole; a vaccine has its doses, a pregnancy its weeks: those rules are changed as text."""
_MODELS: Final = {
    "window": N_("Une fois, entre deux âges"),
    "repeat": N_("À intervalle régulier, entre deux âges"),
    "yearly": N_("Une fois par an, entre deux âges"),
    "discuss": N_("À voir avec un soignant, entre deux âges"),
}


class NewRuleForm(Form):
    nom = StringField(
        lazy(N_("Nom court de la règle")),
        [Required(N_("Donnez un nom court"))],
        description=lazy(N_("En minuscules, en deux parties au moins : depistage.vue, par exemple.")),
        render_kw=_SHORT,
    )
    sorte = SelectField(lazy(N_("Sorte")), choices=[(one.value, lazy(said.KINDS[one][1])) for one in _SORTS])
    titre = StringField(lazy(N_("Nom, en français")), [Required(N_("Donnez le nom"))], render_kw=_SHORT)
    titre_en = StringField(lazy(N_("Nom, en anglais")), [Required(N_("Donnez le nom en anglais"))], render_kw=_SHORT)
    pourquoi = TextAreaField(lazy(N_("Pourquoi, en français")), [Required(N_("Dites pourquoi"))], render_kw=_LONG)
    pourquoi_en = TextAreaField(
        lazy(N_("Pourquoi, en anglais")), [Required(N_("Dites pourquoi en anglais"))], render_kw=_LONG
    )
    source = StringField(lazy(N_("Source")), [Required(N_("Donnez la source"))], render_kw=_SHORT)
    adresse = StringField(lazy(N_("Adresse de la source (facultatif)")), render_kw=_SHORT)
    date = DateField(lazy(N_("Date de la source")), [Required(N_("Donnez la date de la source"))])
    modele = SelectField(lazy(N_("Quand")), choices=[(key, lazy(words)) for key, words in _MODELS.items()])
    de = StringField(
        lazy(N_("De l’âge de")),
        [Required(N_("Donnez l’âge du début"))],
        description=lazy(N_("8d, 6w, 2m, 50y : jours, semaines, mois, années.")),
        render_kw=_AGE,
    )
    a = StringField(lazy(N_("Avant l’âge de")), [Required(N_("Donnez l’âge de la fin"))], render_kw=_AGE)
    tous = StringField(lazy(N_("Tous les (si à intervalle)")), render_kw=_AGE)
    retard = StringField(lazy(N_("À rattraper pendant (facultatif)")), render_kw=_AGE)
    sexe = SelectField(
        lazy(N_("Pour")),
        choices=[("", lazy(N_("Tout le monde"))), ("F", lazy(N_("Les femmes"))), ("M", lazy(N_("Les hommes")))],
    )
    nes = DateField(lazy(N_("Nés à partir du (facultatif)")), [Optional()])
    codes = StringField(
        lazy(N_("Codes de ce qui la clôt (facultatif)")),
        description=lazy(N_("Codes d’actes ou de documents, séparés par des espaces.")),
        render_kw=_SHORT,
    )
    raison = TextAreaField(
        lazy(N_("Raison du changement")), [Required(N_("Dites pourquoi la règle change"))], render_kw=_LONG
    )

    def validate_de(self, field: Any) -> None:
        _age(field)

    def validate_a(self, field: Any) -> None:
        _age(field)

    def validate_tous(self, field: Any) -> None:
        if self.modele.data == "repeat" and not _said(field):
            raise ValidationError(gettext("Donnez l’intervalle"))
        _age(field)

    def validate_retard(self, field: Any) -> None:
        _age(field)

    def rule(self, today: Any) -> Rule:
        """The rule that the fields say. Raises msgspec.ValidationError where two of them do not go together."""
        return read_rule(
            {
                "id": _said(self.nom),
                "kind": self.sorte.data,
                "title": {"fr": _said(self.titre), "en": _said(self.titre_en)},
                "why": {"fr": _said(self.pourquoi), "en": _said(self.pourquoi_en)},
                "source": _said(self.source),
                "url": _said(self.adresse),
                "date": self.date.data,
                "valid_from": today,
                "plan": self._plan(),
                "audience": {"sex": self.sexe.data or None, "born_from": self.nes.data},
                "evidence": {"codes": frozenset((self.codes.data or "").replace(",", " ").split())},
            }
        )

    def _plan(self) -> dict[str, Any]:
        plan = {"type": self.modele.data, "from": _said(self.de), "until": _said(self.a)}
        late = _said(self.retard)
        if self.modele.data == "repeat":
            return {**plan, "every": _said(self.tous), "late": late or _said(self.tous)}
        return {**plan, "late": late} if late and self.modele.data == "window" else plan


def new_rule_routes(screen: Screen, lives: Lives) -> list[BaseRoute]:
    desk = RuleDesk(lives.prevention)

    async def ask(visit: Visit) -> Response:
        async with lives.database.reader() as reader:
            await desk.rules(reader, visit.context())
        return await _show(visit, NewRuleForm(date=dates.as_day(visit.now)))

    async def begin(visit: Visit, sent: FormData) -> Response:
        form = NewRuleForm.of(sent)
        if form.validate():
            try:
                rule = form.rule(dates.as_day(visit.now))
                async with lives.database.transaction() as tx:
                    await desk.begin(tx, visit.context(), rule, reason=form.raison.data)
                return visit.go(with_query("/guichet/prevention/changer", regle=rule.id), Toast("rule-drafted"))
            except msgspec.ValidationError:
                form.a.errors = [*form.a.errors, gettext("L’âge de la fin vient après celui du début")]
            except Refusal as refusal:
                if refusal.kind is not Kind.UNPROCESSABLE:
                    raise
                form.refuse(refusal)
        return await _show(visit, form, 422)

    async def _show(visit: Visit, form: Any, status: int = 200) -> Response:
        return await visit.render(
            "desk/prevention_new.html", status, form=form, problems=form.problems, place="prevention"
        )

    return [screen.route("/guichet/prevention/nouvelle", ask, begin, proof=Act.PREVENTION)]


def _said(field: Any) -> str:
    return str(field.data or "").strip()


def _age(field: Any) -> None:
    written = _said(field)
    if written:
        try:
            Span.of(written)
        except ValueError as error:
            raise ValidationError(gettext("Écrivez un nombre et d, w, m ou y : 50y pour 50 ans")) from error
