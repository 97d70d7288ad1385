"""What a partner publishes, its metadata and its keys, kept for a while and read again when a key is not known."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, cast

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey
from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.modules.identity.federation import transport
from ambroise.modules.identity.federation.model import Partner
from ambroise.modules.identity.federation.transport import Unreachable

_KEPT: Final = timedelta(hours=1)
# Anybody may send a logout token that names a key: they do not make us call the partner more often than this.
_ASKED_AGAIN: Final = timedelta(seconds=10)
_RSA_BITS: Final = 2048
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384"}

VerificationKey = ECKey | RSAKey


class Metadata(Struct, frozen=True):
    """The addresses of a partner (OpenID Connect Discovery)."""

    authorization: str
    token: str
    keys: str
    user_info: str | None
    end_session: str | None
    names_itself: bool


class Remote:
    """One partner, as it stands."""

    def __init__(self, partner: Partner, clock: Clock) -> None:
        self.partner = partner
        self._clock = clock
        self._metadata: tuple[datetime, Metadata] | None = None
        self._keys: tuple[datetime, list[VerificationKey]] | None = None
        self._forced: datetime | None = None
        self._lock = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """Where its endpoints are. Raises Unreachable."""
        async with self._lock:
            return await self._fresh_metadata()

    async def key(self, algorithm: str, kid: str | None) -> VerificationKey | None:
        """The key that a token names; None when the partner publishes no such key. Raises Unreachable."""
        async with self._lock:
            found = _fitting(await self._fresh_keys(), algorithm, kid)
            now = self._clock.now()
            if found is None and (self._forced is None or now - self._forced >= _ASKED_AGAIN):
                self._forced = now
                self._keys = None
                found = _fitting(await self._fresh_keys(), algorithm, kid)
            return found

    async def _fresh_metadata(self) -> Metadata:
        now = self._clock.now()
        if self._metadata is None or now - self._metadata[0] > _KEPT:
            answer = await transport.get(self.partner, self.partner.discovery)
            self._metadata = now, _metadata(self.partner, _success(answer))
        return self._metadata[1]

    async def _fresh_keys(self) -> list[VerificationKey]:
        now = self._clock.now()
        if self._keys is None or now - self._keys[0] > _KEPT:
            address = (await self._fresh_metadata()).keys
            self._keys = now, _usable(_success(await transport.get(self.partner, address)))
        return self._keys[1]


def _success(answer: transport.Answer) -> dict[str, Any]:
    if answer.status != 200:
        raise Unreachable(f"it answered {answer.status}")
    return answer.json()


def _metadata(partner: Partner, found: Mapping[str, Any]) -> Metadata:
    # OpenID Connect Discovery §4.3: the issuer must be the very one that was asked for.
    if found.get("issuer") != partner.issuer:
        raise Unreachable("its metadata name another issuer")

    def address(name: str, *, needed: bool = True) -> str | None:
        value = found.get(name)
        if value is None and not needed:
            return None
        if not isinstance(value, str) or not transport.allowed(partner, value):
            raise Unreachable(f"its metadata give no allowed {name}")
        return value

    return Metadata(
        authorization=cast("str", address("authorization_endpoint")),
        token=cast("str", address("token_endpoint")),
        keys=cast("str", address("jwks_uri")),
        user_info=address("userinfo_endpoint", needed=False),
        end_session=address("end_session_endpoint", needed=False),
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
    )


def _usable(found: Mapping[str, Any]) -> list[VerificationKey]:
    """The public signing keys of a set; what we do not know how to use is left out."""
    listed = found.get("keys")
    if not isinstance(listed, list):
        raise Unreachable("its key set has no keys")
    usable: list[VerificationKey] = []
    for raw in cast("list[Any]", listed)[:100]:
        try:
            key = KeySet.import_key_set({"keys": [raw]}).keys[0]
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            continue
        if key.get("use", "sig") != "sig":
            continue
        if isinstance(key, ECKey) or (isinstance(key, RSAKey) and key.public_key.key_size >= _RSA_BITS):
            usable.append(key)
    return usable


def _fitting(keys: list[VerificationKey], algorithm: str, kid: str | None) -> VerificationKey | None:
    """The one key that may have signed so. Without a name in the token, only when there is no choice."""
    fits = [key for key in keys if _suits(key, algorithm) and (kid is None or key.get("kid") == kid)]
    return fits[0] if len(fits) == 1 else None


def _suits(key: VerificationKey, algorithm: str) -> bool:
    said = key.get("alg")
    if said is not None and said != algorithm:
        return False
    if isinstance(key, ECKey):
        return _CURVES.get(algorithm) == key.curve_name
    return algorithm[:2] in ("RS", "PS")
