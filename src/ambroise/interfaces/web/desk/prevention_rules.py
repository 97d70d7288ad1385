"""The rule author's desk: rules, drafts, what a draft would touch, versions published and withdrawn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import DateField, StringField, TextAreaField
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
from ambroise.modules.prevention.api import Rule, RuleDesk, Span, differences, plain, read_rule

_SHORT = {"maxlength": "300", "autocomplete": "off"}
_FREE = ("plan", "audience", "evidence", "mandatory", "mandatory_born_from", "declared_as", "unverified")
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
            self.rule = read_rule(self._raw(json.loads(field.data)))
        except (ValueError, TypeError, msgspec.ValidationError) as error:
            words = gettext("Ce texte n’est pas une règle : %(problem)s", problem=str(error))
            raise ValidationError(words) from error

    def _raw(self, free: Any) -> dict[str, Any]:
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


class PublishForm(Form):
    effet = DateField(lazy(N_("Prend effet le")), [Required(N_("Donnez la date d’effet"))])


def prevention_rule_routes(screen: Screen, lives: Lives) -> list[BaseRoute]:
    desk = RuleDesk(lives.prevention)

    async def listing(visit: Visit) -> Response:
        ctx = visit.context()
        async with lives.database.reader() as reader:
            rules = await desk.rules(reader, ctx)
            drafts = {one.rule.id: one for one in await desk.drafts(reader, ctx)}
            coming = {one.rule.id: one for one in reversed(await desk.coming(reader, ctx))}
        groups: Mapping[Sort, list[Rule]] = {
            sort: sorted((one for one in rules if one.kind is sort), key=_age) for sort in Sort
        }
        return await visit.render("desk/prevention.html", groups=groups, drafts=drafts, coming=coming, **_place())

    async def one(visit: Visit) -> Response:
        ctx, id = visit.context(), visit.query.get("regle", "")
        async with lives.database.reader() as reader:
            present = await desk.present(reader, ctx, id)
            versions = await desk.versions(reader, ctx, id)
            draft = await desk.draft(reader, ctx, id)
        return await visit.render(
            "desk/prevention_rule.html",
            rule=present,
            text=_text(present),
            versions=versions,
            draft=draft,
            today=dates.as_day(visit.now),
            change=with_query("/guichet/prevention/changer", regle=id),
            **_place(),
        )

    async def undo(visit: Visit, sent: FormData) -> Response:
        id, number = visit.query.get("regle", ""), str(sent.get("version", ""))
        async with lives.database.transaction() as tx:
            await desk.withdraw(tx, visit.context(), id, int(number) if number.isdigit() else 0)
        return visit.go(_address(id), Toast("rule-withdrawn"))

    async def ask(visit: Visit) -> Response:
        ctx, id = visit.context(), visit.query.get("regle", "")
        async with lives.database.reader() as reader:
            present, draft = await desk.present(reader, ctx, id), await desk.draft(reader, ctx, id)
        form = _form(draft.rule if draft else present, draft.reason if draft else "")
        return await _change(visit, present, form, PublishForm(effet=_tomorrow(visit)), drafted=draft and draft.rule)

    async def change(visit: Visit, sent: FormData) -> Response:
        ctx, id, gesture = visit.context(), visit.query.get("regle", ""), sent.get("geste")
        if gesture == "jeter":
            async with lives.database.transaction() as tx:
                await desk.drop(tx, ctx, id)
            return visit.go(_address(id), Toast("rule-dropped"))
        return await (_publish(visit, sent, id) if gesture == "publier" else _keep(visit, sent, id))

    async def _keep(visit: Visit, sent: FormData, id: str) -> Response:
        ctx = visit.context()
        async with lives.database.reader() as reader:
            present = await desk.present(reader, ctx, id)
        form = RuleForm.of(sent)
        form.id, form.kind = present.id, present.kind.value
        if not form.validate():
            return await _change(visit, present, form, PublishForm(effet=_tomorrow(visit)), 422)
        try:
            async with lives.database.transaction() as tx:
                await desk.keep(tx, ctx, form.rule, reason=form.raison.data)
        except Refusal as refusal:
            if refusal.kind is not Kind.UNPROCESSABLE:
                raise
            form.refuse(refusal)
            return await _change(visit, present, form, PublishForm(effet=_tomorrow(visit)), 422)
        return visit.go(with_query("/guichet/prevention/changer", regle=id), Toast("rule-drafted"))

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
        async with lives.database.reader() as reader:
            present, draft = await desk.present(reader, ctx, id), await desk.draft(reader, ctx, id)
        form = _form(draft.rule if draft else present, draft.reason if draft else "")
        return await _change(visit, present, form, publishing, 422, drafted=draft and draft.rule)

    async def _change(
        visit: Visit, present: Rule, form: Any, publishing: Any, status: int = 200, *, drafted: Rule | None = None
    ) -> Response:
        touched = None
        if drafted is not None:
            async with lives.database.reader() as reader:
                touched = await desk.touched(reader, visit.context(), present, drafted)
        return await visit.render(
            "desk/prevention_change.html",
            status,
            rule=present,
            form=form,
            publishing=publishing,
            problems=[*form.problems, *publishing.problems],
            changes=differences(present, drafted) if drafted is not None else [],
            touched=touched,
            back=_address(present.id),
            **_place(),
        )

    return [
        screen.route("/guichet/prevention", listing),
        screen.route("/guichet/prevention/regle", one, undo, proof=Act.PREVENTION),
        screen.route("/guichet/prevention/changer", ask, change, proof=Act.PREVENTION),
    ]


def _form(rule: Rule, reason: str) -> RuleForm:
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
        calendrier=_text(rule),
        raison=reason,
    )


def _text(rule: Rule) -> str:
    raw = plain(rule)
    return json.dumps({name: raw[name] for name in _FREE}, ensure_ascii=False, indent=2)


def _age(rule: Rule) -> tuple[int, str]:
    """From what age it is, so that rules stand in the order of a life."""
    start = getattr(rule.plan, "start", None)
    return (start.months * 30 + start.days if isinstance(start, Span) else 0, rule.id)


def _tomorrow(visit: Visit) -> Any:
    return dates.as_day(visit.now) + timedelta(days=1)


def _address(id: str) -> str:
    return with_query("/guichet/prevention/regle", regle=id)


def _place() -> dict[str, Any]:
    return {"place": "prevention", "address_of": _address, **said.vocabulary()}
