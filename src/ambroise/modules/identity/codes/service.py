"""Codes of six digits sent by mail or SMS: they prove that somebody reads an address.

The official codes of refusal are those of the enrolment of Mon espace santé: MIN_DELAY_ERROR, CODE_EXPIRED,
CODE_ALREADY_USED.
"""

from __future__ import annotations

import hmac
import json
import secrets
from datetime import timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity import tokens
from ambroise.modules.identity.codes import repository
from ambroise.modules.identity.tokens import Sealer
from ambroise.modules.letters.api import Channel, Letters
from ambroise.modules.letters.api import Kind as LetterKind

APART: Final = timedelta(seconds=30)
LASTS: Final = timedelta(minutes=10)
SIGN_IN: Final = "sign_in"
_TRIES: Final = 5
_SEALED: Final = "one-time-code"


class Destination(Struct, frozen=True):
    """Where a code goes, and in which language its letter speaks."""

    channel: Channel
    address: str
    language: str = "fr"


class Codes(Struct, frozen=True):
    """Sends codes and checks them."""

    database: Database
    clock: Clock
    sealer: Sealer
    letters: Letters

    async def send(
        self, tx: Transaction, subject: UUID, purpose: str, to: Destination, kind: LetterKind, *, pace: str = ""
    ) -> None:
        """Send a new code, which ends the one before. Raises MIN_DELAY_ERROR within 30 s of the last one.

        `pace` says under what the 30 seconds are counted; without it, under the subject.
        """
        now = self.clock.now()
        kept_apart = tokens.digest(f"pace {pace or subject}")
        last = await repository.last_sent(tx, kept_apart)
        if last is not None and now - last < APART:
            left = int((last + APART - now).total_seconds()) + 1
            raise Refusal(
                Kind.THROTTLED, "MIN_DELAY_ERROR", "Wait 30 seconds between two codes.", data={"retry_after": left}
            )
        code = _drawn()
        kept = json.dumps({"code": code, "channel": to.channel.value, "address": to.address}).encode()
        await repository.put(tx, subject, purpose, self.sealer.seal(_SEALED, kept), kept_apart, now, now + LASTS)
        await self.letters.write(tx, to.channel, to.address, kind, {"code": code}, language=to.language)

    async def keep_unsent(self, tx: Transaction, subject: UUID, purpose: str) -> None:
        """Keep a code that nobody receives, so that checking answers as if one had been sent."""
        now = self.clock.now()
        kept = json.dumps({"code": _drawn(), "channel": Channel.MAIL.value, "address": ""}).encode()
        sealed = self.sealer.seal(_SEALED, kept)
        await repository.put(tx, subject, purpose, sealed, tokens.digest(f"pace {subject}"), now, now + LASTS)

    async def check(self, subject: UUID, purpose: str, code: str) -> Destination:
        """Use a code up; where it had been sent. Raises CODE_WRONG, CODE_EXPIRED or CODE_ALREADY_USED.

        A wrong code counts even though it is refused: after five the code is worth nothing.
        """
        now = self.clock.now()
        async with self.database.transaction() as tx:
            sent = await repository.try_once(tx, subject, purpose, _TRIES)
            if sent is None or now >= sent.expires_at:
                problem = "CODE_EXPIRED"
            elif sent.used_at is not None:
                problem = "CODE_ALREADY_USED"
            else:
                kept = json.loads(self.sealer.unseal(_SEALED, sent.sealed))
                if hmac.compare_digest(kept["code"], "".join(c for c in code if c.isdecimal() and c.isascii())):
                    await repository.use(tx, subject, purpose, now)
                    reached = Destination(Channel(kept["channel"]), kept["address"])
                    await self.letters.reads(tx, reached.channel, reached.address)
                    return reached
                problem = "CODE_WRONG"
        raise Refusal(Kind.UNPROCESSABLE, problem, "Type the latest code received, or ask for another.", element="code")


def _drawn() -> str:
    return f"{secrets.randbelow(1_000_000):06}"
