"""What a client may do with documents by the generic door: each write of an owned type becomes a use case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn
from uuid import UUID

import pybase64

from ambroise.fhir.json import decode
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.record import entry
from ambroise.modules.record.model import Incoming, Submission
from ambroise.modules.record.service import Record
from ambroise.modules.record.submission_set import SIGNATURE
from ambroise.trust.access.kinds import SUBMISSION, kind_of
from ambroise.trust.context import Context, System
from ambroise.trust.gateway import Action, Gateway, Stored, label_for

Json = dict[str, Any]


class DocumentOwner:
    """The owner of DocumentReference."""

    def __init__(self, record: Record, gateway: Gateway) -> None:
        self._record = record
        self._gateway = gateway

    async def create(self, tx: Transaction, ctx: Context, resource: Json, *, id: str | None) -> Stored:
        """File a document that stands inline in its metadata."""
        filed = (await self._record.submit(tx, ctx, Submission((_inline(resource),)))).documents[0]
        return filed.stored or await self._gateway.read(tx, ctx, "DocumentReference", str(filed.document))

    async def update(self, tx: Transaction, ctx: Context, resource: Json, *, if_match: int | None) -> Stored:
        """Change what may change in a document's metadata."""
        return await self._record.change(tx, ctx, str(resource["id"]), resource, if_match)

    async def delete(self, tx: Transaction, ctx: Context, type: str, id: str, *, if_match: int | None) -> None:
        """Withdraw a document."""
        await self._record.withdraw(tx, ctx, id, if_match)


class BinaryOwner:
    """The owner of Binary: the bytes of a document are filed with it and by no other way.

    On a demonstration the operator's token also keeps Binaries that no document holds, in a place of no patient.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def create(self, tx: Transaction, ctx: Context, resource: Json, *, id: str | None) -> Stored:
        """Keep bytes that no document holds, for the operator's token; refuse them to anybody else."""
        if not isinstance(ctx.actor, System):
            _refuse("A Binary is filed with its document: send both in one transaction, or the document inline.")
        content, described = _opened(resource)
        label = label_for("Binary", described, patient=None, author=ctx.actor.key)
        key = UUID(id) if id is not None and _is_uuid(id) else new_id()
        await self._gateway.put_content(tx, ctx, label, key, content, described["contentType"])
        return await self._gateway.file(tx, ctx, described, label, key=key, id=None if str(key) == id else id)

    async def update(self, tx: Transaction, ctx: Context, resource: Json, *, if_match: int | None) -> Stored:
        """Put other bytes behind a Binary that no document holds."""
        id = str(resource["id"])
        current = await self._alone(tx, ctx, Action.UPDATE, id, if_match)
        if current is None:
            return await self.create(tx, ctx, resource, id=id)
        content, described = _opened(resource)
        await self._gateway.replace_content(tx, ctx, current, content, described["contentType"])
        return await self._gateway.rewrite(tx, ctx, Action.UPDATE, current, described)

    async def delete(self, tx: Transaction, ctx: Context, type: str, id: str, *, if_match: int | None) -> None:
        """Delete a Binary that no document holds."""
        await self._alone(tx, ctx, Action.DELETE, id, if_match)
        await self._gateway.remove(tx, ctx, type, id, if_match=if_match)

    async def _alone(
        self, tx: Transaction, ctx: Context, action: Action, id: str, if_match: int | None
    ) -> Stored | None:
        """A Binary that no document holds, locked; None when there is none and the operator's token may make it."""
        try:
            current = await self._gateway.open(tx, ctx, action, "Binary", id, if_match=if_match)
        except Refusal as refusal:
            if refusal.kind is Kind.NOT_FOUND and action is Action.UPDATE and isinstance(ctx.actor, System):
                return None
            raise
        if current.label.source is not None:
            _refuse("The bytes of a document never change: file a document that replaces it, or delete the document.")
        return current


class ListOwner:
    """The owner of the Lists that are submissions: filed with their documents, then as they are, save their status.

    What a submission says (its documents, who sent it, whose signature was found right) is not a client's to write by
    the generic door (IHE MHD 2:3.65). Other Lists are their author's. On a demonstration the operator's token writes
    any List.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def create(self, tx: Transaction, ctx: Context, resource: Json, *, id: str | None) -> Stored:
        """Store a List that is no submission."""
        if not isinstance(ctx.actor, System) and _is_submission(resource):
            _refuse_submission("A SubmissionSet is filed with its documents: send them in one transaction (ITI-65).")
        return await self._gateway.add(tx, ctx, resource, id=id)

    async def update(self, tx: Transaction, ctx: Context, resource: Json, *, if_match: int | None) -> Stored:
        """Change a List; of a submission, its status alone."""
        if not isinstance(ctx.actor, System):
            current = await self._gateway.open(tx, ctx, Action.UPDATE, "List", str(resource["id"]), if_match=if_match)
            before = decode(current.body)
            either = _is_submission(before) or _is_submission(resource)
            if either and _lasting(before) != _lasting(resource):
                _refuse_submission("Of a SubmissionSet the status alone may change.")
        return await self._gateway.replace(tx, ctx, resource, if_match=if_match)

    async def delete(self, tx: Transaction, ctx: Context, type: str, id: str, *, if_match: int | None) -> None:
        """Delete a List that is no submission."""
        if not isinstance(ctx.actor, System):
            current = await self._gateway.open(tx, ctx, Action.DELETE, type, id, if_match=if_match)
            if _is_submission(decode(current.body)):
                _refuse_submission("A SubmissionSet stays: withdraw its documents, or mark it entered in error.")
        await self._gateway.remove(tx, ctx, type, id, if_match=if_match)


def _is_submission(resource: Mapping[str, Any]) -> bool:
    """Whether a List is a submission, or gives itself out for one."""
    signed = any(one.get("url") == SIGNATURE for one in resource.get("extension", ()))
    return signed or kind_of(resource) == SUBMISSION


def _lasting(resource: Mapping[str, Any]) -> Json:
    """What nobody changes of a submission."""
    return {name: value for name, value in resource.items() if name not in ("meta", "status")}


def _refuse_submission(diagnostics: str) -> NoReturn:
    raise Refusal(Kind.UNPROCESSABLE, "OWNED_BY_SUBMISSION", diagnostics, element="List")


def _opened(resource: Json) -> tuple[bytes, Json]:
    """The bytes of a Binary, and the Binary without them."""
    described = {name: value for name, value in resource.items() if name != "data"}
    try:
        return pybase64.b64decode("".join(str(resource.get("data", "")).split()), validate=True), described
    except ValueError as error:
        raise Refusal(Kind.INVALID, "BASE64_MALFORMED", "data is not base64.", element="Binary.data") from error


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text and UUID(text).version == _UUID_VERSION
    except ValueError:
        return False


_UUID_VERSION = 7


def _inline(resource: Mapping[str, Any]) -> Incoming:
    attachment: Mapping[str, Any] = entry.first(resource.get("content")).get("attachment", {})
    if not attachment.get("data"):
        raise Refusal(
            Kind.UNPROCESSABLE,
            "CONTENT_MISSING",
            "Give the document in content.attachment.data, or in a Binary of the same transaction.",
            element="DocumentReference.content.attachment.data",
        )
    content, _ = _opened(dict(attachment))
    return Incoming(content, attachment.get("contentType"), resource)


def _refuse(diagnostics: str) -> NoReturn:
    raise Refusal(Kind.UNPROCESSABLE, "OWNED_BY_DOCUMENT", diagnostics, element="Binary")
