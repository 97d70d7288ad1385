"""Encryption of a push message for one browser (RFC 8291, over the content coding aes128gcm of RFC 8188).

The push service that carries the message cannot read it: only the browser has the key.
"""

from __future__ import annotations

import os
import struct
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LARGEST: Final = 3_000
"""The most bytes of a message: push services take bodies of 4,096 bytes (RFC 8030, 7.2)."""
_RECORD: Final = 4_096
_LAST: Final = b"\x02"


def encrypt(
    message: bytes,
    browser_key: bytes,
    auth: bytes,
    *,
    salt: bytes | None = None,
    ours: EllipticCurvePrivateKey | None = None,
) -> bytes:
    """The body for one browser. Raises ValueError when its key is no point of P-256 or the message is too long.

    `salt` and `ours` are fresh for each message; only the examples of the standard give them.
    """
    if len(message) > LARGEST:
        raise ValueError(f"a push message has at most {LARGEST} bytes")
    salt = salt or os.urandom(16)
    ours = ours or generate_private_key(SECP256R1())
    theirs = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), browser_key)
    our_key = point(ours.public_key())
    shared = ours.exchange(ECDH(), theirs)
    secret = _derive(auth, shared, b"WebPush: info\x00" + browser_key + our_key, 32)
    key = _derive(salt, secret, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derive(salt, secret, b"Content-Encoding: nonce\x00", 12)
    header = salt + struct.pack("!IB", _RECORD, len(our_key)) + our_key
    return header + AESGCM(key).encrypt(nonce, message + _LAST, None)


def point(key: EllipticCurvePublicKey) -> bytes:
    """A public key as browsers exchange it: 65 bytes, uncompressed."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derive(salt: bytes, secret: bytes, info: bytes, size: int) -> bytes:
    return HKDF(SHA256(), size, salt=salt, info=info).derive(secret)
