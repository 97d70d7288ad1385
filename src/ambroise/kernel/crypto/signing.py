"""The keys that sign access tokens (ES256), as files; the newest signs, all of them verify."""

import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from ambroise.kernel.crypto.files import write_secret
from ambroise.kernel.errors import Kind, Refusal

_ALGORITHM = "ES256"
_CACHED = 20_000


class SigningKeys:
    """Signs and verifies JSON Web Tokens."""

    def __init__(self, keys: list[ECKey]) -> None:
        if not keys:
            raise ValueError("at least one signing key is needed")
        self._keys = KeySet([*keys])
        self._signer = keys[-1]
        # Checking an ES256 signature costs more than a whole read: a token that was verified once is remembered.
        self._verified: OrderedDict[str, dict[str, Any]] = OrderedDict()

    @classmethod
    def load(cls, folder: Path, *, create: bool = False) -> "SigningKeys":
        """Read every `*.pem` of the folder, oldest first; `create` makes a first one when there is none."""
        files = sorted(folder.glob("*.pem"))
        if not files and create:
            files = [cls.add_to(folder)]
        return cls([ECKey.import_key(file.read_bytes(), {"kid": file.stem}) for file in files])

    @staticmethod
    def add_to(folder: Path) -> Path:
        """Create a key that signs from the next start on; the former ones still verify until they are removed."""
        key = ECKey.generate_key("P-256")
        # Names sort by date; the thumbprint keeps them unique.
        path = folder / f"{int(time.time()):012d}-{key.thumbprint()[:8]}.pem"
        write_secret(path, key.as_pem(private=True))
        return path

    def sign(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode({"alg": _ALGORITHM, "kid": self._signer.kid, "typ": "at+jwt"}, dict(claims), self._signer)

    def verify(self, token: str, *, now: float) -> Mapping[str, Any]:
        """The claims of a token signed by us, in date. Raises Refusal TOKEN_INVALID or TOKEN_EXPIRED."""
        claims = self._verified.get(token)
        if claims is None:
            claims = self._check(token)
            self._verified[token] = claims
            if len(self._verified) > _CACHED:
                self._verified.popitem(last=False)
        expires, not_before = claims.get("exp"), claims.get("nbf")
        if not isinstance(expires, (int, float)) or expires <= now:
            raise Refusal(Kind.UNAUTHENTICATED, "TOKEN_EXPIRED", "The access token has expired; ask for a new one.")
        if isinstance(not_before, (int, float)) and not_before > now:
            raise Refusal(Kind.UNAUTHENTICATED, "TOKEN_INVALID", "The access token is not valid yet.")
        return claims

    def jwks(self) -> dict[str, Any]:
        """The public keys, for whoever must verify our tokens."""
        return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": _ALGORITHM} for key in self._keys.keys]}

    def _check(self, token: str) -> dict[str, Any]:
        try:
            return jwt.decode(token, self._keys, algorithms=[_ALGORITHM]).claims
        except (JoseError, ValueError) as error:
            raise Refusal(
                Kind.UNAUTHENTICATED, "TOKEN_INVALID", "The access token is not one of ours, or was altered."
            ) from error
