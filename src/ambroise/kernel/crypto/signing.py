"""The keys that sign access tokens (ES256), as files; the newest signs, all of them verify."""

import time
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey, KeySet

from ambroise.kernel.crypto.files import write_secret


class SigningKeys:
    """`signer` signs from now on; `all` verifies, so that tokens survive a rotation."""

    def __init__(self, keys: list[ECKey]) -> None:
        if not keys:
            raise ValueError("no signing key: `ambroise migrate` or `ambroise demo` makes the first one")
        self.signer = keys[-1]
        self.all = KeySet([*keys])

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
        # Names sort by date; the thumbprint keeps two of one instant apart.
        path = folder / f"{time.time_ns() // 1000:016d}-{key.thumbprint()[:8]}.pem"
        write_secret(path, key.as_pem(private=True))
        return path

    def jwks(self) -> dict[str, Any]:
        """The public keys, for whoever must verify our tokens."""
        return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": "ES256"} for key in self.all.keys]}
