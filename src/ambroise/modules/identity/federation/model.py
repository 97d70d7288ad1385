"""The words of federation: a partner is a provider of others that an operator trusts. No clock, no SQL, no HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NoReturn, cast
from urllib.parse import urlsplit

from msgspec import Struct, field

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.model import AccountKind, SignedIn

REQUEST_LASTS: Final = timedelta(minutes=10)
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class PartnerKind(StrEnum):
    """How people of a partner are known here."""

    PSC = "psc"
    HOSPITAL = "hospital"
    FRANCECONNECT = "franceconnect"


class Proof(StrEnum):
    """How we prove who we are to a partner (OpenID Connect Core §9)."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    ASSERTION = "private_key_jwt"


class Partner(Struct, frozen=True):
    """A provider of others, as the operator describes it. `claims` says in which of its claims each of our words is."""

    id: str
    name: str
    kind: PartnerKind
    people: AccountKind
    issuer: str
    discovery: str
    client_id: str
    proof: Proof
    credential: Path
    scopes: tuple[str, ...]
    acr_asked: tuple[str, ...]
    acr_accepted: frozenset[str]
    algorithms: tuple[str, ...]
    claims: Mapping[str, tuple[str, ...]]
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    authority: Path | None = None
    decryption: Path | None = None

    @property
    def local(self) -> bool:
        """Whether it runs on this machine, where plain HTTP is allowed."""
        return is_loopback(self.issuer)

    def said(self, claims: Mapping[str, Any], word: str) -> str | None:
        """What the partner says for one of our words, as text; None when it says nothing."""
        found = self._found(claims, word)
        return found.strip() or None if isinstance(found, str) else None

    def listed(self, claims: Mapping[str, Any], word: str) -> tuple[str, ...]:
        """The same for a list of texts."""
        found = self._found(claims, word)
        values = cast("list[Any]", found) if isinstance(found, list) else []
        return tuple(value for value in values if isinstance(value, str))

    def _found(self, claims: Mapping[str, Any], word: str) -> Any:
        path = self.claims.get(word)
        if path is None:
            return None
        found: Any = claims
        for name in path:
            found = cast("Mapping[str, Any]", found).get(name) if isinstance(found, Mapping) else None
        return found


class Underway(Struct, frozen=True):
    """A sign-in under way at a partner; `request`: the one of our own provider that it is to answer, if any."""

    partner: str
    nonce: str
    verifier: str
    back: str
    next: str
    request: str = ""


class Proven(Struct, frozen=True):
    """What a partner proved of somebody: its claims, after every check."""

    partner: Partner
    subject: str
    sid: str | None
    acr: str | None
    amr: tuple[str, ...]
    claims: Mapping[str, Any]
    id_token: str


class Linked(Struct, frozen=True):
    """A provider by which somebody may enter an account; `names` are those of the partners that it is, if any still."""

    issuer: str
    names: tuple[str, ...]
    linked_at: datetime
    used_at: datetime


class Invalid(Exception):
    """A token that is not good; the text says which rule it breaks, for the log and the trace."""


class Entered(Struct, frozen=True):
    """Somebody came in through a partner."""

    signed: SignedIn
    next: str


class SignedOn(Struct, frozen=True):
    """A professional signed on with our provider through a partner, for a request of other software."""

    token: str
    request: str


class ToEnrol(Struct, frozen=True):
    """A citizen whom the partner identified, who has no account yet: the enrolment goes on from there."""

    token: str


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine."""
    return urlsplit(address).hostname in _LOOPBACK


def refuse(kind: Kind, code: str, what: str, partner: Partner | None = None) -> NoReturn:
    """Refuse a sign-in; the page names the partner and says what to do."""
    raise Refusal(kind, code, what, data={"partner": partner.id} if partner else {})
