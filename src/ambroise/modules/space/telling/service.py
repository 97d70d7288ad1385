"""Letters about the life of a space: the notice, the confirmations, and objecting without an account.

The notice says how to object, and an objection is confirmed with its proof (CSP R. 1111-28); a closing, a suspension
and a request of deletion are told to the holder (CSP R. 1111-36).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.outbox import Event, Handler
from ambroise.modules.identity.api import identity_of
from ambroise.modules.letters.api import Channel as LetterChannel
from ambroise.modules.letters.api import Kind as LetterKind
from ambroise.modules.letters.api import Letters
from ambroise.modules.space import repository as lives
from ambroise.modules.space.events import event_of
from ambroise.modules.space.model import Channel, Life, Step
from ambroise.modules.space.service import Spaces
from ambroise.modules.space.telling import repository
from ambroise.modules.space.telling.codes import digest, new_code, proof_digest
from ambroise.trust.context import Citizen, Context

MailOf = Callable[[Transaction, UUID], Awaitable[str | None]]
"""The mail address of the holder of a space, None when nobody knows one."""

PROOF_LASTS: Final = timedelta(days=365)
_KINDS: Final[Mapping[Step, LetterKind]] = {
    Step.NOTIFY: LetterKind.SPACE_NOTICE,
    Step.OBJECT: LetterKind.SPACE_OBJECTED,
    Step.OPEN: LetterKind.SPACE_OPENED,
    Step.CLOSE: LetterKind.SPACE_CLOSED,
    Step.CLOSE_SUSPENDED: LetterKind.SPACE_CLOSED,
    Step.SUSPEND: LetterKind.SPACE_SUSPENDED,
    Step.LIFT: LetterKind.SPACE_BACK,
    Step.CONTEST: LetterKind.SPACE_BACK,
    Step.REOPEN: LetterKind.SPACE_BACK,
    Step.REQUEST_DELETION: LetterKind.SPACE_DELETION,
}
_WITH_CODE: Final = frozenset({Step.NOTIFY, Step.OBJECT})
_PROVED: Final = frozenset({Step.OBJECT, Step.CLOSE})
"""Steps whose letter goes with its proof on paper."""


class Telling(Struct, frozen=True):
    """Writes to the holder at each step of the life of a space."""

    letters: Letters
    clock: Clock
    mail_of: MailOf

    def table(self) -> dict[str, Handler]:
        """Which handler serves which event."""
        return {event_of(step.value): self._handler(step) for step in _KINDS}

    def _handler(self, step: Step) -> Handler:
        async def tell(tx: Transaction, event: Event) -> None:
            if event.patient is not None:
                await self._tell(tx, event.patient, step, str(event.payload["state"]))

        return tell

    async def _tell(self, tx: Transaction, patient: UUID, step: Step, state: str) -> None:
        """Write one letter, when an address is known and the space did not move on: the later step has its own letter.

        A notice sent by post is not sent again by mail.
        """
        life = await lives.life(tx, patient)
        if life is None or life.state != state or (step is Step.NOTIFY and life.notified_by is not Channel.MAIL):
            return
        mail = await self.mail_of(tx, patient) if LetterChannel.MAIL in self.letters.channels else None
        if mail is None:
            return
        details = {"until": life.due_at.isoformat()} if life.due_at is not None else {}
        if step in _PROVED:
            details["patient"] = str(patient)
        if step in _WITH_CODE:
            details["code"] = await self._code(tx, life, step)
        letter = await self.letters.write(tx, LetterChannel.MAIL, mail, _KINDS[step], details)
        if step is Step.NOTIFY:
            await repository.carried_by(tx, digest(details["code"]), letter)

    async def letter_returned(self, tx: Transaction, event: Event) -> None:
        """Print a notice that came back by mail: who never read it could not oppose the opening (CSP R. 1111-28)."""
        patient = await repository.told_by(tx, UUID(event.payload["letter"]))
        if patient is not None:
            await repository.by_post(tx, patient)

    async def _code(self, tx: Transaction, life: Life, step: Step) -> str:
        code = new_code()
        now = self.clock.now()
        ends = (life.due_at or now) if step is Step.NOTIFY else now + PROOF_LASTS
        await repository.put(tx, digest(code), life.patient, ends)
        return code


class Notices(Struct, frozen=True):
    """What the holder of a letter may do without an account."""

    database: Database
    spaces: Spaces
    clock: Clock
    demonstration: bool

    async def life(self, code: str) -> Life:
        """The space that a letter tells of. Raises NOTICE_UNKNOWN."""
        async with self.database.reader() as reader:
            found = await lives.life(reader, await self._patient(reader, code))
        if found is None:
            raise _unknown()
        return found

    async def object(self, code: str) -> Life:
        """Oppose the opening. Raises NOTICE_UNKNOWN, OBJECTION_TOO_LATE."""
        async with self.database.transaction() as tx:
            patient = await self._patient(tx, code)
            person = await identity_of(tx, patient)
            holder = Citizen(patient, person.display_name if person else "")
            ctx = Context(holder, self.clock, channel="web", software="notice", demonstration=self.demonstration)
            moved = await self.spaces.object(tx, ctx, patient)
            # The same code fetches the proof at once, and for as long as the letter of confirmation says.
            await repository.put(tx, proof_digest(code), patient, self.clock.now() + PROOF_LASTS)
        return moved

    async def sweep(self, tx: Transaction) -> int:
        """Forget the codes whose time is over."""
        return await repository.sweep(tx, self.clock.now())

    async def _patient(self, reader: Reader, code: str) -> UUID:
        now: datetime = self.clock.now()
        found = await repository.patient_of(reader, digest(code), now)
        found = found or await repository.patient_of(reader, proof_digest(code), now)
        if found is None:
            raise _unknown()
        return found


def _unknown() -> Refusal:
    return Refusal(Kind.GONE, "NOTICE_UNKNOWN", "This code is of no letter, or its time is over.")
