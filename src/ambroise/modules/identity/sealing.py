"""Small secrets at rest (TOTP secrets, drafts), under a key derived from the instance's own secret."""

from __future__ import annotations

from ambroise.kernel.crypto.application import ApplicationSecret
from ambroise.kernel.crypto.envelope import seal, unseal


class KeySealer:
    """Seals with AES-256-GCM; the purpose is bound to the box, so that one box never opens as another."""

    def __init__(self, secret: ApplicationSecret) -> None:
        self._key = secret.derive("identity")

    def seal(self, purpose: str, content: bytes) -> bytes:
        return seal(self._key, purpose.encode(), content)

    def unseal(self, purpose: str, box: bytes) -> bytes:
        return unseal(self._key, purpose.encode(), box)
