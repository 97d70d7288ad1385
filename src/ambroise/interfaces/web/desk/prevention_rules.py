"""The rule author's desk: rules, drafts, what a draft would touch, versions published and withdrawn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import msgspec
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import DateField, StringField, TextAreaField
from wtforms.validators import Optional, ValidationError

from ambroise.interfaces.web import prevention as said
from ambroise.interfaces.web.desk.prevention_new import new_rule_routes
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit, whole, with_query
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.prevention.api import Draft, Gesture, Rule, RuleDesk, Span, differences, plain, read_rule
from ambroise.modules.prevention.api import Kind as Sort

_SHORT = {"maxlength": "300", "autocomplete": "off"}
_FREE = (
    "plan",
    "audience",
    "evidence",
    "mandatory",
    "mandatory_born_from",
    "mandatory_until",
    "unless",
    "then",
    "declared_as",
    "unverified",
)
"""What is edited as text: how a rule counts, whom it concerns, what closes it."""


class RuleForm(Form):
    titre = StringField(lazy(N_("Nom, en français")), [Required(N_("Donnez le nom"))], render_kw=_SHORT)
    titre_en = StringField(lazy(N_("Nom, en anglais")), [Required(N_("Donnez le nom en anglais"))], render_kw=_SHORT)
    pourquoi = TextAreaField(lazy(N_("Pourquoi, en français")), [Required(N_("Dites pourquoi"))], render_kw={"rows": 2})
    pourquoi_en = TextAreaField(
        lazy(N_("Pourquoi, en anglais")), [Required(N_("Dites pourquoi en anglais"))], render_kw={"rows": 2}
    )
    source = StringField(lazy(N_("Source")), [Required(N_("Donnez la source"))], render_kw=_SHORT)
    adresse = StringField(lazy(N_("Adresse de la source (facultatif)")), render_kw=_SHORT)
    date = DateField(lazy(N_("Date de la source")), [Required(N_("Donnez la date de la source"))])
    du = DateField(lazy(N_("La règle vaut à partir du")), [Required(N_("Donnez le début"))])
    au = DateField(lazy(N_("Jusqu’au (facultatif)")), [Optional()])
    calendrier = TextAreaField(
        lazy(N_("Calendrier, public et preuves")),
        [Required(N_("Écrivez le calendrier"))],
        description=lazy(N_("En JSON. Les âges s’écrivent 8d, 6w, 2m, 50y ; ce texte est vérifié avant d’être gardé.")),
        render_kw={"rows": 16, "spellcheck": "false"},
    )
    raison = TextAreaField(
        lazy(N_("Raison du changement")), [Required(N_("Dites pourquoi la règle change"))], render_kw={"rows": 2}
    )

    rule: Rule | None = None
    id: str = ""
    kind: str = ""

    def validate_calendrier(self, field: Any) -> None:
        try:
            self.rule = read_rule(self.whole(json.loads(field.data)))
        except (ValueError, TypeError, msgspec.ValidationError) as error:
            words = gettext("Ce texte n’est pas une règle : %(problem)s", problem=str(error))
            raise ValidationError(words) from error

    def whole(self, free: Any) -> dict[str, Any]:
        """The plain data of the rule: its fields, and what is written as text."""
        if not isinstance(free, dict) or not set(free) <= set(_FREE):
            raise TypeError(", ".join(_FREE))
        fixed = {
            "id": self.id,
            "kind": self.kind,
            "title": {"fr": _said(self.titre), "en": _said(self.titre_en)},
            "why": {"fr": _said(self.pourquoi), "en": _said(self.pourquoi_en)},
            "source": self.source.data,
            "url": self.adresse.data or "",
            "date": self.date.data,
            "valid_from": self.du.data,
            "valid_to": self.au.data,
        }
        return {**free, **fixed}


def _said(field: Any) -> str:
    return str(field.data or "").strip()


class EndForm(Form):
    raison = StringField(
        lazy(N_("Raison de l’arrêt")), [Required(N_("Dites pourquoi la règle change"))], render_kw=_SHORT
    )


class PublishForm(Form):
    effet = DateField(lazy(N_("Prend effet le")), [Required(N_("Donnez la date d’effet"))])


def prevention_rule_routes(screen: Screen, lives: Lives) -> list[BaseRoute]:
    desk = RuleDesk(lives.prevention)

    async def listing(visit: Visit) -> Response:
        ctx, today = visit.context(), dates.as_day(visit.now)
        async with lives.database.reader() as reader:
            drafts = {one.rule.id: one for one in await desk.drafts(reader, ctx)}
            coming = {one.rule.id: one for one in reversed(await desk.coming(reader, ctx))}
            present = {one.id: one for one in await desk.rules(reader, ctx)}
        # What is not in force yet stands among the others: a rule that is written, or published for later.
        new = {one.rule.id: one.rule for one in (*drafts.values(), *coming.values())}
        known = {**new, **present}.values()
        groups: Mapping[Sort, list[Rule]] = {
            sort: sorted((one for one in known if one.kind is sort), key=_age) for sort in Sort
        }
        return await visit.render(
            "desk/prevention.html",
            groups=groups,
            drafts=drafts,
            coming=coming,
            present=present,
            spent=[one for one in present.values() if one.in_force(today) and one.spent(today)],
            today=today,
            **_place(),
        )

    async def one(visit: Visit) -> Response:
        ctx, id = visit.context(), visit.query.get("regle", "")
        async with lives.database.reader() as reader:
            present = await desk.current(reader, ctx, id)
            versions = await desk.versions(reader, ctx, id)
            draft = await desk.draft(reader, ctx, id)
        shown = present or (draft.rule if draft else versions[0].rule if versions else None)
        if shown is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_RULE", "There is no such rule.")
        return await visit.render(
            "desk/prevention_rule.html",
            rule=shown,
            present=present,
            text=text_of(shown),
            versions=versions,
            draft=draft,
            ending=EndForm(),
            today=dates.as_day(visit.now),
            change=_changing(id),
            **_place(),
        )

    async def undo(visit: Visit, sent: FormData) -> Response:
        id, number = visit.query.get("regle", ""), str(sent.get("version", ""))
        if sent.get("geste") == "arreter":
            async with lives.database.transaction() as tx:
                await desk.end(tx, visit.context(), id, reason=str(sent.get("raison", "")))
            return visit.go(_changing(id), Toast("rule-drafted"))
        if sent.get("geste") == "reprendre":
            return await _take_up(visit, id, whole(number) or 0)
        async with lives.database.transaction() as tx:
            await desk.withdraw(tx, visit.context(), id, whole(number) or 0)
        return visit.go(_address(id), Toast("rule-withdrawn"))

    async def _take_up(visit: Visit, id: str, number: int) -> Response:
        """Draft a former version again: what holds is changed by another version, never rewritten."""
        reason = gettext("Retour à la version %(number)s", number=number)
        async with lives.database.transaction() as tx:
            await desk.take_up(tx, visit.context(), id, number, reason=reason)
        return visit.go(_changing(id), Toast("rule-drafted"))

    async def ask(visit: Visit) -> Response:
        present, draft = await _both(visit)
        form = form_of(draft.rule if draft else present, draft.reason if draft else "")
        return await _change(visit, present, draft, form, PublishForm(effet=tomorrow(visit)))

    async def _both(visit: Visit) -> tuple[Rule | None, Draft | None]:
        """The rule as it holds, and as it is drafted; one of them at least."""
        ctx, id = visit.context(), visit.query.get("regle", "")
        async with lives.database.reader() as reader:
            present, draft = await desk.current(reader, ctx, id), await desk.draft(reader, ctx, id)
        if present is None and draft is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_RULE", "There is no such rule.")
        return present, draft

    async def change(visit: Visit, sent: FormData) -> Response:
        ctx, id, gesture = visit.context(), visit.query.get("regle", ""), sent.get("geste")
        if gesture == "jeter":
            async with lives.database.transaction() as tx:
                await desk.drop(tx, ctx, id)
            return visit.go(_address(id), Toast("rule-dropped"))
        return await (_publish(visit, sent, id) if gesture == "publier" else _keep(visit, sent, id))

    async def _keep(visit: Visit, sent: FormData, id: str) -> Response:
        ctx = visit.context()
        present, draft = await _both(visit)
        shown = present or (draft.rule if draft else None)
        form = RuleForm.of(sent)
        form.id, form.kind = id, shown.kind.value if shown else ""
        publishing = PublishForm(effet=tomorrow(visit))
        if not form.validate():
            return await _change(visit, present, None, form, publishing, 422)
        try:
            async with lives.database.transaction() as tx:
                await desk.keep(tx, ctx, form.rule, reason=form.raison.data)
        except Refusal as refusal:
            if refusal.kind is not Kind.UNPROCESSABLE:
                raise
            form.refuse(refusal)
            return await _change(visit, present, None, form, publishing, 422)
        return visit.go(_changing(id), Toast("rule-drafted"))

    async def _publish(visit: Visit, sent: FormData, id: str) -> Response:
        ctx, publishing = visit.context(), PublishForm.of(sent)
        if publishing.validate():
            try:
                async with lives.database.transaction() as tx:
                    await desk.publish(tx, ctx, id, publishing.effet.data)
                return visit.go(_address(id), Toast("rule-published"))
            except Refusal as refusal:
                if refusal.kind is not Kind.UNPROCESSABLE:
                    raise
                publishing.refuse(refusal)
        present, draft = await _both(visit)
        form = form_of(draft.rule if draft else present, draft.reason if draft else "")
        return await _change(visit, present, draft, form, publishing, 422)

    async def _change(
        visit: Visit, present: Rule | None, draft: Draft | None, form: Any, publishing: Any, status: int = 200
    ) -> Response:
        touched = None
        drafted = draft.rule if draft is not None else None
        ends = draft is not None and draft.gesture is Gesture.END
        if draft is not None:
            async with lives.database.reader() as reader:
                touched = await desk.touched(reader, visit.context(), present, None if ends else drafted)
        rule = present or drafted
        if rule is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_RULE", "There is no such rule.")
        return await visit.render(
            "desk/prevention_change.html",
            status,
            rule=rule,
            present=present,
            draft=draft,
            ends=ends,
            form=form,
            publishing=publishing,
            problems=[*form.problems, *publishing.problems],
            changes=differences(present, drafted) if drafted is not None and present is not None else [],
            touched=touched,
            back=_address(rule.id),
            **_place(),
        )

    return [
        screen.route("/guichet/prevention", listing),
        *new_rule_routes(screen, lives),
        screen.route("/guichet/prevention/regle", one, undo, proof=Act.PREVENTION),
        screen.route("/guichet/prevention/changer", ask, change, proof=Act.PREVENTION),
    ]


def form_of(rule: Rule | None, reason: str) -> RuleForm:
    """The form of a rule as it is."""
    if rule is None:
        return RuleForm(raison=reason)
    return RuleForm(
        titre=rule.title.fr,
        titre_en=rule.title.en,
        pourquoi=rule.why.fr,
        pourquoi_en=rule.why.en,
        source=rule.source,
        adresse=rule.url,
        date=rule.date,
        du=rule.valid_from,
        au=rule.valid_to,
        calendrier=text_of(rule),
        raison=reason,
    )


def text_of(rule: Rule) -> str:
    """What is edited as text of a rule."""
    raw = plain(rule)
    return json.dumps({name: raw[name] for name in _FREE}, ensure_ascii=False, indent=2)


def _age(rule: Rule) -> tuple[int, str]:
    """From what age it is, so that rules stand in the order of a life."""
    start = getattr(rule.plan, "start", None)
    return (start.months * 30 + start.days if isinstance(start, Span) else 0, rule.id)


def tomorrow(visit: Visit) -> date:
    """The first day on which a version may take effect."""
    return dates.as_day(visit.now) + timedelta(days=1)


def _changing(id: str) -> str:
    return with_query("/guichet/prevention/changer", regle=id)


def _address(id: str) -> str:
    return with_query("/guichet/prevention/regle", regle=id)


def _place() -> dict[str, Any]:
    return {"place": "prevention", "address_of": _address, **said.vocabulary()}
