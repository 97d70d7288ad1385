"""The people one helps, and those who help: invitations, their answers, help on the spot."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import BooleanField, DateField, RadioField, StringField
from wtforms.validators import Optional

from ambroise.interfaces.web.citizen.attestations import Attested, attest
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import DEFAULT_OID, Ins, Traits, identity_of
from ambroise.modules.relations.api import Invitation, is_minor
from ambroise.trust.access.relations import RelationFact
from ambroise.trust.context import Relation

_SCOPES = {
    "see": N_("Lire seulement"),
    "act": N_("Lire et agir : ajouter des documents, autoriser un soignant"),
    "screens": N_("Les écrans, sans le contenu"),
    "content": N_("Les écrans et le contenu"),
}
_KINDS = {"representative": N_("Représentant légal"), "carer": N_("Aidant"), "mediator": N_("Médiateur numérique")}


class InviteForm(Form):
    matricule = StringField(
        lazy(N_("Son numéro de sécurité sociale (INS)")),
        [Required(N_("Donnez les 15 chiffres de son numéro"))],
        description=lazy(N_("Les 15 chiffres, clé comprise.")),
        render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": "22"},
    )
    nom = StringField(
        lazy(N_("Son nom de naissance")),
        [Required(N_("Donnez son nom de naissance"))],
        render_kw={"autocomplete": "off", "maxlength": "80"},
    )
    prenom = StringField(
        lazy(N_("Son premier prénom")),
        [Required(N_("Donnez son premier prénom"))],
        render_kw={"autocomplete": "off", "maxlength": "80"},
    )
    naissance = DateField(lazy(N_("Sa date de naissance")), [Required(N_("Donnez sa date de naissance"))])
    portee = RadioField(
        lazy(N_("Que pourra faire cette personne ?")),
        choices=[(scope, lazy(_SCOPES[scope])) for scope in ("see", "act")],
        default="see",
    )
    jusqu = DateField(
        lazy(N_("Jusqu’au (facultatif)")),
        [Optional()],
        description=lazy(N_("Sans date, jusqu’à ce que vous l’arrêtiez.")),
    )
    honneur = BooleanField(
        lazy(N_("Je déclare sur l’honneur connaître cette personne et lui confier mon dossier")),
        [Required(N_("Cochez la déclaration sur l’honneur"))],
    )


class HelpForm(Form):
    montrer = BooleanField(
        lazy(N_("Lui montrer aussi le contenu de mes documents")),
        description=lazy(N_("Sans cela, elle voit les écrans pour vous guider, jamais vos données de santé.")),
    )


class CodeForm(Form):
    code = StringField(
        lazy(N_("Le code de la personne que vous aidez")),
        [Required(N_("Écrivez le code"))],
        description=lazy(N_("Huit lettres et chiffres, qu’elle lit sur son écran.")),
        render_kw={"autocomplete": "off", "maxlength": "12"},
    )


class Helper(Struct, frozen=True):
    """One line about somebody who acts for another."""

    person: UUID
    kind: Relation
    name: str
    what: str
    reach: str
    until: datetime | None


class Waiting(Struct, frozen=True):
    """One invitation that waits."""

    id: UUID
    name: str
    what: str
    reach: str
    until: datetime | None
    expires_at: datetime


def relative_routes(screen: Screen, lives: Lives) -> list[BaseRoute]:
    relations, mediation = lives.relations, lives.mediation

    async def show(visit: Visit) -> Response:
        ctx = visit.context()
        mine = ctx.acting_for is None
        async with lives.database.reader() as reader:
            people, sent = await relations.helpers(reader, ctx) if _decides(visit) else ([], [])
            helped, received = await relations.helped(reader, ctx)
            known = await identity_of(reader, ctx.space) if ctx.space else None
            mediator = await mediation.enrolled(reader, visit.who.account.patient or visit.who.id)
        child = known is not None and is_minor(known.traits.birth_date, ctx.now())
        return await visit.render(
            "citizen/relatives.html",
            helpers=[_helper(one) for one in people],
            sent=[_waiting(one, one.invitee_name) for one in sent],
            received=[_waiting(one, one.inviter_name) for one in received] if mine else [],
            leaving={str(one.patient) for one in helped if one.kind != "representative"},
            kinds={str(one.patient): one.kind for one in helped},
            decides=_decides(visit),
            child=child and visit.who.relation == "representative",
            mediator=mediator if mine else None,
            place="proches",
        )

    async def change(visit: Visit, sent: FormData) -> Response:
        ctx, gesture = visit.context(), str(sent.get("geste"))
        id = _id(str(sent.get("qui", "")))
        kind: Any = str(sent.get("role", "carer"))
        if gesture not in _TOLD or kind not in _KINDS:
            raise Refusal(Kind.INVALID, "NO_SUCH_GESTURE", "Choose what to do.")
        attested: Attested | None = None
        async with lives.database.transaction() as tx:
            if gesture in ("accepter", "decliner"):
                answer = relations.accept if gesture == "accepter" else relations.refuse
                one = await answer(tx, ctx, id)
                reach = gettext(_SCOPES[one.scope]) if one.kind == "carer" else ""
                what = gettext(_KINDS[one.kind])
                attested = Attested(gesture, one.patient, one.invitee_name, what, reach, one.ends_at)
            elif gesture == "reprendre":
                await relations.withdraw(tx, ctx, id)
            elif gesture == "finir":
                name = await _name_of(tx, id)
                await relations.end(tx, ctx, id, kind)
                attested = Attested(gesture, ctx.space or id, name, gettext(_KINDS[kind]))
            else:
                await relations.leave(tx, ctx, id, kind)
                attested = Attested(gesture, id, visit.who.account.display_name, gettext(_KINDS[kind]))
                if visit.who.acting_for == id:
                    await visit.site.identity.choose_space(tx, visit.who, None, None)
        if attested is not None and kind != "mediator":
            await attest(lives, visit, attested)
        return visit.go("/proches", Toast(_TOLD[gesture]))

    async def ask_carer(visit: Visit) -> Response:
        return await _invite_page(visit, InviteForm(), [])

    async def invite(visit: Visit, sent: FormData) -> Response:
        form = InviteForm.of(sent)
        if not form.validate():
            return await _invite_page(visit, form, form.problems, 422)
        ctx = visit.context()
        async with lives.database.transaction() as tx:
            allowed = await relations.count_search(tx, ctx)
        try:
            if not allowed:
                raise Refusal(Kind.THROTTLED, "ACCESS_TOO_MANY_LOOKUPS", "Too many searches.")
            async with lives.database.transaction() as tx:
                person = await relations.find(tx, ctx, *_asked(form, demonstration=visit.site.demonstration))
                if visit.who.relation == "representative" and sent.get("role") == "representative":
                    await relations.invite_representative(tx, ctx, person)
                else:
                    await relations.invite_carer(
                        tx, ctx, person, scope=form.portee.data or "see", ends_on=form.jusqu.data
                    )
        except Refusal as refusal:
            form.refuse(refusal, {"END_DATE": "jusqu"}.get(refusal.code))
            return await _invite_page(visit, form, form.problems, 422)
        return visit.go("/proches", Toast("invited"))

    async def _invite_page(visit: Visit, form: Any, problems: Any, status: int = 200) -> Response:
        parent = visit.who.relation == "representative" and visit.query.get("role") == "parent"
        return await visit.render(
            "citizen/invite.html", status, form=form, problems=problems, parent=parent, place="proches"
        )

    async def ask_help(visit: Visit) -> Response:
        return await visit.render("citizen/help.html", form=HelpForm(), problems=[], code=None, place="proches")

    async def make_code(visit: Visit, sent: FormData) -> Response:
        form = HelpForm.of(sent)
        async with lives.database.transaction() as tx:
            code = await mediation.ask_help(tx, visit.context(), content=bool(form.montrer.data))
        return await visit.render("citizen/help.html", form=form, problems=[], code=code, place="proches")

    async def ask_code(visit: Visit) -> Response:
        return await visit.render("citizen/mediate.html", form=CodeForm(), problems=[], place="proches")

    async def help(visit: Visit, sent: FormData) -> Response:
        form, ctx = CodeForm.of(sent), visit.context()
        if form.validate():
            async with lives.database.transaction() as tx:
                allowed = await mediation.count_try(tx, ctx)
            try:
                if not allowed:
                    raise Refusal(Kind.THROTTLED, "ACCESS_TOO_MANY_LOOKUPS", "Too many codes.")
                async with lives.database.transaction() as tx:
                    patient = await mediation.help(tx, ctx, form.code.data)
                    await visit.site.identity.choose_space(tx, visit.who, patient, "mediator")
                return visit.go("/espace", Toast("help-began"))
            except Refusal as refusal:
                form.refuse(refusal, "code")
        return await visit.render("citizen/mediate.html", 422, form=form, problems=form.problems, place="proches")

    return [
        screen.route("/proches", show, change),
        screen.route("/proches/inviter", ask_carer, invite, proof=Act.DELEGATION),
        screen.route("/proches/aide", ask_help, make_code),
        screen.route("/proches/aider", ask_code, help),
    ]


_TOLD = {
    "accepter": "invitation-accepted",
    "decliner": "invitation-refused",
    "reprendre": "invitation-withdrawn",
    "finir": "help-ended",
    "quitter": "help-ended",
}


async def _name_of(reader: Reader, person: UUID) -> str:
    known = await identity_of(reader, person)
    return known.display_name if known else ""


def _decides(visit: Visit) -> bool:
    """Whether this person chooses who helps in the open space: the holder, or a legal representative."""
    return visit.who.acting_for is None or visit.who.relation == "representative"


def _helper(one: RelationFact) -> Helper:
    what = N_("Protection juridique") if one.basis == "guardianship" else _KINDS[one.kind]
    reach = gettext(_SCOPES[one.scope]) if one.kind != "representative" else ""
    return Helper(one.person, one.kind, proper(one.person_name), gettext(what), reach, one.until)


def _waiting(one: Invitation, name: str) -> Waiting:
    reach = gettext(_SCOPES[one.scope]) if one.kind == "carer" else ""
    return Waiting(one.id, proper(name), gettext(_KINDS[one.kind]), reach, one.ends_at, one.expires_at)


def _asked(form: Any, *, demonstration: bool) -> tuple[Ins, Traits]:
    born: date = form.naissance.data
    ins = Ins("".join(form.matricule.data.split()), DEFAULT_OID[demonstration])
    return ins, Traits(birth_name=form.nom.data, first_given=form.prenom.data, birth_date=born)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refusal(Kind.NOT_FOUND, "INVITATION_NOT_FOUND", "No such person or invitation.") from None
