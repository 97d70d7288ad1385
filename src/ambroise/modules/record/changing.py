"""Changing documents that are filed: who sees them, whether they are in force, archived or withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ambroise.fhir.json import decode
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.outbox import emit
from ambroise.modules.notification.api import Code, notify
from ambroise.modules.record import (
    checks,
    entry,
    events,
    reference,
    submission_set,
    texts,
    withholding,
)
from ambroise.modules.record.model import (
    ARCHIVED_EXTENSION,
    INVISIBLE_PATIENT,
    INVISIBLE_REPRESENTATIVES,
    MASKED,
)
from ambroise.modules.record.repositories import shelves
from ambroise.trust.audit.entry import Event, PatientEvent
from ambroise.trust.context import Citizen, Context, System
from ambroise.trust.gateway import Action, Flags, Gateway, Stored

Json = dict[str, Any]

FLAGS = {
    MASKED: Flags.MASKED,
    INVISIBLE_PATIENT: Flags.INVISIBLE_PATIENT,
    INVISIBLE_REPRESENTATIVES: Flags.INVISIBLE_REPRESENTATIVES,
}


class Changing:
    """What happens to a document once it is filed."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def mask(self, tx: Transaction, ctx: Context, document: str) -> Stored:
        """Hide a document from professionals (masquer)."""
        return await self._show(tx, ctx, document, Action.MASK, Event.MASKED, add=MASKED)

    async def unmask(self, tx: Transaction, ctx: Context, document: str) -> Stored:
        """Let authorised professionals see a document again (démasquer)."""
        return await self._show(tx, ctx, document, Action.MASK, Event.UNMASKED, remove=MASKED)

    async def disclose(self, tx: Transaction, ctx: Context, document: str) -> Stored:
        """Show a withheld document to its patient (rendre visible): the disclosure visit took place."""
        stored = await self._show(
            tx, ctx, document, Action.DISCLOSE, Event.DISCLOSED_TO_PATIENT, remove=INVISIBLE_PATIENT
        )
        await withholding.end(tx, ctx, stored)
        return stored

    async def disclose_to_representatives(self, tx: Transaction, ctx: Context, document: str) -> Stored:
        """Show a document to the legal representatives."""
        return await self._show(
            tx,
            ctx,
            document,
            Action.DISCLOSE_TO_REPRESENTATIVES,
            Event.DISCLOSED_TO_REPRESENTATIVES,
            remove=INVISIBLE_REPRESENTATIVES,
        )

    async def archive(self, tx: Transaction, ctx: Context, document: str, archived: bool) -> Stored:
        """Put a document out of the default lists (archiver), or back."""
        current = await self._gateway.open(tx, ctx, Action.ARCHIVE, "DocumentReference", document)
        resource = decode(current.body)
        others = [item for item in resource.get("extension", ()) if item.get("url") != ARCHIVED_EXTENSION]
        resource["extension"] = [*others, {"url": ARCHIVED_EXTENSION, "valueBoolean": archived}]
        event = Event.ARCHIVED if archived else Event.UNARCHIVED
        change = {"set" if archived else "clear": Flags.ARCHIVED}
        stored = await self._rewrite(tx, ctx, Action.ARCHIVE, current, resource, event, **change)
        await self._tell(tx, ctx, stored, Code.DOCUMENT_CHANGED)
        return stored

    async def withdraw(self, tx: Transaction, ctx: Context, document: str, if_match: int | None = None) -> Stored:
        """Delete a document (suppression): its author only; it is marked entered in error and nobody sees it again."""
        current = await self._gateway.open(tx, ctx, Action.WITHDRAW, "DocumentReference", document, if_match=if_match)
        resource = decode(current.body)
        resource["status"] = "entered-in-error"
        stored = await self._rewrite(tx, ctx, Action.WITHDRAW, current, resource, Event.WITHDRAWN, set=Flags.DELETED)
        await withholding.end(tx, ctx, stored)
        if stored.label.patient is not None:
            await texts.forget(tx, self._gateway, stored.label.patient, stored.key)
            await shelves.forget(tx, stored.label.patient, stored.key)
        await self._tell(tx, ctx, current, Code.DOCUMENT_DELETED)
        await emit(tx, events.DOCUMENT_WITHDRAWN, {"document": str(current.key)}, patient=current.label.patient)
        return stored

    async def change(
        self, tx: Transaction, ctx: Context, id: str, resource: Mapping[str, Any], if_match: int | None = None
    ) -> Stored:
        """Bring a document's metadata to what a client wrote (PUT or PATCH): the changes that the record knows.

        Those are the visibility flags, archiving, withdrawing, superseding. Refuses any other (METADATA_IMMUTABLE).
        """
        current = await self._gateway.open(tx, ctx, Action.READ, "DocumentReference", id, if_match=if_match)
        before = decode(current.body)
        checks.check_change(before, resource)
        stored = current
        if resource.get("status") != before.get("status"):
            stored = await self._change_status(tx, ctx, id, str(resource.get("status")))
            if resource.get("status") == "entered-in-error":
                return stored
        for one in await self._visibility_changes(tx, ctx, id, before, resource):
            stored = one
        if entry.is_archived(resource) != entry.is_archived(before):
            stored = await self.archive(tx, ctx, id, entry.is_archived(resource))
        # A change is traced as what it is; where nothing changes, the client has read the document all the same.
        return stored if stored is not current else await self._gateway.read(tx, ctx, "DocumentReference", id)

    async def _change_status(self, tx: Transaction, ctx: Context, id: str, status: str) -> Stored:
        if status == "entered-in-error":
            return await self.withdraw(tx, ctx, id)
        if status == "superseded":
            return await self._supersede(tx, ctx, id)
        raise Refusal(
            Kind.UNPROCESSABLE,
            "STATUS_CHANGE_FORBIDDEN",
            "A document goes to superseded or entered-in-error, and does not come back.",
            element="DocumentReference.status",
        )

    async def _visibility_changes(
        self, tx: Transaction, ctx: Context, id: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> list[Stored]:
        now, wanted = entry.visibility_of(before), entry.visibility_of(after)
        if (wanted - now) & {INVISIBLE_PATIENT, INVISIBLE_REPRESENTATIVES}:
            raise Refusal(
                Kind.UNPROCESSABLE,
                "WITHHOLDING_AT_FILING",
                "A document is withheld when it is filed, never later: replace it by a new one.",
                element="DocumentReference.securityLabel",
            )
        done: list[Stored] = []
        if MASKED in wanted - now:
            done.append(await self.mask(tx, ctx, id))
        if MASKED in now - wanted:
            done.append(await self.unmask(tx, ctx, id))
        if INVISIBLE_PATIENT in now - wanted:
            done.append(await self.disclose(tx, ctx, id))
        if INVISIBLE_REPRESENTATIVES in now - wanted:
            done.append(await self.disclose_to_representatives(tx, ctx, id))
        return done

    async def _supersede(self, tx: Transaction, ctx: Context, document: str) -> Stored:
        current = await self._gateway.open(tx, ctx, Action.REPLACE, "DocumentReference", document)
        resource = decode(current.body)
        if resource["status"] != "current":
            raise replaced_already()
        resource["status"] = "superseded"
        return await self._rewrite(tx, ctx, Action.REPLACE, current, resource, Event.SUPERSEDED, set=Flags.SUPERSEDED)

    async def _show(
        self,
        tx: Transaction,
        ctx: Context,
        document: str,
        action: Action,
        event: PatientEvent,
        *,
        add: str | None = None,
        remove: str | None = None,
    ) -> Stored:
        current = await self._gateway.open(tx, ctx, action, "DocumentReference", document)
        resource = decode(current.body)
        before = entry.visibility_of(resource)
        after = (before | {add}) if add else before - {remove}
        if after == before:
            return current
        resource["securityLabel"] = reference.labels(code for code in after if code)
        shown = await self._rewrite(
            tx,
            ctx,
            action,
            current,
            resource,
            event,
            set=FLAGS[add] if add else Flags(0),
            clear=FLAGS[remove] if remove else Flags(0),
        )
        # The instance itself discloses after a month, and tells that in its own words.
        if not isinstance(ctx.actor, System):
            disclosed = remove == INVISIBLE_PATIENT
            await self._tell(tx, ctx, shown, Code.DOCUMENT_ADDED if disclosed else Code.DOCUMENT_CHANGED)
        return shown

    async def _rewrite(
        self,
        tx: Transaction,
        ctx: Context,
        action: Action,
        current: Stored,
        resource: Json,
        event: PatientEvent,
        *,
        set: Flags = Flags(0),  # noqa: B008 - an immutable enum member.
        clear: Flags = Flags(0),  # noqa: B008
    ) -> Stored:
        """Write the next version of the metadata and carry its label to all that follows the document."""
        reference.new_entry_uuid(resource)
        stored = await self._gateway.rewrite(tx, ctx, action, current, resource, event=event, set=set, clear=clear)
        if set or clear:
            await submission_set.follow(tx, self._gateway, ctx, stored)
        return stored

    async def _tell(self, tx: Transaction, ctx: Context, stored: Stored, code: Code, once: str | None = None) -> None:
        """Tell the holder what others did, unless the document is withheld; representatives of what they may see."""
        patient = stored.label.patient
        by_holder = isinstance(ctx.actor, Citizen) and ctx.actor.patient == patient
        if patient is None or by_holder or stored.label.flags & Flags.INVISIBLE_PATIENT:
            return
        await notify(
            tx,
            patient,
            ctx.now(),
            code,
            subject=stored.id,
            details={"by": ctx.actor.name},
            hidden_from_representatives=bool(stored.label.flags & Flags.INVISIBLE_REPRESENTATIVES),
            once=once,
            outside=ctx.channel != "load",
        )


def replaced_already() -> Refusal:
    return Refusal(
        Kind.CONFLICT,
        "REPLACED_ALREADY",
        "The document to replace is not current any more: replace its last version.",
        element="DocumentReference.relatesTo",
    )
