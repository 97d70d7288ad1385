"""Requests for consent: who asks, and what the holder's side answers."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ambroise.interfaces.web.citizen.parties import said
from ambroise.interfaces.web.citizen.record.base import Base
from ambroise.interfaces.web.citizen.views import ConsentRequest
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.professions import key_of, name_of
from ambroise.modules.consent.api import Request
from ambroise.trust.context import Context


class Answers(Base):
    """The part that answers requests."""

    async def requests(self, ctx: Context) -> Sequence[ConsentRequest]:
        async with self._database.reader() as reader:
            return [_shown(one) for one in await self._requests.waiting(reader, ctx)]

    async def answer_request(self, ctx: Context, id: UUID, *, accept: bool) -> None:
        async with self._database.transaction() as tx:
            await (self._requests.accept(tx, ctx, id) if accept else self._requests.refuse(tx, ctx, id))

    async def reopen_request(self, ctx: Context, id: UUID) -> None:
        async with self._database.transaction() as tx:
            await self._requests.reopen(tx, ctx, id)


def _shown(one: Request) -> ConsentRequest:
    role = name_of(*one.role, one.specialty)
    return ConsentRequest(
        id=one.id,
        name=proper(one.party.name),
        about=said(role[:1].upper() + role[1:], one.organization_name),
        reason=one.reason,
        asked=one.asked_at,
        expires=one.expires_at,
        profession=key_of(*one.role),
    )
