"""A citizen says how to be told (choices, rhythm, browsers), reads what was sent, refuses mails by their link."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from email.utils import parseaddr
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.kernel.crypto import ApplicationSecret
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind as Refused
from ambroise.kernel.errors import Refusal
from ambroise.modules.notification import refusing
from ambroise.modules.notification.model import Kind
from ambroise.modules.notification.push.sending import Browser, Pusher
from ambroise.modules.notification.push.services import PushServices
from ambroise.modules.notification.push.text import unb64
from ambroise.modules.notification.push.vapid import Vapid
from ambroise.modules.notification.refusing import Refusing
from ambroise.modules.notification.repositories import browsers, outgoing
from ambroise.modules.notification.repositories import wishes as wishes_repository
from ambroise.modules.notification.repositories.browsers import Kept
from ambroise.modules.notification.repositories.outgoing import Delivery
from ambroise.modules.notification.wishes import ZONES, Channel, Rhythm, Wishes, may_refuse
from ambroise.trust.context import Citizen, Context

_POINT, _AUTH = 65, 16
_LONGEST_NAME = 80


class Wishing(Struct, frozen=True):
    """What a person chooses about being told. `key` seals browsers and links."""

    clock: Clock
    key: bytes
    pusher: Pusher | None = None

    @classmethod
    def over(cls, clock: Clock, secret: ApplicationSecret, services: Collection[str], sender: str) -> Wishing:
        """What an instance offers; browsers are told when its operator names push services."""
        contact = f"mailto:{parseaddr(sender)[1] or sender}"
        pusher = Pusher(Vapid.of(secret, contact), PushServices(services), clock) if services else None
        return cls(clock, secret.derive("notification"), pusher)

    async def wishes(self, reader: Reader, ctx: Context) -> Wishes:
        """What the caller chose so far."""
        me = _citizen(ctx)
        return (await wishes_repository.wishes_of(reader, [me]))[me]

    async def choose(self, tx: Transaction, ctx: Context, choices: Mapping[tuple[Kind, Channel], bool]) -> None:
        """Keep choices about the space that is open. What cannot be refused stays wanted, whatever is asked."""
        kept = {choice: wanted for choice, wanted in choices.items() if may_refuse(*choice)}
        await wishes_repository.keep_choices(tx, _citizen(ctx), ctx.space or _citizen(ctx), kept)

    async def set_rhythm(self, tx: Transaction, ctx: Context, rhythm: Rhythm) -> None:
        """Keep when, and in which language. Raises ZONE_UNKNOWN."""
        if rhythm.zone not in ZONES:
            raise Refusal(Refused.INVALID, "ZONE_UNKNOWN", "Choose one of the listed clocks.", element="zone")
        await wishes_repository.keep_rhythm(tx, _citizen(ctx), rhythm)

    async def sent(
        self, reader: Reader, ctx: Context, *, after: tuple[datetime, UUID] | None = None, count: int = 50
    ) -> list[Delivery]:
        """What was sent to the caller, newest first, whatever space it is about."""
        return await outgoing.to_person(reader, _citizen(ctx), count, after)

    # Browsers.

    async def browsers(self, reader: Reader, ctx: Context) -> Sequence[Kept]:
        """The browsers of the caller that are told."""
        return await browsers.of_person(reader, _citizen(ctx))

    async def tell_browser(self, tx: Transaction, ctx: Context, browser: Browser, name: str) -> None:
        """Tell this browser from now on. Raises PUSH_UNAVAILABLE, PUSH_SERVICE_UNKNOWN, PUSH_KEY."""
        if self.pusher is None:
            raise Refusal(Refused.UNAVAILABLE, "PUSH_UNAVAILABLE", "This instance tells no browsers.")
        if not self.pusher.services.allows(browser.endpoint):
            raise Refusal(Refused.UNPROCESSABLE, "PUSH_SERVICE_UNKNOWN", "This push service is none that we call.")
        if not _usable(browser):
            raise Refusal(Refused.UNPROCESSABLE, "PUSH_KEY", "The keys of this browser are not as RFC 8291 says.")
        me = _citizen(ctx)
        await browsers.keep(tx, self.key, me, browser, name[:_LONGEST_NAME], self.clock.now())

    async def forget_browser(self, tx: Transaction, ctx: Context, id: UUID) -> None:
        """Tell a browser no more."""
        await browsers.forget(tx, _citizen(ctx), id)

    # Links of mails.

    def refused_by(self, token: str) -> Refusing:
        """What the link of a mail refuses. Raises LINK_UNKNOWN."""
        return refusing.read(self.key, token)

    async def refuse(self, tx: Transaction, token: str) -> Refusing:
        """Send no more such mails; safe to repeat."""
        said = self.refused_by(token)
        choices = {(kind, Channel.MAIL): False for kind in said.kinds if may_refuse(kind, Channel.MAIL)}
        await wishes_repository.keep_choices(tx, said.person, said.space, choices)
        return said

    async def want_again(self, tx: Transaction, token: str) -> Refusing:
        """Undo that."""
        said = self.refused_by(token)
        await wishes_repository.keep_choices(
            tx, said.person, said.space, {(kind, Channel.MAIL): True for kind in said.kinds}
        )
        return said


def _usable(browser: Browser) -> bool:
    try:
        key = unb64(browser.key)
        return len(key) == _POINT and key[0] == 4 and len(unb64(browser.auth)) == _AUTH
    except ValueError:
        return False


def _citizen(ctx: Context) -> UUID:
    if not isinstance(ctx.actor, Citizen):
        raise Refusal(Refused.FORBIDDEN, "NOT_A_CITIZEN", "Citizens say how they are told.")
    return ctx.actor.patient
