"""Passkeys on the pages: the challenge that the script asks for, signing in by one, and those of an account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.datastructures import FormData
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from wtforms import StringField

from ambroise.interfaces.web.entrance.coming_in import enter, half_open, next_of, said
from ambroise.interfaces.web.entrance.forms import CodeForm, SignInForm
from ambroise.interfaces.web.entrance.protection import layout_of
from ambroise.interfaces.web.entrance.routes import show_code, show_sign_in
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import (
    Ceremony,
    Invitations,
    NotSignedIn,
    PasskeyPurpose,
    PasskeyReply,
    Passkeys,
)

_FIRST = "premiere"
_PURPOSES = {
    "entrer": PasskeyPurpose.SIGN_IN,
    "logiciel": PasskeyPurpose.SIGN_ON,
    "deuxieme": PasskeyPurpose.SECOND_FACTOR,
    "prouver": PasskeyPurpose.PROOF,
    "ajouter": PasskeyPurpose.REGISTER,
}
_MINE = "/reglages/cles"


class NameForm(Form):
    nom = StringField(
        lazy(N_("Nom de la clé")),
        [Required(N_("Donnez un nom à cette clé"))],
        description=lazy(N_("Pour la reconnaître : « Mon téléphone », « Clé du bureau ».")),
        render_kw={"maxlength": "60", "autocomplete": "off"},
    )


def passkey_routes(site: Site, passkeys: Passkeys) -> list[BaseRoute]:
    """The routes of passkeys, for who comes in and for who is in."""
    pages = PasskeyPages(site, passkeys)
    screen = Screen(site)
    return [
        screen.route("/cle/defi", change=pages.challenge),
        screen.route("/connexion/cle", change=pages.sign_in),
        screen.route("/connexion/code/cle", change=pages.second),
        screen.route(_MINE, pages.mine, pages.change, proof=Act.MEANS),
        screen.route(f"{_MINE}/ajouter", pages.ask_name, pages.add, proof=Act.MEANS),
    ]


class PasskeyPages:
    """The pages of passkeys."""

    def __init__(self, site: Site, passkeys: Passkeys) -> None:
        self._site = site
        self._passkeys = passkeys

    async def challenge(self, visit: Visit, sent: FormData) -> Response:
        """What the script hands to the browser's authenticator."""
        browser = browser_of(visit)
        if sent.get("pour") == _FIRST:
            return _handed(await Invitations(self._passkeys).begin(str(sent.get("billet", "")), browser))
        purpose = _PURPOSES.get(str(sent.get("pour")))
        match purpose:
            case None:
                raise Refusal(Kind.INVALID, "NO_SUCH_GESTURE", "Say what the passkey is for.")
            case PasskeyPurpose.SIGN_IN | PasskeyPurpose.SIGN_ON:
                made = await self._passkeys.challenge(purpose, browser)
            case PasskeyPurpose.SECOND_FACTOR:
                half_open(visit)
                made = await self._passkeys.challenge(purpose, browser, visit.who.account)
            case PasskeyPurpose.PROOF:
                layout_of(visit)
                made = await self._passkeys.challenge(purpose, browser, visit.who.account)
            case PasskeyPurpose.REGISTER:
                layout_of(visit)
                if not self._site.proofs.is_recent(visit.who):
                    raise Refusal(Kind.FORBIDDEN, "PROOF_TOO_OLD", "Show again who you are.")
                made = await self._passkeys.begin_registration(visit.who.account, browser)
        return _handed(made)

    # Coming in

    async def sign_in(self, visit: Visit, sent: FormData) -> Response:
        answer = await self._passkeys.sign_in(reply_of(visit, sent), visit.origin)
        if not isinstance(answer, NotSignedIn):
            return await enter(visit, answer, next_of(visit, answer))
        form = SignInForm()
        form.general.append(said(answer))
        return await show_sign_in(visit, form, 422)

    async def second(self, visit: Visit, sent: FormData) -> Response:
        token = half_open(visit)
        answer = await self._passkeys.complete(token, visit.who, reply_of(visit, sent), visit.origin)
        if not isinstance(answer, NotSignedIn):
            return await enter(visit, answer, next_of(visit, answer))
        form = CodeForm()
        form.general.append(said(answer))
        return await show_code(visit, form, 422)

    # Those of an account

    async def mine(self, visit: Visit) -> Response:
        layout = layout_of(visit)
        async with self._site.identity.database.reader() as reader:
            held = await self._passkeys.of_account(reader, visit.who.account)
        return await visit.render("entrance/passkeys.html", layout=layout, held=held, place="reglages")

    async def change(self, visit: Visit, sent: FormData) -> Response:
        layout_of(visit)
        account = visit.who.account
        gesture, _, key = str(sent.get("geste", "")).partition(":")
        async with self._site.identity.database.transaction() as tx:
            match gesture:
                case "revoquer":
                    await self._passkeys.revoke(tx, account, visit.id_of(key), visit.origin)
                case "nommer":
                    await self._passkeys.rename(tx, account, visit.id_of(key), str(sent.get(f"nom-{key}", "")))
                case _:
                    raise Refusal(Kind.INVALID, "NO_SUCH_GESTURE", "Say what to do with this passkey.")
        return visit.go(_MINE, Toast("passkey-revoked" if gesture == "revoquer" else "passkey-named"))

    async def ask_name(self, visit: Visit) -> Response:
        return await self._add_page(visit, NameForm())

    async def add(self, visit: Visit, sent: FormData) -> Response:
        layout_of(visit)
        form = NameForm.of(sent)
        if not sent.get("reponse"):
            # Sent without its script, or finished after a proof: the page begins the registration itself.
            return await self._add_page(visit, form)
        if form.validate():
            try:
                await self._passkeys.register(
                    visit.who.account, reply_of(visit, sent), str(form.nom.data), visit.origin
                )
                return visit.go(_MINE, Toast("passkey-added"))
            except Refusal as refusal:
                form.refuse(refusal)
        return await self._add_page(visit, form, 422)

    async def _add_page(self, visit: Visit, form: Any, status: int = 200) -> Response:
        return await visit.render(
            "entrance/passkey_add.html",
            status,
            layout=layout_of(visit),
            form=form,
            problems=form.problems,
            recent=self._site.proofs.is_recent(visit.who),
            place="reglages",
        )


def _handed(made: Ceremony) -> Response:
    answer = {"reference": made.reference, "options": made.options}
    return JSONResponse(answer, headers={"cache-control": "no-store"})


def browser_of(visit: Visit) -> str:
    """Whose browser a challenge is for: its session, or what it was known by before anybody signed in."""
    return visit.token if visit.token and visit.session is not None and visit.session.live else visit.browser()


def reply_of(visit: Visit, sent: FormData) -> PasskeyReply:
    """What the script put in the form."""
    field: Callable[[str], str] = lambda name: str(sent.get(name) or "")  # noqa: E731
    return PasskeyReply(field("defi"), field("reponse"), browser_of(visit))
