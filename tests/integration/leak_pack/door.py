"""The leak pack asks its questions through a `Door`: the gateway here, and any façade that can answer the same."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from ambroise.fhir.search import parse
from ambroise.fhir.search.parse import pairs_of
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.context import Context
from tests.integration.trust.people import World


@dataclass(frozen=True)
class Page:
    """One page of a search: `Type/id` of its entries, included ones too, its total, the next page's cursor."""

    entries: frozenset[str]
    total: int | None
    cursor: str | None


class Door(Protocol):
    """A way in. Every method answers for the viewer; nothing found, or refused, is empty, False or None."""

    async def search(self, viewer: Context, query: str) -> Page:
        """One page of `Type?parameters`."""
        ...

    async def read(self, viewer: Context, reference: str) -> bool:
        """Whether `Type/id` is answered with content."""
        ...

    async def vread(self, viewer: Context, reference: str, version: int) -> bool:
        """Whether a version is answered with content."""
        ...

    async def history(self, viewer: Context, path: str) -> frozenset[str]:
        """`Type/id/version` of each entry of `Type/id`, `Type` or everything (empty path)."""
        ...

    async def content(self, viewer: Context, id: str) -> bytes | None:
        """The bytes of a Binary."""
        ...


class GatewayDoor:
    """The gateway itself."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def search(self, viewer: Context, query: str) -> Page:
        type, _, parameters = query.partition("?")
        async with self._world.database.reader() as reader:
            parsed = parse(type, pairs_of(parameters), now=viewer.now())
            found = await self._world.gateway.search(reader, viewer, parsed)
        entries = frozenset(f"{one.type}/{one.id}" for one, _ in found.entries)
        return Page(entries, found.total, found.next_cursor)

    async def read(self, viewer: Context, reference: str) -> bool:
        type, _, id = reference.partition("/")
        async with self._world.database.reader() as reader:
            return await _answered(lambda: self._world.gateway.read(reader, viewer, type, id))

    async def vread(self, viewer: Context, reference: str, version: int) -> bool:
        type, _, id = reference.partition("/")
        async with self._world.database.reader() as reader:
            return await _answered(lambda: self._world.gateway.vread(reader, viewer, type, id, version))

    async def history(self, viewer: Context, path: str) -> frozenset[str]:
        type, _, id = path.partition("/")
        async with self._world.database.reader() as reader:
            try:
                page = await self._world.gateway.history(reader, viewer, type or None, id or None, count=500)
            except Refusal:
                return frozenset()
        return frozenset(f"{one.type}/{one.id}/{one.version}" for one in page.entries)

    async def content(self, viewer: Context, id: str) -> bytes | None:
        async with self._world.database.reader() as reader:
            try:
                _, content = await self._world.gateway.content(reader, viewer, "Binary", id)
            except Refusal as refusal:
                return _nothing(refusal)
        return content


async def _answered(ask: Callable[[], Awaitable[object]]) -> bool:
    try:
        await ask()
    except Refusal as refusal:
        return _nothing(refusal) is not None
    return True


def _nothing(refusal: Refusal) -> None:
    """A refusal that hides or forbids; any other is a fault of the test."""
    if refusal.kind not in (Kind.NOT_FOUND, Kind.FORBIDDEN):
        raise refusal
