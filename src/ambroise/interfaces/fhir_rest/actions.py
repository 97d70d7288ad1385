"""The interactions on resources, each in a transaction that the caller gives: the same over HTTP and in a Bundle."""

from typing import Any
from urllib.parse import parse_qsl

from ambroise.fhir.json import decode
from ambroise.interfaces.fhir_rest.checking import require_valid
from ambroise.interfaces.fhir_rest.criteria import Criteria
from ambroise.interfaces.fhir_rest.documents import DOCUMENT, Documents
from ambroise.interfaces.fhir_rest.done import Done
from ambroise.interfaces.fhir_rest.limits import require
from ambroise.interfaces.fhir_rest.outcome import MULTIPLE_MATCHES
from ambroise.interfaces.fhir_rest.patching import Patch, patched
from ambroise.interfaces.fhir_rest.repository import one_at_a_time
from ambroise.interfaces.fhir_rest.routing import is_id
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.context import Context
from ambroise.trust.gateway import Action, Gateway, Stored

Json = Any


class Actions:
    """Reads and writes of single resources, by id and by criteria."""

    def __init__(self, gateway: Gateway, criteria: Criteria, documents: Documents) -> None:
        self._gateway = gateway
        self._criteria = criteria
        self._documents = documents

    async def read(self, reader: Reader, ctx: Context, type_: str, id: str) -> Done:
        require(ctx, "r", type_)
        return Done(200, await self._gateway.read(reader, ctx, type_, id))

    async def vread(self, reader: Reader, ctx: Context, type_: str, id: str, version: str) -> Done:
        require(ctx, "r", type_)
        if not (version.isascii() and version.isdigit() and len(version) < 10):
            raise Refusal(Kind.NOT_FOUND, "NOT_FOUND", f"{type_}/{id} has no version `{version[:64]}`.")
        return Done(200, await self._gateway.vread(reader, ctx, type_, id, int(version)))

    async def create(
        self,
        tx: Transaction,
        ctx: Context,
        type_: str,
        resource: dict[str, Json],
        if_none_exist: str | None = None,
        *,
        id: str | None = None,
    ) -> Done:
        """Create, unless `if_none_exist` finds one already: then that one, unchanged. `id` is one from `reserve`."""
        require(ctx, "c", type_)
        require_type(resource, type_)
        if if_none_exist is not None:
            found = await self.one(tx, ctx, type_, if_none_exist.lstrip("?"), writing=True)
            if found is not None:
                return Done(200, found, f"{type_}/{found.id}")
        if type_ == DOCUMENT:
            return await self._documents.publish(tx, ctx, resource)
        require_valid(resource)
        return Done(201, await self._gateway.create(tx, ctx, resource, id=id))

    async def reserve(self, tx: Transaction, ctx: Context, resource: dict[str, Json]) -> str:
        """The id that a resource to be created later in this transaction will have."""
        return await self._gateway.reserve(tx, ctx, resource)

    async def update(
        self,
        tx: Transaction,
        ctx: Context,
        type_: str,
        id: str,
        resource: dict[str, Json],
        if_match: int | None = None,
    ) -> Done:
        """Write the next version of what `id` names, or create it there (the gateway says who may choose an id)."""
        require(ctx, "u", type_)
        require_type(resource, type_)
        require_id(resource, type_, id)
        require_valid(resource)
        stored = await self._gateway.update(tx, ctx, resource, if_match=if_match)
        # A document is never made by PUT: where nothing in it changes, its first version stays.
        created = stored.version == 1 and type_ != DOCUMENT
        if created:
            require(ctx, "c", type_)
        return Done(201 if created else 200, stored)

    async def update_where(
        self,
        tx: Transaction,
        ctx: Context,
        type_: str,
        query: str,
        resource: dict[str, Json],
        if_match: int | None = None,
    ) -> Done:
        """Update the one resource that the criteria find; create when they find none (R4 conditional update)."""
        require_type(resource, type_)
        found = await self.one(tx, ctx, type_, query, writing=True)
        sent = resource.get("id")
        if found is not None:
            if sent is not None and sent != found.id:
                text = f"The criteria find {type_}/{found.id} but the resource says {str(sent)[:64]}."
                raise Refusal(Kind.INVALID, "ID_MISMATCH", text, element=f"{type_}.id")
            return await self.update(tx, ctx, type_, found.id, {**resource, "id": found.id}, if_match)
        if if_match is not None:
            raise Refusal(Kind.PRECONDITION_FAILED, "VERSION_MISMATCH", "The criteria find nothing to match.")
        if sent is not None:
            return await self.update(tx, ctx, type_, str(sent), resource)
        return await self.create(tx, ctx, type_, resource)

    async def patch(
        self, tx: Transaction, ctx: Context, type_: str, id: str, patch: Patch, if_match: int | None = None
    ) -> Done:
        """Apply a patch to the present version."""
        require(ctx, "u", type_)
        current = await self._current(tx, ctx, type_, id, if_match)
        resource = patched(decode(current.body), patch)
        require_valid(resource)
        return Done(200, await self._gateway.update(tx, ctx, resource, if_match=current.version))

    async def patch_where(
        self, tx: Transaction, ctx: Context, type_: str, query: str, patch: Patch, if_match: int | None = None
    ) -> Done:
        """Apply a patch to the one resource that the criteria find."""
        found = await self.one(tx, ctx, type_, query)
        if found is None:
            raise _no_match(type_, query, Kind.NOT_FOUND)
        return await self.patch(tx, ctx, type_, found.id, patch, if_match)

    async def delete(self, tx: Transaction, ctx: Context, type_: str, id: str, if_match: int | None = None) -> Done:
        """Delete what `id` names; deleting it again changes nothing."""
        require(ctx, "d", type_)
        try:
            await self._gateway.delete(tx, ctx, type_, id, if_match=if_match)
        except Refusal as refusal:
            if refusal.kind is not Kind.GONE:
                raise
        return Done(204)

    async def delete_where(self, tx: Transaction, ctx: Context, type_: str, query: str) -> Done:
        """Delete the one resource that the criteria find; nothing to delete is a success too (R4)."""
        found = await self.one(tx, ctx, type_, query)
        return Done(204) if found is None else await self.delete(tx, ctx, type_, found.id)

    async def one(
        self, tx: Transaction, ctx: Context, type_: str, query: str, *, writing: bool = False
    ) -> Stored | None:
        """The one resource that the criteria find, among those this caller may see. Raises MULTIPLE_MATCHES."""
        require(ctx, "s", type_)
        pairs = parse_qsl(query, keep_blank_values=True)
        if not pairs:
            raise Refusal(Kind.INVALID, "CRITERIA_MISSING", f"Say which {type_}: `{type_}?identifier=system|value`.")
        if writing:
            await one_at_a_time(tx, f"{type_}?{query}")
        found = await self._criteria.matches(tx, ctx, type_, pairs, limit=2)
        if len(found) > 1:
            text = f"`{type_}?{query[:300]}` finds several; narrow it down."
            raise Refusal(Kind.PRECONDITION_FAILED, MULTIPLE_MATCHES, text)
        return found[0] if found else None

    async def reference(self, tx: Transaction, ctx: Context, type_: str, query: str) -> str:
        """`Type/id` of the one resource that a conditional reference means."""
        found = await self.one(tx, ctx, type_, query)
        if found is None:
            raise _no_match(type_, query, Kind.PRECONDITION_FAILED)
        return f"{type_}/{found.id}"

    async def _current(self, tx: Transaction, ctx: Context, type_: str, id: str, if_match: int | None) -> Stored:
        """The present version, to be changed."""
        # The record decides by what the patch changes: a patient masks what only the author may withdraw.
        action = Action.READ if type_ == DOCUMENT else Action.UPDATE
        return await self._gateway.open(tx, ctx, action, type_, id, if_match=if_match)


def require_type(resource: dict[str, Json], type_: str) -> None:
    """Refuse a body of another type than the URL says."""
    if resource.get("resourceType") != type_:
        text = f"The URL says {type_} but the body is a {str(resource.get('resourceType'))[:64]}."
        raise Refusal(Kind.INVALID, "RESOURCE_TYPE_MISMATCH", text, element="resourceType")


def require_id(resource: dict[str, Json], type_: str, id: str) -> None:
    """Refuse a body that names another resource than the URL."""
    if not is_id(id):
        raise Refusal(Kind.INVALID, "ID_MALFORMED", "An id has 1 to 64 letters, digits, dashes and dots.")
    if resource.get("id") != id:
        said = f"says `{str(resource['id'])[:64]}`" if "id" in resource else "has no id"
        text = f"The URL names {type_}/{id} but the body {said}."
        raise Refusal(Kind.INVALID, "ID_MISMATCH", text, element=f"{type_}.id")


def _no_match(type_: str, query: str, kind: Kind) -> Refusal:
    return Refusal(kind, "NO_MATCH", f"`{type_}?{query[:300]}` finds nothing that you may see.")
