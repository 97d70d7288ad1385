"""Reading what a client asks of a sign-in (OpenID Connect Core §3.1.2, RFC 7636), with the rules of the house.

What cannot be trusted enough to send the browser back is a refusal shown to the person; the rest goes back to the
client as `Unmet`, with the OAuth error and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.provider.ground import REALM
from ambroise.modules.identity.provider.model import ACR_VALUES, OPENID, Asked, Client, Grant
from ambroise.modules.identity.provider.smart import FHIR, LAUNCH, allowed, is_limited
from ambroise.modules.identity.tokens import digest

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_LONGEST = 2000
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_ONCE = (
    "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge",
    "code_challenge_method", "acr_values", "prompt", "max_age", "login_hint", "request", "request_uri", "aud",
    "launch",
)  # fmt: skip


class Unmet(Exception):
    """A request that goes back to its client with an OAuth error."""

    def __init__(self, redirect_uri: str, state: str | None, error: str, description: str) -> None:
        super().__init__(error, description)
        self.redirect_uri = redirect_uri
        self.state = state
        self.error = error
        self.description = description


_Unmet = Callable[[str, str], Unmet]


def redirection(client: Client, given: Mapping[str, list[str]]) -> str:
    """Where the browser goes back to: exactly one of the registered addresses, named. Raises REDIRECT_URI_UNKNOWN."""
    uris = given.get("redirect_uri", [])
    if len(uris) == 1 and uris[0] in client.redirect_uris:
        return uris[0]
    raise Refusal(
        Kind.INVALID,
        "REDIRECT_URI_UNKNOWN",
        "The redirect_uri is not one that the client registered: it must be the same, character for character.",
    )


def read(client: Client, redirect_uri: str, given: Mapping[str, list[str]], issuer: str) -> Asked:
    """What is asked. Raises Unmet."""
    values = {name: held[0] for name, held in given.items() if held and held[0] != ""}
    state = values.get("state") if len(given.get("state", [])) == 1 else None

    def unmet(error: str, description: str) -> Unmet:
        return Unmet(redirect_uri, state, error, description)

    if twice := [name for name in _ONCE if len(given.get(name, [])) > 1]:
        raise unmet("invalid_request", f"Send {twice[0]} once.")
    if any(len(value) > _LONGEST for value in values.values()):
        raise unmet("invalid_request", f"A parameter has more than {_LONGEST} characters.")
    if "request" in values:
        raise unmet("request_not_supported", "Send the parameters themselves, or push them (PAR) first.")
    if values.get("response_type") != "code":
        raise unmet("unsupported_response_type", "Send response_type=code: it is the only one here.")
    if values.get("response_mode", "query") != "query":
        raise unmet("invalid_request", "Leave response_mode out: the answer comes in the query.")
    if Grant.CODE not in client.grants:
        raise unmet("unauthorized_client", "This client was not registered to sign people in.")
    if "state" not in values:
        raise unmet("invalid_request", "Send a state: a fresh random value, that you check on the way back.")
    scopes = _scopes(client, values, unmet)
    smart = is_limited(scopes)
    # SMART App Launch names no nonce: the challenge, which it demands, does the same work.
    if "nonce" not in values and not smart:
        raise unmet("invalid_request", "Send a nonce: a fresh random value, that you find again in the id_token.")
    return Asked(
        client=client.id,
        redirect_uri=redirect_uri,
        scopes=scopes,
        state=values["state"],
        nonce=values.get("nonce", ""),
        issuer=issuer,
        challenge=_challenge(values, unmet, needed=client.public or smart),
        acr=_acr(values, unmet),
        prompt=_prompt(values, unmet),
        max_age=_max_age(values, unmet),
        login_hint=values.get("login_hint"),
        launch=_launch(values, scopes, issuer, unmet),
    )


def known_scopes(client: Client, text: str) -> tuple[str, ...] | None:
    """The scopes of a text, in order; None when one of them is not for this client."""
    asked = tuple(dict.fromkeys(text.split()))
    return asked if all(allowed(client.scopes, scope) for scope in asked) else None


def _scopes(client: Client, values: Mapping[str, str], unmet: _Unmet) -> tuple[str, ...]:
    scopes = known_scopes(client, values.get("scope", ""))
    if scopes is None or not (OPENID in scopes or is_limited(scopes)):
        known = " ".join(sorted(client.scopes))
        raise unmet("invalid_scope", f"Send scope=openid, with others that this client may ask for: {known}.")
    return scopes


def _launch(values: Mapping[str, str], scopes: tuple[str, ...], issuer: str, unmet: _Unmet) -> str | None:
    """The hash of the launch that opened the software; `aud` says that the tokens are for this very base."""
    smart, base = is_limited(scopes), issuer.removesuffix(REALM) + FHIR
    if (smart or "aud" in values) and values.get("aud", "").rstrip("/") != base:
        raise unmet("invalid_request", f"Send aud={base}: the FHIR base that the tokens are for.")
    if "launch" not in values:
        return None
    if LAUNCH not in scopes:
        raise unmet("invalid_scope", "Send the scope launch with a launch.")
    return digest(values["launch"]).hex()


def _challenge(values: Mapping[str, str], unmet: _Unmet, *, needed: bool) -> str | None:
    challenge = values.get("code_challenge")
    if challenge is None:
        if needed or "code_challenge_method" in values:
            raise unmet("invalid_request", "Send code_challenge and code_challenge_method=S256 (PKCE, RFC 7636).")
        return None
    if values.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise unmet("invalid_request", "Use code_challenge_method=S256, with the SHA-256 of the verifier in base64url.")
    return challenge


def _acr(values: Mapping[str, str], unmet: _Unmet) -> str:
    wanted = [value for value in values.get("acr_values", ACR_VALUES[0]).split() if value in ACR_VALUES]
    if not wanted:
        raise unmet("invalid_request", f"Send acr_values among {', '.join(ACR_VALUES)}, or leave it out.")
    return min(wanted)


def _prompt(values: Mapping[str, str], unmet: _Unmet) -> tuple[str, ...]:
    prompt = tuple(values.get("prompt", "").split())
    if not set(prompt) <= _PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise unmet("invalid_request", "Send prompt=none alone, or login, consent, select_account.")
    return prompt


def _max_age(values: Mapping[str, str], unmet: _Unmet) -> int | None:
    if "max_age" not in values:
        return None
    if not (values["max_age"].isascii() and values["max_age"].isdigit()) or len(values["max_age"]) > 9:
        raise unmet("invalid_request", "Send max_age as a number of seconds.")
    return int(values["max_age"])
