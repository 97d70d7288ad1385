"""The history of accesses, its export, and the accesses that one does not recognise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from ambroise.interfaces.web.accesses import documents_named, events
from ambroise.interfaces.web.citizen.record.base import Base, citizen_of, space_of
from ambroise.interfaces.web.citizen.views import History, HistoryFilter
from ambroise.interfaces.web.views import AccessEvent
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import ReportKind, reports
from ambroise.trust.access.people import Party
from ambroise.trust.audit.history import Filters, TraceLine
from ambroise.trust.context import Context

_LINES = 80
_EXPORTED_LINES = 200
_QUIET = ("search", "history", "simulate", "identify")
_GROUPS = {"soignants": "professionals", "moi": "mine", "services": "services"}


class Histories(Base):
    async def history(self, ctx: Context, wanted: HistoryFilter) -> History:
        space = space_of(ctx)
        filters = Filters(
            group=_GROUPS.get(wanted.who),  # type: ignore[arg-type]
            refused=True if wanted.what == "refus" else None,
            purposes=("bris_de_glace", "centre_15") if wanted.what == "urgence" else (),
        )
        async with self._database.reader() as reader:
            lines, older = await self._gateway.access_history(
                reader, ctx, space, filters, cursor=wanted.cursor or None, count=_LINES
            )
            mine = frozenset(one.subject for one in await reports.mine(reader, ctx))
        named = await self._records.named(ctx, space, documents_named(lines))
        found = events(lines, citizen_of(ctx).patient, named, mine)
        # Each document that one reads oneself is told; one's own lists and looks at this page are under « Moi ».
        told = [one for one in found if one.event != "copied"]
        whole = [one for one in told if one.actor_kind != "self" or one.action not in _QUIET]
        return History(found if wanted.who == "moi" else whole, older)

    async def export_history(self, ctx: Context) -> AsyncIterator[AccessEvent]:
        space, cursor = space_of(ctx), None
        while True:
            async with self._database.reader() as reader:
                lines, cursor = await self._gateway.access_history(
                    reader, ctx, space, cursor=cursor, count=_EXPORTED_LINES
                )
            named = await self._records.named(ctx, space, documents_named(lines))
            for event in events(lines, citizen_of(ctx).patient, named, frozenset()):
                yield event
            if cursor is None:
                return

    async def event(self, ctx: Context, id: str) -> AccessEvent:
        lines = await self._lines(ctx, id)
        named = await self._records.named(ctx, space_of(ctx), documents_named(lines))
        return events(lines, citizen_of(ctx).patient, named, frozenset())[0]

    async def report_access(self, ctx: Context, id: str, words: str, *, block: bool) -> None:
        line = (await self._lines(ctx, id))[0]
        details = {
            "words": words,
            "actor": line.actor_id,
            "actor_name": line.actor_name,
            "at": line.at.isoformat(),
            "rule": line.rule,
            "organization_name": line.organization_name,
        }
        async with self._database.transaction() as tx:
            await reports.report(tx, ctx, space_of(ctx), ReportKind.UNRECOGNISED_ACCESS, id, details)
            if block and line.actor_kind == "professional":
                party = Party(line.actor_id, line.actor_name)
                await self._gateway.rights.block(tx, ctx, space_of(ctx), party)

    async def _lines(self, ctx: Context, id: str) -> list[TraceLine]:
        """One line of the history."""
        try:
            filters = Filters(id=UUID(id))
        except ValueError:
            raise _unknown_access() from None
        async with self._database.reader() as reader:
            lines, _ = await self._gateway.access_history(reader, ctx, space_of(ctx), filters, count=1)
        if not lines:
            raise _unknown_access()
        return lines


def _unknown_access() -> Refusal:
    return Refusal(Kind.NOT_FOUND, "NO_SUCH_ACCESS", "The history has no such access.")
