"""The centre of notices and how one is told, behind the door: who may look at the space may look at its notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ambroise.interfaces.web.citizen.record.base import Base, citizen_of, space_of
from ambroise.interfaces.web.records import Records
from ambroise.kernel.errors import Kind as Refused
from ambroise.kernel.errors import Refusal
from ambroise.modules.notification import api as notification
from ambroise.modules.notification.api import Browser as PushBrowser
from ambroise.modules.notification.api import Channel, Delivery, Kept, Kind, Notice, Refusing, Rhythm, Wishes, Wishing
from ambroise.modules.record.api import Document, Record
from ambroise.trust.access.decide import judge_entry
from ambroise.trust.access.facts import Eyes
from ambroise.trust.context import Context

Place = tuple[datetime, UUID]


class Shown(Struct, frozen=True):
    """A notice, with the document it is about when that may still be seen."""

    notice: Notice
    document: Document | None


class Settings(Struct, frozen=True):
    """What somebody chose, and what this instance offers. `push_key`: what a browser that can be told is given."""

    wishes: Wishes
    channels: Sequence[Channel]
    browsers: Sequence[Kept]
    push_key: str | None


class Notices(Base):
    """Answers the pages of notices."""

    def __init__(self, records: Records, record: Record, wishing: Wishing, channels: Sequence[Channel]) -> None:
        super().__init__(records, record)
        self._wishing = wishing
        self._channels = channels

    async def page(
        self, ctx: Context, *, kind: Kind | None, unread_only: bool, after: Place | None, count: int
    ) -> list[Shown]:
        """A page of notices; a document that is no more, or that the caller may not see, is not named."""
        async with self._database.reader() as reader:
            await self._hold(reader, ctx)
            found = await notification.page(reader, ctx, kind=kind, unread_only=unread_only, after=after, count=count)
        ids = {
            (one.subject or "").rpartition("/")[2] for one in found if notification.kind_of(one.code) is Kind.DOCUMENTS
        }
        named = await self._records.named(ctx, space_of(ctx), sorted(filter(None, ids)))
        return [Shown(one, named.get((one.subject or "").rpartition("/")[2])) for one in found]

    async def unread(self, ctx: Context) -> int:
        """How many notices wait; none to whom the space is not open."""
        async with self._database.reader() as reader:
            if ctx.acting_for is not None:
                eyes = Eyes.of(ctx)
                facts = await self._gateway.facts(reader, ctx, eyes, space_of(ctx))
                if not judge_entry(facts, eyes).allowed:
                    return 0
            return await notification.unread(reader, ctx)

    async def mark(self, ctx: Context, notice: UUID | None, *, read: bool) -> None:
        """Mark one notice as read or not, or all of them as read."""
        async with self._database.transaction() as tx:
            await self._hold(tx, ctx)
            if read:
                await notification.mark_read(tx, ctx, notice)
            elif notice is not None:
                await notification.mark_unread(tx, ctx, notice)

    async def delete(self, ctx: Context, notice: UUID | None) -> None:
        """Delete one notice, or those that are read, for all who share the space: for who may act in it."""
        async with self._database.transaction() as tx:
            await self._hold(tx, ctx)
            eyes = Eyes.of(ctx)
            facts = await self._gateway.facts(tx, ctx, eyes, space_of(ctx))
            if ctx.acting_for is not None and not facts.may_act:
                raise Refusal(Refused.FORBIDDEN, "WRITE_RESERVED", "Who only sees a space deletes nothing in it.")
            await notification.delete(tx, ctx, notice)

    async def settings(self, ctx: Context) -> Settings:
        """What the caller chose so far."""
        pusher = self._wishing.pusher
        async with self._database.reader() as reader:
            await self._hold(reader, ctx)
            wishes = await self._wishing.wishes(reader, ctx)
            browsers = await self._wishing.browsers(reader, ctx)
        return Settings(wishes, self._channels, browsers, pusher.vapid.public if pusher else None)

    async def choose(self, ctx: Context, choices: Mapping[tuple[Kind, Channel], bool], rhythm: Rhythm) -> None:
        """Keep choices about the open space, and the rhythm of the caller. A mediator chooses nothing for others."""
        if ctx.relation == "mediator":
            raise Refusal(Refused.FORBIDDEN, "WRITE_RESERVED", "A mediator is told of nothing.")
        async with self._database.transaction() as tx:
            await self._hold(tx, ctx)
            await self._wishing.choose(tx, ctx, choices)
            await self._wishing.set_rhythm(tx, ctx, rhythm)

    async def sent(self, ctx: Context, after: Place | None, count: int) -> list[Delivery]:
        """What was sent to the caller."""
        citizen_of(ctx)
        async with self._database.reader() as reader:
            return await self._wishing.sent(reader, ctx, after=after, count=count)

    async def tell_browser(self, ctx: Context, browser: PushBrowser, name: str) -> None:
        async with self._database.transaction() as tx:
            await self._wishing.tell_browser(tx, ctx, browser, name)

    async def forget_browser(self, ctx: Context, id: UUID) -> None:
        async with self._database.transaction() as tx:
            await self._wishing.forget_browser(tx, ctx, id)

    def refused_by(self, token: str) -> Refusing:
        """What the link of a mail refuses."""
        return self._wishing.refused_by(token)

    async def refuse(self, token: str, *, again: bool) -> Refusing:
        """Do as the link says, or undo it."""
        async with self._database.transaction() as tx:
            return await (self._wishing.want_again(tx, token) if again else self._wishing.refuse(tx, token))
