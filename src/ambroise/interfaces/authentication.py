"""From a bearer token to the context of a request: who calls, verified, with what the directory says of that person."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError
from joserfc.jwk import ECKey, KeySet
from joserfc.jwt import JWTClaimsRegistry
from msgspec import Struct
from msgspec.structs import replace

from ambroise.interfaces import token_claims as claim
from ambroise.kernel.clock import Clock
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.identity.provider.api import FAMILY, LIMITED
from ambroise.trust.context import Channel, Citizen, Context, Operator, Professional, Purpose, System
from ambroise.trust.limits import Limits

MAX_TOKEN: Final = 8192
_LEEWAY_SECONDS: Final = 5


class Space(Struct, frozen=True):
    """The space that an INS or a Patient id names, with the person's name for the trace."""

    patient: UUID
    name: str


class People(Protocol):
    """What the directory and the identity registry know of who holds a token."""

    async def professional(self, rpps: str, organization: str | None) -> Professional | None:
        """The professional in that exercise situation (organization is a FINESS), None when the directory has none."""
        ...

    async def space(self, key: UUID | str) -> Space | None:
        """The space of a Patient id or of an INS, None when there is none."""
        ...


class SignOns(Protocol):
    """What the provider of professionals knows of the tokens that it gave."""

    @property
    def issuers(self) -> frozenset[str]:
        """The names under which it gives tokens."""
        ...

    async def is_live(self, family: UUID) -> bool:
        """Whether what a token comes from still lasts: not revoked, not left, in its hours."""
        ...


class _Verified(Struct, frozen=True):
    context: Context
    claims: dict[str, Any]
    expires: int
    good_until: float
    holder: str | None = None


class _Known(Struct, frozen=True):
    professional: Professional
    good_until: float


class Authenticator:
    """Verifies tokens and remembers, for a short time, those it verified, and who signs assertions.

    `keep` bounds how long a change in the directory goes unseen; rights are read at each request whatever it says.
    """

    def __init__(
        self,
        key: ECKey | KeySet,
        people: People,
        *,
        issuer: str,
        audience: str,
        clock: Clock,
        demonstration: bool = False,
        sign_ons: SignOns | None = None,
        keep: timedelta = timedelta(seconds=30),
        remembered: int = 10_000,
    ) -> None:
        self._key = key
        self.people = people
        self._clock = clock
        self._demonstration = demonstration
        self._sign_ons = sign_ons
        self._keep = keep.total_seconds()
        self._remembered = remembered
        self._verified: OrderedDict[str, _Verified] = OrderedDict()
        self._known: OrderedDict[tuple[str, str | None], _Known] = OrderedDict()
        self._forgotten = 0
        self._registry = JWTClaimsRegistry(
            now=lambda: int(clock.now().timestamp()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "values": [issuer, *sorted(sign_ons.issuers if sign_ons else ())]},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            jti={"essential": True},
        )

    async def context(self, authorization: str | None, holder: str | None = None, channel: Channel = "fhir") -> Context:
        """The context of one request. Raises UNAUTHENTICATED, with what is wrong with the token.

        `holder` is the thumbprint of the certificate shown in the handshake, that a bound token wants (RFC 8705).
        """
        token = bearer(authorization)
        now = self._clock.now().timestamp()
        known = self._verified.get(token)
        if known is None or now >= known.good_until:
            known = await self._verify(token, now, known)
        elif now >= known.expires:
            raise _expired()
        if known.holder is not None and known.holder != holder:
            raise _refused("It is bound to a certificate: use it on the mTLS port, with that certificate.")
        if known.context.limits is not None and channel != "fhir":
            text = "A token of a launch opens the FHIR interface, as far as its scopes say."
            raise Refusal(Kind.FORBIDDEN, "SCOPE_INSUFFICIENT", text)
        await self._check_sign_on(known.claims)
        return _one_request(known.context, channel)

    async def professional(self, rpps: str, organization: str | None) -> Professional | None:
        """Who practises there, as the directory says or said a moment ago; None when it has none."""
        asked, now = (rpps, organization), self._clock.now().timestamp()
        known = self._known.get(asked)
        if known is not None and now < known.good_until:
            return known.professional
        forgotten = self._forgotten
        found = await self.people.professional(rpps, organization)
        if found is not None and forgotten == self._forgotten:
            self._known[asked] = _Known(found, now + self._keep)
            self._known.move_to_end(asked)
            while len(self._known) > self._remembered:
                self._known.popitem(last=False)
        return found

    def forget(self, professionals: frozenset[str] | None) -> None:
        """Look these professionals (PS_IdNat) up again at their next request; everybody, for None."""
        self._forgotten += 1
        for asked, known in list(self._known.items()):
            if professionals is None or known.professional.id in professionals:
                del self._known[asked]
        for token, known in list(self._verified.items()):
            actor = known.context.actor
            if professionals is None or (isinstance(actor, Professional) and actor.id in professionals):
                del self._verified[token]

    async def _verify(self, token: str, now: float, before: _Verified | None) -> _Verified:
        # A signature that was right stays right; a thread would cost more than to check one.
        claims = self._decoded(token) if before is None else before.claims
        self._validate(claims)
        forgotten = self._forgotten
        context = await self._context(claims)
        verified = _Verified(context, claims, int(claims["exp"]), now + self._keep, _holder(claims))
        if forgotten != self._forgotten:
            # Somebody was to be forgotten while this was looked up: it holds for this request alone.
            return verified
        self._verified[token] = verified
        self._verified.move_to_end(token)
        while len(self._verified) > self._remembered:
            self._verified.popitem(last=False)
        return verified

    async def _check_sign_on(self, claims: Mapping[str, Any]) -> None:
        """A token of the provider ends with its sign-on: looked at in each request."""
        if self._sign_ons is None or claims["iss"] not in self._sign_ons.issuers:
            return
        family = _text(claims, FAMILY)
        if family is None or not await self._sign_ons.is_live(_uuid(family)):
            raise _refused("What it comes from has ended: sign in again.")

    def _decoded(self, token: str) -> dict[str, Any]:
        """What a token says, once its signature was found right."""
        try:
            decoded = jwt.decode(token, self._key, algorithms=[claim.ALGORITHM])
        except (JoseError, ValueError) as error:
            raise _refused("Its signature or its form is wrong.") from error
        if str(decoded.header.get("typ", "")).lower().removeprefix("application/") != claim.TOKEN_TYPE:
            raise _refused("It is not an access token.")
        return decoded.claims

    def _validate(self, claims: dict[str, Any]) -> None:
        """Whether what it says is meant for us, and for now."""
        try:
            self._registry.validate(claims)
        except ExpiredTokenError:
            raise _expired() from None
        except ClaimError as error:
            raise _refused(f"Its claim {error.claim} is missing or wrong.") from None
        except (JoseError, ValueError) as error:
            raise _refused("Its form is wrong.") from error

    async def _context(self, claims: Mapping[str, Any]) -> Context:
        shared = _Circumstances.of(claims)
        match _text(claims, claim.ROLE):
            case claim.Role.SYSTEM:
                return self._made(System(), shared)
            case claim.Role.OPERATOR:
                return self._made(Operator(claims["sub"], shared.name or claims["sub"], _duties(claims)), shared)
            case claim.Role.PROFESSIONAL:
                return self._made(await self._professional(claims), shared)
            case claim.Role.CITIZEN:
                return await self._citizen(claims, shared)
            case _:
                raise _refused(f"Its claim {claim.ROLE} names no role that exists.")

    async def _professional(self, claims: Mapping[str, Any]) -> Professional:
        rpps, organization = _text(claims, claim.RPPS), _text(claims, claim.ORGANIZATION)
        found = await self.people.professional(rpps, organization) if rpps else None
        if found is None:
            where = " in that organization" if organization else ""
            raise Refusal(
                Kind.UNAUTHENTICATED,
                "PROFESSIONAL_UNKNOWN",
                f"The directory knows no professional of that RPPS{where}.",
            )
        return found

    async def _citizen(self, claims: Mapping[str, Any], shared: "_Circumstances") -> Context:
        own = await self._space(_text(claims, claim.PATIENT) or _text(claims, claim.INS))
        context = self._made(Citizen(own.patient, own.name), shared)
        if shared.acting_for is None:
            return context
        return replace(context, acting_for=(await self._space(shared.acting_for)).patient)

    async def _space(self, named: str | None) -> Space:
        found = await self.people.space(_patient_key(named)) if named else None
        if found is None:
            raise Refusal(Kind.UNAUTHENTICATED, "SPACE_UNKNOWN", "The token names a space that does not exist here.")
        return found

    def _made(self, actor: Citizen | Professional | Operator | System, shared: "_Circumstances") -> Context:
        return Context(
            actor=actor,
            clock=self._clock,
            purpose=shared.purpose,
            reason=shared.reason,
            secret=shared.secret,
            software=shared.software,
            demonstration=self._demonstration,
            limits=shared.limits,
        )


class _Circumstances(Struct, frozen=True):
    purpose: Purpose
    reason: str | None
    secret: bool
    software: str | None
    name: str | None
    acting_for: str | None
    limits: Limits | None = None

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> "_Circumstances":
        wanted = _text(claims, claim.PURPOSE) or Purpose.NORMAL
        if wanted not in Purpose.__members__.values():
            raise _refused(f"Its claim {claim.PURPOSE} must be one of {', '.join(Purpose)}.")
        return cls(
            purpose=Purpose(wanted),
            reason=_text(claims, claim.REASON),
            secret=claims.get(claim.SECRET) is True,
            software=_text(claims, claim.SOFTWARE),
            name=_text(claims, claim.NAME),
            acting_for=_text(claims, claim.ACTING_FOR),
            limits=_limits(claims),
        )


def _one_request(context: Context, channel: Channel) -> Context:
    """The same caller, in a request of its own."""
    return replace(context, request_id=new_id(), channel=channel)


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header. Raises UNAUTHENTICATED."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Refusal(
            Kind.UNAUTHENTICATED, "TOKEN_MISSING", "Send `Authorization: Bearer …`; `ambroise token` makes one."
        )
    if len(token) > MAX_TOKEN:
        raise _refused("It is too long to be one of ours.")
    return token


def _holder(claims: Mapping[str, Any]) -> str | None:
    """The certificate that a token wants; one that says so badly suits nobody."""
    confirmation = claims.get("cnf")
    if confirmation is None:
        return None
    wanted = confirmation.get("x5t#S256") if isinstance(confirmation, dict) else None
    if not isinstance(wanted, str) or not wanted:
        raise _refused("Its claim cnf names no certificate.")
    return wanted


def _limits(claims: Mapping[str, Any]) -> Limits | None:
    """What a token of a launch leaves; None when it is of another sort."""
    launch = claims.get(LIMITED)
    if launch is None:
        return None
    if not isinstance(launch, dict) or not isinstance(launch.get("patient"), str):
        raise _refused(f"Its claim {LIMITED} cannot be read.")
    patient = launch["patient"]
    return Limits.of((_text(claims, claim.SCOPE) or "").split(), _uuid(patient) if patient else None)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _refused("It names nothing that exists here.") from None


def _patient_key(named: str) -> UUID | str:
    try:
        return UUID(named)
    except ValueError:
        return named


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _refused(f"Its claim {name} must be a string.")
    return value


def _duties(claims: Mapping[str, Any]) -> frozenset[str]:
    given = claims.get(claim.DUTIES, [])
    return frozenset(str(each) for each in given) if isinstance(given, list) else frozenset()


def _refused(why: str) -> Refusal:
    return Refusal(Kind.UNAUTHENTICATED, "TOKEN_INVALID", f"The token is refused. {why}")


def _expired() -> Refusal:
    return Refusal(Kind.UNAUTHENTICATED, "TOKEN_EXPIRED", "The token has expired; ask for a new one.")
