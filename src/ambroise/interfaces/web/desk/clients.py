"""The desk registers software that signs professionals on, renews its secret, suspends it."""

from __future__ import annotations

import json
from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import RadioField, StringField, TextAreaField

from ambroise.interfaces.web.ui.forms import Form, Required, Ticks
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import AccountKind, Provider
from ambroise.modules.identity.provider.api import OPENID, SCOPE_ALL, ClientAuthentication, Grant, NewClient

_DUTY = "administration"
_PAGE = "/guichet/logiciels"
_ADDRESSES = {"rows": "3", "spellcheck": "false", "autocomplete": "off"}
_PROOFS = {
    "client_secret": N_("Un secret, gardé sur un serveur"),
    "private_key_jwt": N_("Une clé, dont il donne la partie publique"),
    "tls_client_auth": N_("Un certificat"),
    "none": N_("Rien : un programme sur l’appareil de la personne"),
}
_USES = {
    "code": N_("Connecter des professionnels par le navigateur"),
    "ciba": N_("Les connecter sans navigateur, par leur téléphone (CIBA)"),
    "machine": N_("Agir pour lui-même, sans personne"),
    "exchange": N_("Échanger un jeton, avec un certificat"),
}
_GRANTS = {
    "code": (Grant.CODE, Grant.REFRESH),
    "ciba": (Grant.CIBA, Grant.REFRESH),
    "machine": (Grant.CLIENT,),
    "exchange": (Grant.EXCHANGE,),
}


class ClientForm(Form):
    nom = StringField(
        lazy(N_("Nom du logiciel")),
        [Required(N_("Donnez le nom du logiciel"))],
        description=lazy(N_("Les professionnels le lisent quand ils se connectent.")),
        render_kw={"maxlength": "120", "autocomplete": "off"},
    )
    usages = Ticks(
        lazy(N_("Ce qu’il fera")),
        [Required(N_("Choisissez au moins un usage"))],
        choices=[(key, lazy(words)) for key, words in _USES.items()],
        default=["code"],
    )
    preuve = RadioField(
        lazy(N_("Comment il prouve qui il est")),
        [Required(N_("Choisissez comment il prouve qui il est"))],
        choices=[(key, lazy(words)) for key, words in _PROOFS.items()],
        default="client_secret",
    )
    retours = TextAreaField(
        lazy(N_("Adresses de retour après la connexion")),
        description=lazy(N_("Une par ligne, exactes : https, ou http sur cette machine.")),
        render_kw=_ADDRESSES,
    )
    sorties = TextAreaField(
        lazy(N_("Adresses de retour après la déconnexion (facultatif)")), render_kw={**_ADDRESSES, "rows": "2"}
    )
    ouverture = StringField(
        lazy(N_("Adresse où il s’ouvre sur un patient (facultatif)")),
        description=lazy(N_("SMART App Launch : les professionnels l’ouvrent depuis le dossier d’un patient.")),
        render_kw={"autocomplete": "off"},
    )
    fin = StringField(lazy(N_("Adresse à prévenir d’une déconnexion (facultatif)")), render_kw={"autocomplete": "off"})
    cles = TextAreaField(lazy(N_("Clés publiques (JWKS), s’il prouve par une clé")), render_kw=_ADDRESSES)
    sujet = StringField(
        lazy(N_("Sujet du certificat, s’il en montre un")),
        description=lazy(N_("Par exemple : CN=service,OU=10B0000001,O=Structure,C=FR")),
        render_kw={"autocomplete": "off"},
    )
    portees = StringField(
        lazy(N_("Portées, au-delà de qui est la personne (facultatif)")), render_kw={"autocomplete": "off"}
    )


def client_routes(site: Site, provider: Provider) -> list[BaseRoute]:
    """The page of clients, for operators in charge of administration."""
    clients, database = provider.clients, provider.ground.database

    async def show(visit: Visit) -> Response:
        _check_duty(visit)
        return await page(visit, ClientForm())

    async def page(visit: Visit, form: Any, status: int = 200) -> Response:
        async with database.reader() as reader:
            known = await clients.listed(reader)
        return await visit.render(
            "desk/clients.html",
            status,
            clients=known,
            form=form,
            problems=form.problems,
            proofs={key: gettext(words) for key, words in _PROOFS.items()},
            place="logiciels",
        )

    async def act(visit: Visit, sent: FormData) -> Response:
        _check_duty(visit)
        ctx, id = visit.context(), str(sent.get("logiciel", ""))
        match sent.get("geste"):
            case "inscrire":
                return await register(visit, ClientForm.of(sent))
            case "renouveler":
                async with database.transaction() as tx:
                    secret = await clients.renew_secret(tx, ctx, id)
                return await shown(visit, id, secret)
            case "suspendre":
                async with database.transaction() as tx:
                    await clients.disable(tx, ctx, id)
                return visit.go(_PAGE, Toast("client-suspended"))
            case "reprendre":
                async with database.transaction() as tx:
                    await clients.enable(tx, ctx, id)
                return visit.go(_PAGE, Toast("client-restored"))
            case _:
                raise Refusal(Kind.INVALID, "NO_SUCH_GESTURE", "Choose what to do.")

    async def register(visit: Visit, form: Any) -> Response:
        if form.validate():
            try:
                new = _new(form)
                async with database.transaction() as tx:
                    made = await clients.register(tx, visit.context(), new)
                return await shown(visit, made.client.id, made.secret)
            except Refusal as refusal:
                form.refuse(refusal, "retours" if refusal.code == "INVALID_REDIRECT_URI" else None)
        return await page(visit, form, 422)

    async def shown(visit: Visit, id: str, secret: str | None) -> Response:
        """The identifier and the secret, this once: nothing keeps the secret."""
        issuer = provider.ground.issuer
        return await visit.render("desk/client_secret.html", id=id, secret=secret, issuer=issuer, place="logiciels")

    return [Screen(site, AccountKind.OPERATOR).route(_PAGE, show, act, proof=Act.CLIENTS)]


def _check_duty(visit: Visit) -> None:
    if _DUTY not in visit.who.account.duties:
        raise Refusal(Kind.FORBIDDEN, "ACCESS_DENIED", "Only an operator in charge of administration does this.")


def _new(form: Any) -> NewClient:
    grants = frozenset(grant for use in form.usages.data for grant in _GRANTS[use])
    people = frozenset({OPENID, SCOPE_ALL}) if {Grant.CODE, Grant.CIBA} & grants else frozenset[str]()
    return NewClient(
        name=form.nom.data,
        redirect_uris=_lines(form.retours.data),
        post_logout_uris=_lines(form.sorties.data),
        backchannel_logout_uri=(form.fin.data or "").strip() or None,
        authentication=ClientAuthentication(form.preuve.data),
        grants=grants,
        scopes=people | frozenset((form.portees.data or "").split()),
        jwks=_keys(form.cles.data),
        tls_subject=(form.sujet.data or "").strip() or None,
        launch_uri=(form.ouverture.data or "").strip() or None,
    )


def _lines(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.strip() for line in (text or "").splitlines() if line.strip()))


def _keys(text: str | None) -> dict[str, Any] | None:
    if not (text or "").strip():
        return None
    try:
        found = json.loads(text or "")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refusal(Kind.INVALID, "INVALID_CLIENT_METADATA", "The keys are not a JWK set.", element="cles")
    return found
