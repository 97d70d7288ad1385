"""The interactions over HTTP: parse, call one action in one transaction, render."""

from urllib.parse import urlencode

from ambroise.interfaces.fhir_rest.actions import Actions
from ambroise.interfaces.fhir_rest.answers import read_answer, write_answer
from ambroise.interfaces.fhir_rest.http import Answer, Call, Pairs
from ambroise.interfaces.fhir_rest.patching import read_patch
from ambroise.interfaces.fhir_rest.reading import Reading
from ambroise.interfaces.fhir_rest.routing import Table
from ambroise.interfaces.fhir_rest.shaping import WHOLE, shape_of, without_shape
from ambroise.interfaces.fhir_rest.transactions import Bundles
from ambroise.interfaces.fhir_rest.versions import if_match
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Kind, Refusal


class Endpoints:
    """The handlers of everything but Binary contents and operations."""

    def __init__(
        self, database: Database, actions: Actions, reading: Reading, bundles: Bundles, *, max_json: int
    ) -> None:
        self._database = database
        self._actions = actions
        self._reading = reading
        self._bundles = bundles
        self._max_json = max_json

    def table(self) -> Table:
        """The handlers by shape of path and method."""
        instance = {"GET": self.read, "PUT": self.update, "PATCH": self.patch, "DELETE": self.delete}
        by_criteria = {"PUT": self.update_where, "PATCH": self.patch_where, "DELETE": self.delete_where}
        return {
            "": {"GET": self.bundle, "POST": self.process},
            "Type": {"GET": self.bundle, "POST": self.create, **by_criteria},
            "Type/id": instance,
            "Type/id/_history/version": {"GET": self.read},
            "_search": {"POST": self.search_by_form},
            "Type/_search": {"POST": self.search_by_form},
            "_history": {"GET": self.bundle},
            "Type/_history": {"GET": self.bundle},
            "Type/id/_history": {"GET": self.bundle},
        }

    async def read(self, call: Call) -> Answer:
        shape = shape_of(call.query) if call.query else WHOLE
        async with self._database.reader() as reader:
            done = await self._reading.version(reader, call.context, call.segments)
        return read_answer(call, done, shape)

    async def bundle(self, call: Call) -> Answer:
        """A search or a history."""
        return await self._bundle(call, call.query)

    async def search_by_form(self, call: Call) -> Answer:
        """A search whose parameters come in a form body, added to those of the URL."""
        return await self._bundle(call, [*call.query, *await call.form()])

    async def _bundle(self, call: Call, pairs: Pairs) -> Answer:
        async with self._database.reader() as reader:
            found = await self._reading.bundle(
                reader, call.context, call.segments, pairs, call.base, lenient=call.preferences.lenient
            )
        return Answer(200, found)

    async def create(self, call: Call) -> Answer:
        resource = await call.resource(self._max_json)
        async with self._database.transaction() as tx:
            done = await self._actions.create(tx, call.context, call.segments[0], resource, _if_none_exist(call))
        return write_answer(call, done)

    async def update(self, call: Call) -> Answer:
        resource = await call.resource(self._max_json)
        expected = if_match(call.header(b"if-match"))
        type_, id = call.segments
        async with self._database.transaction() as tx:
            done = await self._actions.update(tx, call.context, type_, id, resource, expected)
        return write_answer(call, done)

    async def update_where(self, call: Call) -> Answer:
        resource = await call.resource(self._max_json)
        expected = if_match(call.header(b"if-match"))
        async with self._database.transaction() as tx:
            done = await self._actions.update_where(
                tx, call.context, call.segments[0], _criteria(call), resource, expected
            )
        return write_answer(call, done)

    async def patch(self, call: Call) -> Answer:
        patch = read_patch(call.header(b"content-type"), await call.body(self._max_json))
        expected = if_match(call.header(b"if-match"))
        type_, id = call.segments
        async with self._database.transaction() as tx:
            done = await self._actions.patch(tx, call.context, type_, id, patch, expected)
        return write_answer(call, done)

    async def patch_where(self, call: Call) -> Answer:
        patch = read_patch(call.header(b"content-type"), await call.body(self._max_json))
        expected = if_match(call.header(b"if-match"))
        async with self._database.transaction() as tx:
            done = await self._actions.patch_where(tx, call.context, call.segments[0], _criteria(call), patch, expected)
        return write_answer(call, done)

    async def delete(self, call: Call) -> Answer:
        expected = if_match(call.header(b"if-match"))
        type_, id = call.segments
        async with self._database.transaction() as tx:
            done = await self._actions.delete(tx, call.context, type_, id, expected)
        return write_answer(call, done)

    async def delete_where(self, call: Call) -> Answer:
        async with self._database.transaction() as tx:
            done = await self._actions.delete_where(tx, call.context, call.segments[0], _criteria(call))
        return write_answer(call, done)

    async def process(self, call: Call) -> Answer:
        """A batch or transaction Bundle."""
        sent = await call.resource(self._max_json)
        if sent["resourceType"] != "Bundle":
            raise Refusal(
                Kind.INVALID,
                "RESOURCE_TYPE_MISMATCH",
                "What is posted to the base is a Bundle.",
                element="resourceType",
            )
        match sent.get("type"):
            case "transaction":
                async with self._database.transaction() as tx:
                    answer = await self._bundles.transaction(tx, call.context, sent, call.base, call.preferences)
            case "batch":
                answer = await self._bundles.batch(
                    self._database.transaction, call.context, sent, call.base, call.preferences
                )
            case _:
                text = "A Bundle posted to the base is a `transaction` or a `batch`."
                raise Refusal(Kind.INVALID, "BUNDLE_MALFORMED", text, element="Bundle.type")
        return Answer(200, answer)


def _if_none_exist(call: Call) -> str | None:
    """The condition of a create: the header of R4, or criteria in the URL, as some clients (fhirpy) send them."""
    header = call.header(b"if-none-exist")
    return header if header is not None else _criteria(call) or None


def _criteria(call: Call) -> str:
    return urlencode(without_shape(call.query))
