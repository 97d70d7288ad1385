"""Writing letters, and what happens to them once sent."""

from __future__ import annotations

import hashlib
import hmac
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
from ambroise.modules.letters.model import Channel, GivingBack, Kind, Letter, Outcome
from ambroise.modules.letters.returns.path import ReturnPath
from ambroise.modules.letters.returns.reading import Reading, Said, answered

LETTER_WRITTEN: Final = "letter.written"
LETTER_RETURNED: Final = "letter.returned"
_KEPT: Final = timedelta(days=30)
_PAUSED: Final = timedelta(days=365)
"""After which an address that gave mails back is tried again."""
_MOST_LOST: Final = 3
"""Mails lost within thirty days after which an address is paused though nobody said that it is gone."""
_HOLDABLE: Final = frozenset(
    {Kind.NOTICES, Kind.ACCOUNT_OPENED, Kind.NEW_DEVICE, Kind.PASSWORD_CHANGED, Kind.FACTOR_CHANGED}
)
"""What is held back from an address that gave mails back: the holder of an account reads it all in the portal. The rest
is always tried: a code that somebody asks for there and then, and the letters that the law asks for."""


class Letters(Struct, frozen=True):
    """The face of letters. `channels`: those that are set up. `kept`: whether the content stays after sending.

    `comes_back`: where mails come back that nobody takes, when the instance reads those.
    """

    clock: Clock
    key: bytes
    channels: frozenset[Channel]
    kept: bool
    comes_back: ReturnPath | None = None

    @classmethod
    def over(
        cls,
        clock: Clock,
        secret: ApplicationSecret,
        *,
        channels: frozenset[Channel],
        demonstration: bool,
        bounces: str | None = None,
    ) -> Letters:
        """The letters of an instance; a demonstration has every channel, since its letter box can be read.

        `bounces`: the address below which mails come back.
        """
        key = secret.derive("letters")
        comes_back = ReturnPath.over(key, bounces) if bounces is not None else None
        return cls(clock, key, frozenset(Channel) if demonstration else channels, demonstration, comes_back)

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
        digest = self._digest(address) if channel is Channel.MAIL else None
        await repository.insert(tx, id, channel.value, kind.value, language, sealed, digest, self.clock.now())
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

    async def refused(self, tx: Transaction, id: UUID, answer: int, words: str = "") -> None:
        """Note that a letter will never be taken; `answer` is the code that the server gave, `words` what it said."""
        await repository.mark_refused(tx, id, self.clock.now(), answer)
        await self.returned(tx, id, answered(words))
        if not self.kept:
            await repository.forget_content(tx, id)

    async def outcome(self, reader: Reader, id: UUID) -> Outcome:
        """What became of a letter; one that was swept long ago was sent."""
        found = await repository.ends(reader, id)
        if found is None or found[0] is not None:
            return Outcome.SENT
        if found[2] is not None:
            return Outcome.HELD
        return Outcome.REFUSED if found[1] is not None else Outcome.WAITING

    # Mails that come back.

    async def hold(self, tx: Transaction, letter: Letter) -> bool:
        """Whether a letter is not sent, since its address gave mails back."""
        if letter.channel is not Channel.MAIL or letter.kind not in _HOLDABLE:
            return False
        if await self.giving_back(tx, letter.address) is None:
            return False
        await repository.mark_held(tx, letter.id, self.clock.now())
        if not self.kept:
            await repository.forget_content(tx, letter.id)
        return True

    async def returned(self, tx: Transaction, id: UUID, reading: Reading) -> None:
        """Note what a mail at a return path says of a letter; each letter comes back once."""
        if reading.said is Said.NOTHING:
            return
        now = self.clock.now()
        digest = await repository.mark_returned(tx, id, now, reading.status)
        if digest is None:
            return
        most = 1 if reading.said is Said.GONE else _MOST_LOST
        paused = await repository.gives_back(tx, bytes(digest), now, reading.status, most=most, since=now - _KEPT)
        await emit(
            tx, LETTER_RETURNED, {"letter": str(id), "paused": paused.isoformat() if paused is not None else None}
        )

    async def giving_back(self, reader: Reader, address: str) -> GivingBack | None:
        """Whether nothing is sent to an address, since mails to it came back."""
        found = await repository.giving_back(reader, self._digest(address))
        return None if found is None else GivingBack(*found)

    async def reads(self, tx: Transaction, channel: Channel, address: str) -> None:
        """Somebody just proved to read this address: mails go there again."""
        if channel is Channel.MAIL:
            await repository.takes_mail(tx, self._digest(address))

    async def latest(self, reader: Reader, *, count: int = 30) -> list[Letter]:
        """The latest letters, newest first, for the letter box of a demonstration; none elsewhere."""
        if not self.kept:
            return []
        return [self._letter(row) for row in await repository.latest(reader, count)]

    async def sweep(self, tx: Transaction) -> int:
        """Forget letters older than thirty days, and after a year that an address gave mails back."""
        now = self.clock.now()
        await repository.sweep_giving_back(tx, now - _PAUSED, now - _KEPT)
        return await repository.sweep(tx, now - _KEPT)

    def _digest(self, address: str) -> bytes:
        return hmac.new(self.key, b"address" + address.strip().lower().encode(), hashlib.sha256).digest()

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
