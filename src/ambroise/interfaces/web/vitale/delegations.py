"""Letting somebody trusted show the card, for a time."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import DateField, StringField

from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import DEFAULT_OID, Ins, Traits
from ambroise.modules.vitale.api import Delegation, Vitale

_PARIS = ZoneInfo("Europe/Paris")
_PLAIN = {"autocomplete": "off", "maxlength": "80"}


class DelegationForm(Form):
    matricule = StringField(
        lazy(N_("Son numéro de sécurité sociale (INS)")),
        [Required(N_("Donnez les 15 chiffres de son numéro"))],
        description=lazy(N_("Les 15 chiffres, clé comprise.")),
        render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": "22"},
    )
    nom = StringField(lazy(N_("Son nom de naissance")), [Required(N_("Donnez son nom de naissance"))], render_kw=_PLAIN)
    prenom = StringField(lazy(N_("Son premier prénom")), [Required(N_("Donnez son premier prénom"))], render_kw=_PLAIN)
    naissance = DateField(lazy(N_("Sa date de naissance")), [Required(N_("Donnez sa date de naissance"))])
    jusqu = DateField(
        lazy(N_("Jusqu’au")),
        [Required(N_("Choisissez le dernier jour"))],
        description=lazy(N_("Ce jour compris, dans les 90 jours.")),
    )


def delegation_routes(screen: Screen, vitale: Vitale, lives: Lives) -> list[BaseRoute]:
    delegations, relations, database = vitale.delegations, lives.relations, lives.database

    async def show(visit: Visit) -> Response:
        return await page(visit, DelegationForm())

    async def page(visit: Visit, form: Any, status: int = 200) -> Response:
        ctx, now = visit.context(), visit.now
        given = await delegations.given(ctx)
        received = await delegations.received(ctx) if ctx.acting_for is None else []
        return await visit.render(
            "vitale/delegations.html",
            status,
            form=form,
            problems=form.problems,
            given=[(one, one.state_at(now).value, last_day(one)) for one in given],
            received=[(one, one.state_at(now).value, last_day(one), whose) for one, whose in received],
            place="vitale",
        )

    async def change(visit: Visit, sent: FormData) -> Response:
        gesture = str(sent.get("geste"))
        if gesture == "confier":
            return await give(visit, DelegationForm.of(sent))
        acts = {"accepter": delegations.accept, "decliner": delegations.refuse, "finir": delegations.revoke}
        if gesture not in acts:
            raise Refusal(Kind.INVALID, "NO_SUCH_GESTURE", "Choose what to do.")
        await acts[gesture](visit.context(), _id(str(sent.get("qui", ""))))
        return visit.go("/vitale/delegations", Toast(_TOLD[gesture]))

    async def give(visit: Visit, form: Any) -> Response:
        if not form.validate():
            return await page(visit, form, 422)
        ctx = visit.context()
        async with database.transaction() as tx:
            allowed = await relations.count_search(tx, ctx)
        try:
            if not allowed:
                raise Refusal(Kind.THROTTLED, "ACCESS_TOO_MANY_LOOKUPS", "Too many searches.")
            ins = Ins("".join(form.matricule.data.split()), DEFAULT_OID[visit.site.demonstration])
            traits = Traits(birth_name=form.nom.data, first_given=form.prenom.data, birth_date=form.naissance.data)
            async with database.reader() as reader:
                person = await relations.find(reader, ctx, ins, traits)
            await delegations.give(ctx, person, _end_of(form.jusqu.data))
        except Refusal as refusal:
            form.refuse(refusal, "jusqu" if refusal.element == "until" else None)
            return await page(visit, form, 422)
        return visit.go("/vitale/delegations", Toast("invited"))

    return [screen.route("/vitale/delegations", show, change, proof=Act.DELEGATION)]


_TOLD = {"accepter": "card-delegated", "decliner": "invitation-refused", "finir": "card-delegation-ended"}


def last_day(one: Delegation) -> datetime:
    """An instant of the last day that it holds: a delegation ends when the next day begins."""
    return one.until - timedelta(seconds=1)


def _end_of(day: date) -> datetime:
    """The end of a day, in Paris."""
    return datetime.combine(day + timedelta(days=1), time(), _PARIS)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refusal(Kind.NOT_FOUND, "VITALE_DELEGATION_ENDED", "No such delegation.") from None
