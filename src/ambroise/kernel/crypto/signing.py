"""The keys that sign access tokens (ES256), as files; the newest signs, all of them verify."""

import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey, Key, KeyParameters, KeySet

from ambroise.kernel.crypto.files import write_secret


class SigningKeys:
    """`signer` signs; `all` verifies, so that tokens survive a rotation and keys added by another process are known."""

    def __init__(self, folder: Path) -> None:
        self.all = _FolderKeys(folder)
        self.signer = self.all.newest

    @classmethod
    def load(cls, folder: Path, *, create: bool = False) -> "SigningKeys":
        """Read every `*.pem` of the folder; `create` makes a first one when there is none."""
        if create and not any(folder.glob("*.pem")):
            cls.add_to(folder)
        return cls(folder)

    def signer_at(self, published_by: datetime) -> ECKey:
        """The newest key that was published by this instant, so that who verifies knows it; else the oldest one."""
        self.all.refresh()
        latest = f"{int(published_by.timestamp() * 1e6):016d}"
        known = [key for key in self.all.keys if str(key.kid) <= latest]
        chosen = known[-1] if known else self.all.keys[0]
        assert isinstance(chosen, ECKey)  # noqa: S101 - nothing else is read.
        return chosen

    @staticmethod
    def add_to(folder: Path) -> Path:
        """Create a key that signs from now on; the former ones still verify until they are removed."""
        key = ECKey.generate_key("P-256")
        # Names sort by date; the thumbprint keeps two of one instant apart.
        path = folder / f"{time.time_ns() // 1000:016d}-{key.thumbprint()[:8]}.pem"
        write_secret(path, key.as_pem(private=True))
        return path

    def jwks(self) -> dict[str, Any]:
        """The public keys, for whoever must verify our tokens."""
        return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": "ES256"} for key in self.all.keys]}


class _FolderKeys(KeySet):
    """The keys of a folder, read again when a token names one that was added since."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = -1
        super().__init__([])
        self._read()
        if not self.keys:
            raise ValueError("no signing key: `ambroise migrate` or `ambroise demo` makes the first one")

    @property
    def newest(self) -> ECKey:
        key = self.keys[-1]
        assert isinstance(key, ECKey)  # noqa: S101 - nothing else is read.
        return key

    def get_by_kid(self, kid: str | None = None, parameters: KeyParameters | None = None) -> Key:
        if all(key.kid != kid for key in self.keys):
            self._read()
        return super().get_by_kid(kid, parameters)

    def refresh(self) -> None:
        """Read the folder again, if it changed."""
        self._read()

    def _read(self) -> None:
        # Only when the folder changed: a stranger may name any key in a token, at any rate.
        try:
            changed = os.stat(self._folder).st_mtime_ns
        except FileNotFoundError:
            changed = 0
        if changed != self._seen:
            self._seen = changed
            files = sorted(self._folder.glob("*.pem"))
            self.keys = [ECKey.import_key(file.read_bytes(), {"kid": file.stem}) for file in files]
