"""What the pages of coming in share: the session given to the browser, where it goes next, the words of a refusal."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from ambroise.interfaces.web.ui.i18n import N_, gettext, ngettext
from ambroise.interfaces.web.ui.visit import Visit, local_address
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import AccountKind, NotSignedIn, SignedIn, SignInProblem

HOMES = {AccountKind.CITIZEN: "/accueil", AccountKind.PROFESSIONAL: "/pro/patients", AccountKind.OPERATOR: "/guichet"}
YEAR = 365 * 24 * 3600


async def enter(visit: Visit, signed: SignedIn, address: str) -> Response:
    """Give the browser its new session; the one that it had ends."""
    if visit.token and visit.session is not None and visit.session.live:
        await visit.site.identity.sign_out(visit.token)
    response = visit.go(address)
    keep(visit, response, signed)
    return response


def keep(visit: Visit, response: Response, signed: SignedIn) -> None:
    """Put a session, and the device that it comes from, in the browser."""
    visit.cookies.put(response, "session", signed.token)
    if signed.device is not None:
        visit.cookies.put(response, "device", signed.device, max_age=YEAR)


def next_of(visit: Visit, signed: SignedIn) -> str:
    """Where to go after signing in: where one was, or home."""
    return local_address(visit.query.get("suite"), HOMES[signed.account.kind])


def half_open(visit: Visit) -> str:
    """The token of a session that waits for its second factor."""
    if visit.token is None or visit.session is None or not visit.session.live or visit.session.complete:
        raise Refusal(Kind.UNAUTHENTICATED, "SIGN_IN_AGAIN", "Start signing in again.")
    return visit.token


def said(answer: NotSignedIn) -> str:
    """Why nobody was signed in, in words."""
    if answer.problem is SignInProblem.WAIT:
        minutes = max(1, -(-int(answer.wait / timedelta(seconds=1)) // 60))
        return ngettext(
            "Trop d’essais. Attendez %(count)s minute avant de recommencer.",
            "Trop d’essais. Attendez %(count)s minutes avant de recommencer.",
            minutes,
        )
    return gettext(
        {
            SignInProblem.WRONG: N_("Cet identifiant et ce mot de passe ne vont pas ensemble."),
            SignInProblem.SUSPENDED: N_("Ce compte est suspendu. Le guichet peut vous dire pourquoi."),
            SignInProblem.CODE_WRONG: N_("Ce code n’est pas le bon, ou a déjà servi."),
            SignInProblem.PASSKEY_REFUSED: N_("Cette clé d’accès n’ouvre rien ici. Essayez-en une autre."),
            SignInProblem.PASSKEY_ASKED: N_("Ce compte s’ouvre avec sa clé d’accès, et pas autrement."),
        }[answer.problem]
    )
