"""Clients: registering, and proving who they are."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime, timedelta
from typing import NoReturn
from urllib.parse import urlsplit

from msgspec import Struct, field

from ambroise.kernel.crypto.certificates import ClientCertificate, subject_name
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.identity import tokens
from ambroise.modules.identity.provider import assertions
from ambroise.modules.identity.provider.ground import TOKEN_ENDPOINT, Attempts, Ground, refuse
from ambroise.modules.identity.provider.model import (
    PORTAL,
    Client,
    ClientAuthentication,
    Grant,
    Listed,
    NewClient,
    Registered,
)
from ambroise.modules.identity.provider.repositories import clients as repository
from ambroise.trust.audit.entry import Entry, InstanceEvent, record
from ambroise.trust.context import Context

_NAME_MOST = 120
_SEEN_LASTS = timedelta(seconds=1)
_SEEN_MOST = 1000
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,80}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# A private scheme of an application (RFC 8252 §7.1) is a domain name backwards: it holds a dot.
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


class Presented(Struct, frozen=True):
    """What a request says of the client that makes it, and where it comes from."""

    id: str | None = None
    secret: str | None = None
    assertion: str | None = None
    address: str = ""
    certificate: ClientCertificate | None = None

    def holder(self, client: Client) -> str | None:
        """The certificate to which tokens for this client are bound: the one by which it proved itself."""
        bound = client.authentication is ClientAuthentication.CERTIFICATE and self.certificate is not None
        return self.certificate.thumbprint if bound and self.certificate else None


class Clients(Struct, frozen=True):
    """The use cases of clients."""

    ground: Ground
    _seen: dict[str, tuple[datetime, Client]] = field(default_factory=dict[str, tuple[datetime, Client]])

    async def register(self, tx: Transaction, ctx: Context, new: NewClient) -> Registered:
        """Register a client. Its secret, if it has one, is given this once."""
        _check(new)
        secret = secrets.token_urlsafe(32) if new.authentication is ClientAuthentication.SECRET else None
        client = Client(
            id=f"{_slug(new.name)}-{secrets.token_hex(4)}",
            name=new.name.strip(),
            authentication=new.authentication,
            secret_hash=tokens.digest(secret) if secret else None,
            redirect_uris=new.redirect_uris,
            post_logout_uris=new.post_logout_uris,
            backchannel_logout_uri=new.backchannel_logout_uri,
            grants=new.grants,
            scopes=new.scopes,
            created_at=self.ground.clock.now(),
            jwks=assertions.key_set(new.jwks) if new.jwks is not None else None,
            tls_subject=_subject(new.tls_subject) if new.tls_subject is not None else None,
            launch_uri=new.launch_uri,
        )
        await repository.insert(tx, client, str(getattr(ctx.actor, "id", ctx.actor.name)))
        details = {"client": client.id, "redirect_uris": list(client.redirect_uris)}
        await record(tx, ctx, Entry("C", InstanceEvent("client_registered"), rule="operator", details=details))
        return Registered(client, secret)

    async def disable(self, tx: Transaction, ctx: Context, id: str) -> None:
        """Suspend a client: it is unknown at the next request of this process, within a second of the others.

        All that it was given ends. Raises CLIENT_UNKNOWN.
        """
        self._seen.pop(id, None)
        now = self.ground.clock.now()
        if id == PORTAL or not await repository.disable(tx, id, now):
            _unknown()
        ended = await repository.end_families(tx, id, now, "client_suspended")
        await record(
            tx,
            ctx,
            Entry("U", InstanceEvent("client_disabled"), rule="operator", details={"client": id, "ended": ended}),
        )

    async def enable(self, tx: Transaction, ctx: Context, id: str) -> None:
        """Let a suspended client work again; what had ended stays ended. Raises CLIENT_UNKNOWN."""
        if not await repository.enable(tx, id):
            _unknown()
        await record(tx, ctx, Entry("U", InstanceEvent("client_enabled"), rule="operator", details={"client": id}))

    async def renew_secret(self, tx: Transaction, ctx: Context, id: str) -> str:
        """A new secret for a client that has one, given this once; the former one ends. Raises CLIENT_UNKNOWN."""
        self._seen.pop(id, None)
        secret = secrets.token_urlsafe(32)
        if not await repository.renew_secret(tx, id, tokens.digest(secret)):
            _unknown()
        await record(
            tx, ctx, Entry("U", InstanceEvent("client_secret_renewed"), rule="operator", details={"client": id})
        )
        return secret

    async def listed(self, reader: Reader) -> list[Listed]:
        """Every client, suspended ones included, by name."""
        return await repository.listed(reader)

    async def everyone(self, reader: Reader) -> list[Client]:
        """Every client, by name."""
        return await repository.everyone(reader)

    async def known(self, reader: Reader, id: str | None) -> Client:
        """The client of this identifier. Raises INVALID_CLIENT."""
        client = await repository.find(reader, id) if id and len(id) <= 200 else None
        if client is None:
            refuse(
                "INVALID_CLIENT",
                "No client has this client_id; `ambroise client register` makes one.",
                Kind.UNAUTHENTICATED,
            )
        return client

    async def authenticate(self, presented: Presented) -> Client:
        """The client that makes a request, once it proved who it is. Raises INVALID_CLIENT, TOO_MANY_ATTEMPTS."""
        id = presented.id or (assertions.named(presented.assertion) if presented.assertion else None)
        if id and not id.isprintable():
            # No identifier of ours, nor one that the database could count attempts for.
            refuse("INVALID_CLIENT", _HOW, Kind.UNAUTHENTICATED)
        client = await self._find(id) if id else None
        if client is not None and await self._proved(client, presented):
            return client
        async with self.ground.database.reader() as reader:
            attempts = Attempts(self.ground.database, self.ground.clock)
            keys = ("oauth-client", id or "", presented.address), ("oauth-address", presented.address)
            await attempts.check(reader, *keys)
        await attempts.fail(*keys)
        refuse("INVALID_CLIENT", _HOW, Kind.UNAUTHENTICATED)

    async def _find(self, id: str) -> Client | None:
        """A client, as it was at most a second ago: to read it costs more than all the rest of giving a token."""
        now = self.ground.clock.now()
        seen = self._seen.get(id)
        if seen is not None and timedelta() <= now - seen[0] < _SEEN_LASTS:
            return seen[1]
        async with self.ground.database.reader() as reader:
            client = await repository.find(reader, id)
        if client is not None:
            if len(self._seen) >= _SEEN_MOST:
                self._seen.clear()
            self._seen[id] = now, client
        return client

    async def _proved(self, client: Client, presented: Presented) -> bool:
        match client.authentication:
            case ClientAuthentication.NONE:
                return presented.secret is None and presented.assertion is None
            case ClientAuthentication.SECRET:
                return _knows_secret(client, presented)
            case ClientAuthentication.CERTIFICATE:
                return presented.certificate is not None and presented.certificate.subject == client.tls_subject
            case ClientAuthentication.ASSERTION:
                return await self._asserted(client, presented.assertion)

    async def _asserted(self, client: Client, assertion: str | None) -> bool:
        if assertion is None or client.jwks is None:
            return False
        issuers = self.ground.issuers
        audiences = issuers | {issuer + TOKEN_ENDPOINT for issuer in issuers}
        found = assertions.proved(client.jwks, assertion, client.id, audiences, self.ground.clock.now())
        if found is None:
            return False
        async with self.ground.database.transaction() as tx:
            return await repository.use_assertion(tx, tokens.digest(f"{client.id} {found[0]}"), found[1])


_HOW = (
    "The client is unknown, or did not prove who it is: send client_id and client_secret by HTTP Basic or in the form; "
    "one with a certificate shows it on the mTLS port; one with keys sends a fresh client_assertion signed for this "
    "issuer; a public client sends client_id alone."
)


def _knows_secret(client: Client, presented: Presented) -> bool:
    if client.secret_hash is None or presented.secret is None:
        return False
    return hmac.compare_digest(client.secret_hash, tokens.digest(presented.secret))


def _check(new: NewClient) -> None:
    if not new.name.strip() or len(new.name) > _NAME_MOST:
        refuse("INVALID_CLIENT_METADATA", f"Give the client a name of at most {_NAME_MOST} characters.")
    if Grant.CODE in new.grants and not new.redirect_uris:
        refuse("INVALID_REDIRECT_URI", "Give at least one address to which people come back after signing in.")
    if (new.authentication is ClientAuthentication.ASSERTION) != (new.jwks is not None):
        refuse("INVALID_CLIENT_METADATA", "Give public keys (jwks) to a client that signs assertions, and to it alone.")
    if (new.authentication is ClientAuthentication.CERTIFICATE) != (new.tls_subject is not None):
        refuse(
            "INVALID_CLIENT_METADATA", "Give the subject of the certificate (tls_subject) of a client that shows one."
        )
    if Grant.EXCHANGE in new.grants and new.authentication is not ClientAuthentication.CERTIFICATE:
        refuse("INVALID_CLIENT_METADATA", "Who exchanges tokens shows a certificate: give tls_client_auth.")
    if {Grant.CLIENT, Grant.CIBA} & new.grants and new.authentication is ClientAuthentication.NONE:
        refuse("INVALID_CLIENT_METADATA", "A public client cannot act by itself: it proves nothing.")
    for uri in (*new.redirect_uris, *new.post_logout_uris):
        check_address(uri)
    if new.backchannel_logout_uri is not None:
        check_address(new.backchannel_logout_uri, called=True)
    if new.launch_uri is not None:
        check_address(new.launch_uri)
    if bad := [scope for scope in new.scopes if not _SCOPE.fullmatch(scope)]:
        refuse("INVALID_CLIENT_METADATA", f"Not a scope: {bad[0]!r}.")


def check_address(uri: str, *, called: bool = False) -> None:
    """Refuse an address to which nobody should be sent: RFC 6749 §3.1.2, RFC 8252, RFC 9700 §2.1.

    HTTPS, plain HTTP on the very machine, or the private scheme of an application, without fragment, user or wildcard.
    `called`: an address that we call ourselves.
    """
    try:
        parts = urlsplit(uri)
        local = parts.hostname in _LOOPBACK
        _ = parts.port
    except ValueError:
        refuse("INVALID_REDIRECT_URI", "It is not an address.")
    web = bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and local))
    application = not called and not parts.netloc and bool(_PRIVATE_SCHEME.fullmatch(parts.scheme))
    clean = uri.isascii() and uri.isprintable() and not set(uri) & set(' "<>\\^`{|}*')
    if not (web or application) or not clean or "#" in uri or "@" in parts.netloc or len(uri) > 2000:
        refuse(
            "INVALID_REDIRECT_URI",
            f"{uri!r} is refused: give an https address without fragment, http on localhost, "
            "or the private scheme of an application such as com.example.app:/back.",
        )


def _subject(text: str) -> str:
    try:
        return subject_name(text)
    except ValueError:
        refuse("INVALID_CLIENT_METADATA", "Write the subject as RFC 4514 does: CN=service,OU=id,O=structure,C=FR.")


def _unknown() -> NoReturn:
    raise Refusal(Kind.NOT_FOUND, "CLIENT_UNKNOWN", "No such client: reload the list.")


def _slug(name: str) -> str:
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())
    return re.sub("-+", "-", kept).strip("-")[:40] or f"client-{new_id().hex[:6]}"
