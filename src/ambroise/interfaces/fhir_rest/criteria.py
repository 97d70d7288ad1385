"""Searching through the gateway: parameters in, a page of what the caller may see out."""

from ambroise.fhir import search
from ambroise.interfaces.fhir_rest.http import Pairs
from ambroise.kernel.db import Reader
from ambroise.trust.context import Context
from ambroise.trust.gateway import Gateway, SearchResult, Stored


class Criteria:
    """Parses parameters and asks the gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def page(
        self, reader: Reader, ctx: Context, type_: str, pairs: Pairs, *, base: str | None = None, lenient: bool = False
    ) -> SearchResult:
        """One page. Unknown or malformed parameters are refused, or passed over and listed when `lenient`."""
        # Aidbox's way to choose how to count, which fhirpy adds to every count: ours does not depend on it.
        pairs = [pair for pair in pairs if pair[0] != "_totalMethod"]
        query = search.parse(type_, pairs, lenient=lenient, bases=(base,) if base else (), now=ctx.now())
        return await self._gateway.search(reader, ctx, query)

    async def matches(self, reader: Reader, ctx: Context, type_: str, pairs: Pairs, *, limit: int) -> list[Stored]:
        """The first resources that the criteria find, for conditional interactions; never lenient."""
        asked = [*pairs, ("_count", str(limit)), ("_total", "none")]
        result = await self.page(reader, ctx, type_, asked)
        return [stored for stored, mode in result.entries if mode == "match"]
