"""Who we are for push services (VAPID, RFC 8292): one key pair of the instance, and a short-lived token for each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey
from msgspec import Struct

from ambroise.kernel.crypto import ApplicationSecret
from ambroise.modules.notification.push.encryption import point
from ambroise.modules.notification.push.text import b64

_LASTS: Final = timedelta(hours=12)
"""A token is worth at most a day (RFC 8292, 2)."""
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Vapid(Struct, frozen=True):
    """Signs as this instance. `contact`: whom the operator of a push service may write to."""

    key: EllipticCurvePrivateKey
    contact: str

    @classmethod
    def of(cls, secret: ApplicationSecret, contact: str) -> Vapid:
        """The key pair of an instance: derived from its secret, hence kept and saved with it, and the same for ever.

        A new pair would silence every browser that asked to be told.
        """
        # 128 bits more than the order, so that the reduction favours no scalar (FIPS 186-5, A.2.1).
        scalar = int.from_bytes(secret.derive("push", 48), "big") % (_ORDER - 1) + 1
        return cls(derive_private_key(scalar, SECP256R1()), contact)

    @property
    def public(self) -> str:
        """The key that a page gives its browser (applicationServerKey)."""
        return b64(point(self.key.public_key()))

    def authorization(self, endpoint: str, now: datetime) -> str:
        """The header that says who sends."""
        parts = urlsplit(endpoint)
        claims: dict[str, Any] = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int((now + _LASTS).timestamp()),
            "sub": self.contact,
        }
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        token = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, ECKey.import_key(pem))
        return f"vapid t={token}, k={self.public}"
