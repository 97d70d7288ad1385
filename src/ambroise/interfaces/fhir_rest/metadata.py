"""`metadata`: the CapabilityStatement, written once for each address that clients use."""

from datetime import datetime
from functools import lru_cache

from ambroise.fhir.json import decode, encode
from ambroise.interfaces.fhir_rest.capability import Capabilities, capability_statement
from ambroise.interfaces.fhir_rest.http import Answer, Call
from ambroise.interfaces.fhir_rest.routing import Table
from ambroise.interfaces.fhir_rest.shaping import shape_of


class Metadata:
    """Answers `GET [base]/metadata`, the one request that needs no token."""

    def __init__(self, started: datetime) -> None:
        self._statement = lru_cache(maxsize=8)(lambda base: _written(base, started))

    def table(self) -> Table:
        """The handler."""
        return {"metadata": {"GET": self.answer}}

    async def answer(self, call: Call) -> Answer:
        statement = self._statement(call.base)
        shape = shape_of(call.query)
        if not shape.whole:
            statement = encode(shape.reduce("CapabilityStatement", decode(statement)))
        return Answer(200, statement)


def _written(base: str, started: datetime) -> bytes:
    return encode(capability_statement(Capabilities(base, started)))
