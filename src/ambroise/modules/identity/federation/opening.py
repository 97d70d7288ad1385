"""Opening what a partner encrypted for us (JWE, RFC 7516): a signed token inside, which is judged as any other."""

from __future__ import annotations

import base64
from typing import Any, Final

import msgspec
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from ambroise.modules.identity.federation.model import Invalid, Partner

# What FranceConnect+ encrypts with (its open source code: ECDH-ES, RSA-OAEP, A256GCM), with the digest of today and the
# content encryption that is usual (OpenID Connect Registration §2). RSA1_5 and shared secrets are out.
ALGORITHMS: Final = ("ECDH-ES", "ECDH-ES+A256KW", "RSA-OAEP", "RSA-OAEP-256")
ENCODINGS: Final = ("A256GCM", "A128CBC-HS256")
LARGEST: Final = 64 * 1024


def opened(partner: Partner, token: str) -> str:
    """The signed token inside an encrypted one; another token as it is. Raises Invalid."""
    if token.count(".") != 4:
        return token
    if partner.decryption is None or len(token) > LARGEST:
        raise Invalid("encryption")
    header = _header(token.partition(".")[0])
    # Compressed, it would be larger than it looks (RFC 8725 §3.6).
    if header.get("alg") not in ALGORITHMS or header.get("enc") not in ENCODINGS or {"zip", "crit"} & header.keys():
        raise Invalid("encryption")
    try:
        key = private_key(partner.decryption.read_bytes())
        # Claims may be repeated in this header (RFC 7519 §5.3); those that count are inside, signed.
        registry = jwe.JWERegistry(algorithms=[*ALGORITHMS, *ENCODINGS], strict_check_header=False)
        found = jwe.decrypt_compact(token, key, registry=registry)
        return (found.plaintext or b"").decode("ascii")
    except (JoseError, ValueError) as error:
        raise Invalid("encryption") from error


def private_key(pem: bytes) -> ECKey | RSAKey:
    """A private key in PEM, EC or RSA. Raises JoseError, ValueError."""
    try:
        return ECKey.import_key(pem)
    except (JoseError, ValueError):
        return RSAKey.import_key(pem)


def _header(part: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=dict[str, Any])
    except (ValueError, msgspec.DecodeError) as error:
        raise Invalid("form") from error
