"""What a client may do with documents by the generic door: each write of an owned type becomes a use case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import pybase64

from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.model import Incoming, Submission
from ambroise.modules.record.service import Record
from ambroise.trust.context import Context
from ambroise.trust.gateway import Gateway, Stored

Json = dict[str, Any]


class DocumentOwner:
    """The owner of DocumentReference."""

    def __init__(self, record: Record, gateway: Gateway) -> None:
        self._record = record
        self._gateway = gateway

    async def create(self, tx: Transaction, ctx: Context, resource: Json, *, id: str | None) -> Stored:
        """File a document that stands inline in its metadata."""
        submitted = await self._record.submit(tx, ctx, Submission((_inline(resource),)))
        return await self._gateway.read(tx, ctx, "DocumentReference", str(submitted.documents[0].document))

    async def update(self, tx: Transaction, ctx: Context, resource: Json, *, if_match: int | None) -> Stored:
        """Change what may change in a document's metadata."""
        return await self._record.change(tx, ctx, str(resource["id"]), resource, if_match)

    async def delete(self, tx: Transaction, ctx: Context, type: str, id: str, *, if_match: int | None) -> None:
        """Withdraw a document."""
        await self._record.withdraw(tx, ctx, id, if_match)


class BinaryOwner:
    """The owner of Binary: the bytes of a document, filed with it and by no other way."""

    async def create(self, tx: Transaction, ctx: Context, resource: Json, *, id: str | None) -> Stored:
        """Refuse a Binary alone."""
        _refuse("A Binary is filed with its document: send both in one transaction, or the document inline.")

    async def update(self, tx: Transaction, ctx: Context, resource: Json, *, if_match: int | None) -> Stored:
        """Refuse to change the bytes of a document."""
        _refuse("The bytes of a document never change: file a document that replaces it.")

    async def delete(self, tx: Transaction, ctx: Context, type: str, id: str, *, if_match: int | None) -> None:
        """Refuse to delete bytes without their document."""
        _refuse("Delete the DocumentReference: its Binary goes with it.")


def _inline(resource: Mapping[str, Any]) -> Incoming:
    attachment: Mapping[str, Any] = ((resource.get("content") or [{}])[0]).get("attachment", {})
    if not attachment.get("data"):
        raise Refusal(
            Kind.UNPROCESSABLE,
            "CONTENT_MISSING",
            "Give the document in content.attachment.data, or in a Binary of the same transaction.",
            element="DocumentReference.content.attachment.data",
        )
    content = pybase64.b64decode("".join(str(attachment["data"]).split()), validate=True)
    return Incoming(content, attachment.get("contentType"), resource)


def _refuse(diagnostics: str) -> NoReturn:
    raise Refusal(Kind.UNPROCESSABLE, "OWNED_BY_DOCUMENT", diagnostics, element="Binary")
