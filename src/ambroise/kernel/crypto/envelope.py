"""Authenticated encryption of a document in chunks, so that memory stays small whatever its size.

Layout: one byte of format, a salt of 16 bytes, then chunks, each its ciphertext and a tag of 16 bytes. The key of one
envelope is derived (HKDF) from the data key, the salt and the context, and so is used once; the nonce is the number of
the chunk and whether it is the last. A chunk lost, repeated, moved, cut off or altered makes decryption fail.
"""

import os
import struct
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK = 256 * 1024
OVERHEAD_PER_CHUNK = 16
HEADER = 17

_FORMAT = b"\x01"
_SALT = 16


class Altered(Exception):
    """The envelope is not what was sealed: altered, truncated, or opened with another key or context."""


def seal(key: bytes, context: bytes, content: bytes) -> bytes:
    """Encrypt content that is already in memory: the envelope of `seal_stream`, without a copy of the content."""
    salt = os.urandom(_SALT)
    cipher, view, size = _cipher(key, salt, context), memoryview(content), len(content)
    parts = [_FORMAT + salt]
    for number, start in enumerate(range(0, size or 1, CHUNK)):
        last = start + CHUNK >= size
        parts.append(cipher.encrypt(_nonce(number, last=last), view[start : start + CHUNK], None))
    return b"".join(parts)


def unseal(key: bytes, context: bytes, sealed: bytes) -> bytes:
    """The content of an envelope. Raises Altered."""
    return b"".join(unseal_stream(key, context, [sealed]))


def seal_stream(key: bytes, context: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Encrypt pieces of any size, keeping one chunk in memory."""
    salt = os.urandom(_SALT)
    cipher = _cipher(key, salt, context)
    yield _FORMAT + salt
    number = 0
    chunks = _regroup(pieces, CHUNK)
    held = next(chunks, b"")
    for chunk in chunks:
        yield cipher.encrypt(_nonce(number, last=False), held, None)
        held = chunk
        number += 1
    yield cipher.encrypt(_nonce(number, last=True), held, None)


def unseal_stream(key: bytes, context: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Decrypt chunk by chunk; what was yielded is authentic, and Altered is raised if the end is missing."""
    opener = Opener(key, context)
    for piece in pieces:
        yield from opener.feed(piece)
    yield opener.finish()


class Opener:
    """Decrypts an envelope that arrives in pieces of any size."""

    def __init__(self, key: bytes, context: bytes) -> None:
        self._key = key
        self._context = context
        self._cipher: AESGCM | None = None
        self._number = 0
        self._held = bytearray()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        self._held += piece
        if self._cipher is None and len(self._held) >= HEADER:
            self._open_header()
        # The last chunk has another nonce, so one chunk stays back until we know that more follows.
        while self._cipher is not None and len(self._held) > CHUNK + OVERHEAD_PER_CHUNK:
            sealed = bytes(self._held[: CHUNK + OVERHEAD_PER_CHUNK])
            del self._held[: CHUNK + OVERHEAD_PER_CHUNK]
            yield self._decrypt(sealed, last=False)

    def finish(self) -> bytes:
        return self._decrypt(bytes(self._held), last=True)

    def _open_header(self) -> None:
        if bytes(self._held[:1]) != _FORMAT:
            raise Altered("unknown envelope format")
        self._cipher = _cipher(self._key, bytes(self._held[1:HEADER]), self._context)
        del self._held[:HEADER]

    def _decrypt(self, sealed: bytes, *, last: bool) -> bytes:
        if self._cipher is None:
            raise Altered("the envelope has no header")
        try:
            content = self._cipher.decrypt(_nonce(self._number, last=last), sealed, None)
        except (InvalidTag, ValueError) as error:
            raise Altered(f"chunk {self._number} of the envelope is not what was sealed") from error
        self._number += 1
        return content


def sealed_size(size: int) -> int:
    """How many bytes an envelope of so much content has."""
    return HEADER + size + max(1, -(-size // CHUNK)) * OVERHEAD_PER_CHUNK


def _cipher(key: bytes, salt: bytes, context: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=salt, info=b"ambroise envelope " + context).derive(key))


def _nonce(number: int, *, last: bool) -> bytes:
    return struct.pack(">QI", number, last)


def _regroup(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)
