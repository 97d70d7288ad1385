"""The words of the provider: clients, sign-on sessions, approvals, families of tokens. No clock, no SQL, no HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from ambroise.modules.identity.model import Account
from ambroise.modules.identity.provider.smart import NOBODY, Opened, is_limited
from ambroise.trust.context import Channel

# Lifetimes of Pro Santé Connect (CI-SIS, volet transport REST, "API Pro Santé Connectée").
SIGN_ON_IDLE = timedelta(minutes=30)
SIGN_ON_MOST = timedelta(hours=4)
ACCESS_LASTS = timedelta(minutes=2)
# A token for an API, by exchange: about an hour.
API_LASTS = timedelta(hours=1)
REFRESH_LASTS = timedelta(minutes=30)
# RFC 6749 §4.1.2 allows ten minutes at most; a browser comes back at once.
CODE_LASTS = timedelta(minutes=1)
REQUEST_LASTS = timedelta(minutes=10)
PUSHED_LASTS = timedelta(seconds=60)
APPROVAL_LASTS = timedelta(seconds=120)
POLL_SECONDS = 5
# Numbers typed wrong on the phone before the request is refused: a stranger guesses one in a hundred.
MISTAKES_ALLOWED = 3

OPENID = "openid"
# The client that the portal of professionals is.
PORTAL = "portail"
SCOPE_ALL = "scope_all"


class Grant(StrEnum):
    """How a client may obtain tokens."""

    CODE = "authorization_code"
    REFRESH = "refresh_token"
    CLIENT = "client_credentials"
    CIBA = "urn:openid:params:grant-type:ciba"
    EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


class ClientAuthentication(StrEnum):
    """How a client proves who it is."""

    NONE = "none"
    SECRET = "client_secret"  # noqa: S105 - the name of a method.
    ASSERTION = "private_key_jwt"
    CERTIFICATE = "tls_client_auth"


class Means(StrEnum):
    """What somebody signed on with (moyen d'identification électronique)."""

    E_CPS = "ecps"
    CARD = "card"
    CERTIFICATE = "certificate"
    PASSKEY = "passkey"
    DELEGATED = "delegated"


class Assurance(Struct, frozen=True):
    """What a means is worth: `acr` as Pro Santé Connect says it, `amr` (RFC 8176), the PGSSI-S tier (TRE_R231)."""

    acr: str
    amr: tuple[str, ...]
    tier: str
    mode: str


ASSURANCE: dict[Means, Assurance] = {
    # Pro Santé Connect says eidas1 of its e-CPS, though the means is stronger: clients compare with what they know.
    Means.E_CPS: Assurance("eidas1", ("mfa", "swk", "user"), "APPPRIP3", "MOBILE"),
    # A key in a file is worth less than one in a card or behind the code of a phone: one factor, and the tier below.
    Means.CERTIFICATE: Assurance("eidas1", ("swk",), "APPPRIP2", "CERTIFICATE"),
    # A key and what the device checks of its holder: two factors, and nothing that a false site could take. `pop`
    # (RFC 8176) says the key without saying where it is, since no attestation is asked for; the mode is a word of ours.
    Means.PASSKEY: Assurance("eidas1", ("mfa", "pop", "user"), "APPPRIP3", "PASSKEY"),
    # Another provider identified the person, at a level that the operator accepts: two factors at least.
    Means.DELEGATED: Assurance("eidas1", ("mfa",), "APPPRIP2", "DELEGATED"),
    Means.CARD: Assurance("eidas1", ("hwk", "mfa", "sc"), "APPPRIP3", "CARD"),
}
ACR_VALUES = ("eidas1", "eidas2", "eidas3")


class NewClient(Struct, frozen=True):
    """What it takes to register a client."""

    name: str
    redirect_uris: tuple[str, ...] = ()
    post_logout_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    authentication: ClientAuthentication = ClientAuthentication.SECRET
    grants: frozenset[Grant] = frozenset({Grant.CODE, Grant.REFRESH})
    scopes: frozenset[str] = frozenset({OPENID, SCOPE_ALL})
    jwks: Mapping[str, Any] | None = None
    tls_subject: str | None = None
    launch_uri: str | None = None


class Client(Struct, frozen=True):
    """Software that may ask who somebody is (fournisseur de service)."""

    id: str
    name: str
    authentication: ClientAuthentication
    secret_hash: bytes | None
    redirect_uris: tuple[str, ...]
    post_logout_uris: tuple[str, ...]
    backchannel_logout_uri: str | None
    grants: frozenset[Grant]
    scopes: frozenset[str]
    created_at: datetime
    jwks: Mapping[str, Any] | None = None
    tls_subject: str | None = None
    launch_uri: str | None = None

    @property
    def public(self) -> bool:
        """Whether it keeps no secret: a program on the device of the person."""
        return self.authentication is ClientAuthentication.NONE


class Listed(Struct, frozen=True):
    """A client as the desk sees it, suspended or not."""

    client: Client
    suspended_at: datetime | None


class Registered(Struct, frozen=True):
    """A client just registered, with its secret: shown this once, kept nowhere."""

    client: Client
    secret: str | None


class Asked(Struct, frozen=True):
    """What a client asks of a sign-in, already checked. `launch` is the hash of the launch that opened it, in hex."""

    client: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    nonce: str
    issuer: str
    challenge: str | None = None
    acr: str = ACR_VALUES[0]
    prompt: tuple[str, ...] = ()
    max_age: int | None = None
    login_hint: str | None = None
    launch: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The form in which it waits."""
        return msgspec.to_builtins(self)

    @staticmethod
    def of_json(kept: dict[str, Any]) -> Asked:
        """The same, back."""
        return msgspec.convert(kept, Asked)


class Request(Struct, frozen=True):
    """A request to sign in that waits for its browser."""

    reference: str
    client: Client
    asked: Asked
    created_at: datetime


class SignOn(Struct, frozen=True):
    """A professional who signed on with the provider."""

    id: UUID
    account: Account
    means: Means
    situation: int | None
    authenticated_at: datetime
    ends_at: datetime

    @property
    def assurance(self) -> Assurance:
        return ASSURANCE[self.means]


class ApprovalState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"


class Approval(Struct, frozen=True):
    """Something asked on the phone of a professional, with the number that both screens show."""

    id: UUID
    account: UUID | None
    client: str
    client_name: str
    number: str
    channel: str
    scopes: tuple[str, ...]
    issuer: str
    state: ApprovalState
    mistakes: int
    created_at: datetime
    expires_at: datetime
    used: bool = False
    situation: int | None = None
    asked_without_page: bool = False

    def waits(self, now: datetime) -> bool:
        """Whether the professional may still answer."""
        return self.state is ApprovalState.PENDING and now < self.expires_at


class Family(Struct, frozen=True):
    """What one authorization gave, and to whom: every token made from it ends with it."""

    id: UUID
    client: str
    sign_on: UUID
    account: Account
    means: Means
    issuer: str
    scopes: tuple[str, ...]
    situation: int
    nonce: str | None
    authenticated_at: datetime
    ends_at: datetime
    opened: Opened = NOBODY
    live: bool = True

    @property
    def channel(self) -> Channel:
        """By which way its acts come: the pages of the portal, or another software."""
        return "web" if self.client == PORTAL else "partner"

    @property
    def limited(self) -> bool:
        """Whether it opens what its scopes name, and nothing else (SMART App Launch)."""
        return is_limited(self.scopes)


class Tokens(Struct, frozen=True):
    """What the token endpoint answers."""

    access: str
    expires_in: int
    scopes: tuple[str, ...]
    refresh: str | None = None
    refresh_expires_in: int | None = None
    id_token: str | None = None
    session: str | None = None
    exchanged: bool = False
    opened: Opened = NOBODY
