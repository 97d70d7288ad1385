"""Writing letters, and what happens to them once sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.kernel.crypto import ApplicationSecret
from ambroise.kernel.crypto.envelope import seal, unseal
from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.errors import Kind as Refused
from ambroise.kernel.errors import Refusal
from ambroise.kernel.ids import new_id
from ambroise.kernel.outbox import emit
from ambroise.modules.letters import repository
from ambroise.modules.letters.model import Channel, Kind, Letter, Outcome

LETTER_WRITTEN: Final = "letter.written"
_KEPT: Final = timedelta(days=30)


class Letters(Struct, frozen=True):
    """The face of letters. `channels`: those that are set up. `kept`: whether the content stays after sending."""

    clock: Clock
    key: bytes
    channels: frozenset[Channel]
    kept: bool

    @classmethod
    def over(
        cls, clock: Clock, secret: ApplicationSecret, *, channels: frozenset[Channel], demonstration: bool
    ) -> Letters:
        """The letters of an instance; a demonstration has every channel, since its letter box can be read."""
        return cls(
            clock, secret.derive("letters"), frozenset(Channel) if demonstration else channels, kept=demonstration
        )

    async def write(
        self,
        tx: Transaction,
        channel: Channel,
        address: str,
        kind: Kind,
        details: Mapping[str, str] | None = None,
        *,
        language: str = "fr",
    ) -> UUID:
        """Write a letter, which leaves once this transaction is committed. Raises LETTERS_UNAVAILABLE."""
        if channel not in self.channels:
            raise Refusal(Refused.UNAVAILABLE, "LETTERS_UNAVAILABLE", "This instance sends no message of this sort.")
        id = new_id()
        content = json.dumps({"address": address, "details": dict(details or {})}).encode()
        sealed = seal(self.key, id.bytes, content)
        await repository.insert(tx, id, channel.value, kind.value, language, sealed, self.clock.now())
        await emit(tx, LETTER_WRITTEN, {"letter": str(id)})
        return id

    async def waiting(self, tx: Transaction, id: UUID) -> Letter | None:
        """A letter that was not sent yet, nor refused for good."""
        row = await repository.find(tx, id)
        if row is None or await self.outcome(tx, id) is not Outcome.WAITING:
            return None
        return self._letter(row)

    async def sent(self, tx: Transaction, id: UUID) -> None:
        """Note that a letter left."""
        await repository.mark_sent(tx, id, self.clock.now())
        if not self.kept:
            await repository.forget_content(tx, id)

    async def refused(self, tx: Transaction, id: UUID, answer: int) -> None:
        """Note that a letter will never be taken; `answer` is the code that the server gave."""
        await repository.mark_refused(tx, id, self.clock.now(), answer)
        if not self.kept:
            await repository.forget_content(tx, id)

    async def outcome(self, reader: Reader, id: UUID) -> Outcome:
        """What became of a letter; one that was swept long ago was sent."""
        found = await repository.ends(reader, id)
        if found is None or found[0] is not None:
            return Outcome.SENT
        return Outcome.REFUSED if found[1] is not None else Outcome.WAITING

    async def latest(self, reader: Reader, *, count: int = 30) -> list[Letter]:
        """The latest letters, newest first, for the letter box of a demonstration; none elsewhere."""
        if not self.kept:
            return []
        return [self._letter(row) for row in await repository.latest(reader, count)]

    async def sweep(self, tx: Transaction) -> int:
        """Forget letters older than thirty days."""
        return await repository.sweep(tx, self.clock.now() - _KEPT)

    def _letter(self, row: Row) -> Letter:
        id, channel, kind, language, sealed, written_at, sent_at = row
        content: dict[str, Any] = json.loads(unseal(self.key, id.bytes, sealed)) if sealed else {}
        return Letter(
            id,
            Channel(channel),
            Kind(kind),
            language,
            content.get("address", ""),
            content.get("details", {}),
            written_at,
            sent_at,
        )
