"""The citizen's home and the spaces that one may open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from ambroise.interfaces.web.accesses import documents_named, events
from ambroise.interfaces.web.citizen.record.base import citizen_of, space_of
from ambroise.interfaces.web.citizen.record.requests import Answers
from ambroise.interfaces.web.citizen.views import Home, Notice, Space
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.records import row_of
from ambroise.modules.identity.api import identity_of
from ambroise.modules.notification import api as notification
from ambroise.modules.record.api import Document
from ambroise.trust.access.relations import spaces_of_person
from ambroise.trust.audit.entry import Event
from ambroise.trust.audit.history import LOOKS, Filters
from ambroise.trust.context import Context

_LATEST, _SHOWN = 20, 3
_NOTICES, _MOST_NOTICES = 5, 100


class Homes(Answers):
    async def spaces(self, ctx: Context) -> Sequence[Space]:
        me = citizen_of(ctx)
        async with self._database.reader() as reader:
            found = [Space(me.patient, proper(me.name))]
            for fact in await spaces_of_person(reader, me.patient):
                if fact.until is not None and fact.until <= ctx.now():
                    continue
                known = await identity_of(reader, fact.patient)
                if known is not None:
                    found.append(Space(fact.patient, proper(known.display_name), fact.kind, known.traits.birth_date))
        return found

    async def home(self, ctx: Context) -> Home:
        space = space_of(ctx)
        async with self._database.reader() as reader:
            told = await notification.notices(reader, ctx, count=_MOST_NOTICES)
            filters = Filters(group="professionals", events=(*LOOKS, Event.EMERGENCY_OPENED))
            prevention = await self._prevention.waiting(reader, ctx, space)
            lines, _ = await self._gateway.access_history(reader, ctx, space, filters, count=12)
        latest = await self._records.latest(ctx, space, _LATEST)
        named = {one.id: one for one in latest}
        subjects = [(one.subject or "").rpartition("/")[2] for one in told[:_NOTICES]]
        # What is told is nearly always of the newest documents: then one look at the list is enough.
        others = {*documents_named(lines), *filter(None, subjects)} - set(named)
        named = {**named, **await self._records.named(ctx, space, list(others))}
        last = next(iter(events(lines, citizen_of(ctx).patient, named, frozenset())), None)
        return Home(
            notices=[_notice(one, named) for one in told[:_NOTICES]],
            latest=[row_of(one, ctx) for one in latest[:_SHOWN]],
            last_access=last,
            requests=await self.requests(ctx),
            others=len(told[_NOTICES:]),
            prevention=prevention,
        )

    async def mark_read(self, ctx: Context, notice: UUID | None) -> None:
        async with self._database.transaction() as tx:
            await notification.mark_read(tx, ctx, notice)


def _notice(one: notification.Notice, named: Mapping[str, Document]) -> Notice:
    """A notice, with the title of its document."""
    document = named.get((one.subject or "").rpartition("/")[2])
    told = {name: str(one.details[name]) for name in ("by", "for") if one.details.get(name)}
    return Notice(one.id, one.at, one.code, one.subject, told | ({"title": document.title} if document else {}))
