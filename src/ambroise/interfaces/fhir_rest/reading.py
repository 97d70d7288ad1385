"""What a GET reads, by path and parameters: over HTTP and inside a Bundle."""

from ambroise.interfaces.fhir_rest.actions import Actions
from ambroise.interfaces.fhir_rest.criteria import Criteria
from ambroise.interfaces.fhir_rest.done import Done
from ambroise.interfaces.fhir_rest.everywhere import Everywhere
from ambroise.interfaces.fhir_rest.histories import count_of, history_bundle, refuse_unknown, since_of
from ambroise.interfaces.fhir_rest.http import Pairs
from ambroise.interfaces.fhir_rest.limits import require
from ambroise.interfaces.fhir_rest.links import CURSOR
from ambroise.interfaces.fhir_rest.routing import shape_of
from ambroise.interfaces.fhir_rest.searching import search_bundle
from ambroise.interfaces.fhir_rest.shaping import shape_of as asked_shape
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.context import Context
from ambroise.trust.gateway import Gateway


class Reading:
    """Reads, searches and histories."""

    def __init__(self, gateway: Gateway, actions: Actions, criteria: Criteria) -> None:
        self._gateway = gateway
        self._actions = actions
        self._criteria = criteria
        self._everywhere = Everywhere(criteria)

    async def get(
        self, reader: Reader, ctx: Context, segments: tuple[str, ...], pairs: Pairs, base: str, *, lenient: bool
    ) -> Done | bytes:
        """The answer to a GET: a version, or the bytes of a Bundle."""
        if shape_of(segments) in ("Type/id", "Type/id/_history/version"):
            return await self.version(reader, ctx, segments)
        return await self.bundle(reader, ctx, segments, pairs, base, lenient=lenient)

    async def version(self, reader: Reader, ctx: Context, segments: tuple[str, ...]) -> Done:
        """The present version of a resource, or a past one."""
        if len(segments) == 2:
            return await self._actions.read(reader, ctx, segments[0], segments[1])
        return await self._actions.vread(reader, ctx, segments[0], segments[1], segments[3])

    async def bundle(
        self, reader: Reader, ctx: Context, segments: tuple[str, ...], pairs: Pairs, base: str, *, lenient: bool
    ) -> bytes:
        """A searchset or a history."""
        match shape_of(segments):
            case "" | "Type" | "_search" | "Type/_search":
                if not segments or segments[0] == "_search":
                    return await self._everywhere.search(reader, ctx, pairs, base, lenient=lenient)
                return await self.search(reader, ctx, segments[0], pairs, base, lenient=lenient)
            case "_history" | "Type/_history" | "Type/id/_history":
                return await self.history(reader, ctx, segments, pairs, base)
            case _:
                path = "/".join(segments)[:200]
                raise Refusal(Kind.INVALID, "INTERACTION_UNKNOWN", f"`{path}` cannot be read inside a Bundle.")

    async def search(
        self, reader: Reader, ctx: Context, type_: str, pairs: Pairs, base: str, *, lenient: bool
    ) -> bytes:
        """The searchset of one page."""
        require(ctx, "s", type_)
        result = await self._criteria.page(reader, ctx, type_, pairs, base=base, lenient=lenient)
        return search_bundle(base, type_, result, pairs)

    async def history(self, reader: Reader, ctx: Context, segments: tuple[str, ...], pairs: Pairs, base: str) -> bytes:
        """The history Bundle of one page; `segments` end with `_history`."""
        refuse_unknown(pairs)
        type_ = segments[0] if len(segments) > 1 else None
        id = segments[1] if len(segments) > 2 else None
        require(ctx, "r" if id else "s", type_)
        cursor = next((value for name, value in pairs if name == CURSOR), None)
        page = await self._gateway.history(
            reader, ctx, type_, id, since=since_of(pairs), count=count_of(pairs), cursor=cursor
        )
        return history_bundle(
            base,
            "/".join(segments),
            pairs,
            page.entries,
            next_cursor=page.next_cursor,
            shape=asked_shape(pairs),
        )
