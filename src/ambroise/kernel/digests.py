"""The digests that a document is known by, counted once however many ask for them."""

import hashlib

from msgspec import Struct


class Digests(Struct, frozen=True):
    """The size in bytes of a content, its SHA-1 (which the metadata of XDS ask for) and its SHA-256."""

    size: int
    sha1: bytes
    sha256: bytes

    @staticmethod
    def of(content: bytes) -> "Digests":
        """Those of a content in memory."""
        sha1 = hashlib.sha1(content, usedforsecurity=False)
        return Digests(len(content), sha1.digest(), hashlib.sha256(content).digest())
