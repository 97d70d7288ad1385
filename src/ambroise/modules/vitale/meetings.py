"""Being with a professional: a code that the person shows, with or without a card, opens the record by presence."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import hash64
from ambroise.modules.vitale.ground import Ground, space_of
from ambroise.modules.vitale.model import limits
from ambroise.modules.vitale.repositories import uses
from ambroise.trust.access.authority import Act
from ambroise.trust.access.lookups import count_lookup
from ambroise.trust.context import Context, Professional

# Without letters and digits that are mistaken for one another when read aloud or on a screen.
_ALPHABET: Final = "ACDEFHJKLMNPRTUVWXY3479"
_LENGTH: Final = 8


class MeetingCode(Struct, frozen=True):
    """What the person shows or reads aloud, and until when it is good."""

    code: str
    expires_at: datetime


class Meeting(Struct, frozen=True):
    """Whose record opened, until when."""

    patient: UUID
    until: datetime


class Meetings:
    """The use cases of presence without a card."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._database = ground.database

    async def invite(self, ctx: Context) -> MeetingCode:
        """Make a code, good once, for some minutes: for the person, and who may authorise in the person's name."""
        patient = space_of(ctx)
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        expires_at = ctx.now() + limits().meeting
        async with self._database.transaction() as tx:
            await self._ground.gateway.rights.allow(tx, ctx, patient, Act.AUTHORISE)
            await uses.keep_meeting(tx, _digest(code), patient, expires_at)
        return MeetingCode(f"{code[:4]} {code[4:]}", expires_at)

    async def meet(self, ctx: Context, code: str) -> Meeting:
        """The professional types or reads the code: the record opens by presence, or the rules say why not.

        Raises VITALE_MEETING for a code that is wrong, was used or is too old, VITALE_TOO_MANY.
        """
        if not isinstance(ctx.actor, Professional):
            raise Refusal(Kind.FORBIDDEN, "VITALE_READER_UNKNOWN", "Only a professional is met this way.")
        async with self._database.transaction() as tx:
            done = await count_lookup(tx, hash64(f"meeting:{ctx.actor.id}"), ctx.now())
        if done.in_minute > limits().meetings:
            raise Refusal(Kind.THROTTLED, "VITALE_TOO_MANY", "Too many codes in a minute.", data={"seconds": 60})
        async with self._database.transaction() as tx:
            patient = await uses.use_meeting(tx, _digest(code), ctx.actor.id, ctx.now())
            if patient is None:
                raise Refusal(
                    Kind.UNPROCESSABLE, "VITALE_MEETING", "This code is wrong, was used, or is too old.", element="code"
                )
            return Meeting(patient, await self._ground.gateway.rights.open_presence(tx, ctx, patient))


def _digest(code: str) -> bytes:
    return hashlib.sha256("".join(code.upper().split()).encode()).digest()
