"""One secret of the installation, from which purposes derive their own keys."""

import secrets
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ambroise.kernel.crypto.files import write_secret

_SIZE = 32


class ApplicationSecret:
    """Derives independent keys by purpose: cookies, form tokens, pseudonyms in logs."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _SIZE:
            raise ValueError(f"an application secret has at least {_SIZE} bytes")
        self._secret = secret

    @classmethod
    def load(cls, path: Path) -> "ApplicationSecret":
        """Read the secret, or create it the first time."""
        if not path.exists():
            write_secret(path, secrets.token_bytes(_SIZE))
        return cls(path.read_bytes())

    def derive(self, purpose: str, size: int = _SIZE) -> bytes:
        """The same key for the same purpose, always; it says nothing about the others."""
        return HKDF(SHA256(), size, salt=None, info=b"ambroise " + purpose.encode()).derive(self._secret)
