"""The master key: wraps the data keys, and nothing else.

The file holds every master key still in use, by id, and says which one wraps from now on. Old keys stay after a
rotation, since older backups need them, until somebody decides to forget them.
"""

import base64
import json
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from ambroise.kernel.crypto.files import write_secret

_SIZE = 32
_NONCE = 12


class UnknownMasterKey(Exception):
    """Something was wrapped by a master key that the file does not hold."""


class _Ring(Struct, frozen=True):
    current: str
    keys: dict[str, AESGCM]
    raw: dict[str, str]


class MasterKeys:
    """The master keys of one file; reads it again when another process has rotated it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._ring = self._load()

    @classmethod
    def open(cls, path: Path, *, create: bool = False) -> "MasterKeys":
        """Read the file; `create` makes a first key when there is none."""
        if create and not path.exists():
            cls._write(path, _new_id(), {})
        return cls(path)

    @property
    def current(self) -> str:
        return self._fresh().current

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._fresh().keys)

    def wrap(self, key: bytes, context: bytes) -> tuple[str, bytes]:
        """Encrypt a key for safe keeping: the id of the master key, and the wrapped key, bound to its context."""
        ring = self._fresh()
        nonce = os.urandom(_NONCE)
        return ring.current, nonce + ring.keys[ring.current].encrypt(nonce, key, context)

    def unwrap(self, master_id: str, wrapped: bytes, context: bytes) -> bytes:
        """The key that was wrapped. Raises UnknownMasterKey, or ValueError when bytes or context were tampered with."""
        ring = self._ring if master_id in self._ring.keys else self._fresh()
        master = ring.keys.get(master_id)
        if master is None:
            raise UnknownMasterKey(f"the master key {master_id} is not in {self._path}; put the former file back")
        try:
            return master.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], context)
        except InvalidTag as error:
            raise ValueError("a wrapped key does not match its context: it was altered or moved") from error

    def add(self) -> str:
        """Create a master key that wraps from now on; the former ones still unwrap."""
        new = _new_id()
        self._write(self._path, new, self._fresh().raw)
        return new

    def forget(self, master_id: str) -> None:
        """Remove a former master key for ever: whatever it still wraps is lost."""
        ring = self._fresh()
        if master_id == ring.current:
            raise ValueError("the current master key cannot be forgotten: rotate first")
        self._write(self._path, ring.current, {id: key for id, key in ring.raw.items() if id != master_id})

    def _fresh(self) -> _Ring:
        # A stat costs a microsecond, and a rotation by another process must be seen before the next wrap.
        if self._signature() != self._seen:
            self._ring = self._load()
        return self._ring

    def _signature(self) -> tuple[int, int, int]:
        state = self._path.stat()
        return state.st_ino, state.st_mtime_ns, state.st_size

    def _load(self) -> _Ring:
        self._seen = self._signature()
        content = json.loads(self._path.read_text())
        raw: dict[str, str] = content["keys"]
        return _Ring(content["current"], {id: AESGCM(base64.b64decode(key)) for id, key in raw.items()}, raw)

    @staticmethod
    def _write(path: Path, current: str, keys: dict[str, str]) -> None:
        if current not in keys:
            keys = {**keys, current: base64.b64encode(secrets.token_bytes(_SIZE)).decode()}
        write_secret(path, json.dumps({"current": current, "keys": keys}, indent=1).encode())


def _new_id() -> str:
    return "m" + secrets.token_hex(6)
