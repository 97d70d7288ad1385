"""What was sent, for the support of the desk: when, by which channel, with what result; never about what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.citizen.notices import CHANNELS, REASONS, STATES
from ambroise.interfaces.web.ui.dates import PARIS
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.modules.identity.api import AccountKind
from ambroise.modules.notification.api import Day, Delivery, Support
from ambroise.trust.audit.entry import Entry, Event
from ambroise.trust.gateway import Gateway


class Row(Struct, frozen=True):
    """A delivery in words."""

    at: datetime
    notice: UUID
    person: UUID
    channel: str
    chip: tuple[str, str, str]
    reason: str


class Bar(Struct, frozen=True):
    """A day of the plot; widths in per cent of the busiest day."""

    day: Day
    sent: str
    failed: str


def notice_desk_routes(site: Site, gateway: Gateway) -> list[BaseRoute]:
    """The page of the delivery log."""
    screen, support = Screen(site, AccountKind.OPERATOR), Support(site.identity.clock)

    async def show(visit: Visit) -> Response:
        asked = visit.query.get("q", "")
        found = await search(visit, asked) if asked else None
        async with site.identity.database.reader() as reader:
            days = await support.days(reader, visit.context(), PARIS.key)
            failures = await support.failures(reader, visit.context())
        return await visit.render(
            "desk/notices.html",
            asked=asked,
            found=[_row(one) for one in found] if found is not None else None,
            failures=[_row(one) for one in failures],
            bars=_bars(days),
            place="envois",
        )

    async def search(visit: Visit, asked: str) -> Sequence[Delivery]:
        """The deliveries of a notice, or to a person; looking at what somebody was sent is in their history."""
        ctx = visit.context()
        try:
            id = UUID(asked)
        except ValueError:
            return ()
        async with site.identity.database.reader() as reader:
            found = await support.of_notice(reader, ctx, id) or await support.of_person(reader, ctx, id)
        for person in {one.person for one in found}:
            await gateway.note(ctx, Entry("R", Event.TRACE_READ, person, "AuditEvent", count=len(found)))
        return found

    return [screen.route("/guichet/envois", show)]


def _row(one: Delivery) -> Row:
    tone, picture, words = STATES[one.state]
    reason = gettext(REASONS.get(one.reason or "", "")) if one.reason else ""
    return Row(
        one.done_at or one.made_at,
        one.notice,
        one.person,
        gettext(CHANNELS[one.channel]),
        (tone, picture, gettext(words)),
        reason,
    )


def _bars(days: Sequence[Day]) -> list[Bar]:
    most = max((one.sent + one.failed for one in days), default=0) or 1
    return [Bar(one, f"{one.sent * 100 / most:.1f}%", f"{one.failed * 100 / most:.1f}%") for one in days]
