"""The use cases of the record: file documents, read one, erase a space."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from ambroise.fhir.json import decode
from ambroise.kernel.db import Answer, Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import hash64
from ambroise.kernel.outbox import Event as Due
from ambroise.kernel.outbox import emit
from ambroise.modules.consent.api import erase as erase_requests
from ambroise.modules.identity.api import erase as erase_identity
from ambroise.modules.notification.api import erase as erase_notices
from ambroise.modules.record import (
    directives,
    entry,
    events,
    reference,
    replacement,
    repository,
    submission_set,
    telling,
    withholding,
)
from ambroise.modules.record.assessment import Assessed, Recognised, assess, recognise, unique_id_of
from ambroise.modules.record.cda.model import Identifier
from ambroise.modules.record.cda.write import Former
from ambroise.modules.record.changing import FLAGS, Changing, replaced_already
from ambroise.modules.record.content.malware import NoScanner, Scanner
from ambroise.modules.record.followers import followers_of
from ambroise.modules.record.model import (
    INVISIBLE_PATIENT,
    Document,
    Filed,
    Incoming,
    Submission,
    Submitted,
)
from ambroise.trust.access import restrictions
from ambroise.trust.access.facts import Eyes
from ambroise.trust.audit.entry import REFUSED, Entry, Event
from ambroise.trust.context import Citizen, Context, Professional
from ambroise.trust.gateway import Flags, Gateway, Label, Stored, follow, label_for

Json = dict[str, Any]

MEGABYTE = 1_000_000


class Limits(Struct, frozen=True):
    """The largest document that is taken, in bytes, by who files it."""

    professional: int = 50 * MEGABYTE
    citizen: int = 5 * MEGABYTE


class _Reserved(Struct, frozen=True):
    """What the filing of a document asked ahead: whether its unique id was free, and the key of its patient."""

    unique_id: Answer
    key: Answer | None


class Record(Changing):
    """The shared record of every space, behind the one door."""

    def __init__(self, gateway: Gateway, *, scanner: Scanner | None = None, limits: Limits | None = None) -> None:
        super().__init__(gateway)
        self._scanner = scanner or NoScanner()
        self._limits = limits or Limits()

    async def submit(self, tx: Transaction, ctx: Context, submission: Submission) -> Submitted:
        """File documents together: all of them, or a Refusal and none; its data say which `document` it is about."""
        if not submission.documents:
            raise Refusal(Kind.INVALID, "SUBMISSION_EMPTY", "A submission holds at least one document.")
        filed: list[Filed] = []
        labels: list[Label] = []
        for number, incoming in enumerate(submission.documents):
            try:
                one, label = await self._file(tx, ctx, incoming)
            except Refusal as refusal:
                refusal.data = {**refusal.data, "document": number}
                raise
            filed.append(one)
            if label is not None:
                labels.append(label)
        if len(labels) < len(filed):
            # Sent again, whole or in part: what was there keeps the List it was filed with.
            return Submitted(tuple(filed), None)
        return Submitted(tuple(filed), await submission_set.file(tx, self._gateway, ctx, submission, filed, labels))

    async def document(self, tx: Reader, ctx: Context, id: str) -> Document:
        """One document, for who may see it."""
        return entry.read(decode((await self._gateway.read(tx, ctx, "DocumentReference", id)).body))

    async def former(self, reader: Reader, ctx: Context, id: str) -> tuple[Document, Former]:
        """A document that a new one is about to replace, for who may read it, and which version of its set it is."""
        stored, content = await self._gateway.document_content(reader, ctx, id)
        document = entry.read(decode(stored.body))
        return document, replacement.former(document.unique_id, content)

    async def content_under(
        self, reader: Reader, ctx: Context, unique_id: str, *, of: UUID | None = None
    ) -> tuple[Stored, bytes]:
        """The document of a unique id and its bytes, for who may read it; `of` is the only patient it may be about.

        Raises NOT_FOUND, also when its existence is a secret; FORBIDDEN, GONE.
        """
        known = await repository.known_unique_id(reader, Identifier.parse(unique_id).urn)
        if known is None or (of is not None and known.patient != of):
            raise entry.unknown()
        return await self._gateway.document_content(reader, ctx, str(known.document))

    async def withdraw_under(self, tx: Transaction, ctx: Context, unique_id: str, *, of: UUID) -> Filed:
        """Withdraw a patient's document by its unique id, for its author; what he withdrew before stays so (replayed).

        Raises NOT_FOUND, also when its existence is a secret; FORBIDDEN.
        """
        urn = Identifier.parse(unique_id).urn
        known = await repository.known_unique_id(tx, urn)
        labels = await self._gateway.labels(tx, "DocumentReference", [known.document]) if known else []
        if known is None or known.patient != of or not labels:
            raise entry.unknown()
        own, gone = _is_author(ctx, labels[0]), bool(labels[0].flags & Flags.DELETED)
        if gone and not own:
            raise entry.unknown()
        if not gone:
            try:
                await self.withdraw(tx, ctx, str(known.document))
            except Refusal as refusal:
                # The door traced it; that the document exists is for who wrote it to know.
                raise (refusal if own else entry.unknown()) from None
        return Filed(known.document, urn, known.patient, known.binary, replayed=gone)

    async def recall_directives(self, tx: Transaction, due: Due, at: datetime) -> None:
        """A year after advance directives came: ask their holder whether they are still right."""
        await directives.tell(tx, self._gateway, due, at)

    async def purge(self, tx: Transaction, ctx: Context, patient: UUID) -> int:
        """Erase a space for ever: resources, versions, files, notices, identity, and the key; the trace stays.

        Returns how many resources it held. For the instance's own jobs, once the legal delay is over.
        """
        erased = await self._gateway.purge(tx, ctx, patient)
        await repository.erase(tx, patient)
        await erase_notices(tx, patient)
        await erase_requests(tx, patient)
        await erase_identity(tx, patient)
        return erased

    async def _file(self, tx: Transaction, ctx: Context, incoming: Incoming) -> tuple[Filed, Label | None]:
        """File one document; no label when it was there already."""
        limit = self._limits.citizen if isinstance(ctx.actor, Citizen) else self._limits.professional
        assessed, reserved = await self._assessed(tx, ctx, incoming, limit)
        patient = assessed.identity.patient
        if not await reserved.unique_id.touched():
            return await self._replay(tx, ctx, assessed), None
        label = self._label(ctx, assessed)
        media_type = _media_type(assessed.resource)
        await self._gateway.put_content(
            tx,
            ctx,
            label,
            assessed.binary,
            assessed.content,
            media_type,
            digests=assessed.digests,
            expected=reserved.key,
        )
        stored = await self._gateway.file(tx, ctx, assessed.resource, label, key=assessed.document)
        followers, facts = followers_of(ctx, assessed)
        followed = await self._gateway.file_all(tx, ctx, followers, follow(label, stored.key))
        for replaced in assessed.replaces:
            if replaced.document:
                await self._replace(tx, ctx, patient, replaced.document)
                await restrictions.follow_document(tx, patient, replaced.document, stored.key)
        await self._after_filing(tx, ctx, assessed, stored, [fact for fact, _ in followers])
        filed = Filed(
            document=stored.key,
            unique_id=assessed.unique_id,
            patient=patient,
            binary=assessed.binary,
            extracted=facts,
            stored=stored,
            stored_binary=followed[0],
        )
        return filed, stored.label

    async def _assessed(
        self, tx: Transaction, ctx: Context, incoming: Incoming, limit: int
    ) -> tuple[Assessed, _Reserved]:
        """Run the feed checks; what they refuse is traced, for the patient as soon as it is sure who that is."""
        patient: UUID | None = None
        try:
            recognised = await recognise(tx, ctx, incoming, limit)
            patient = recognised.identified.identity.patient
            unique_id = unique_id_of(recognised)
            reserved = self._reserve(tx, unique_id, recognised) if unique_id else None
            space = await self._gateway.facts(tx, ctx, Eyes.of(ctx), patient)
            assessed = await assess(tx, ctx, recognised, space, self._scanner)
            return assessed, reserved or self._reserve(tx, assessed.unique_id, recognised)
        except Refusal as refusal:
            raise await self._refused(ctx, patient, refusal) from None

    def _reserve(self, tx: Transaction, unique_id: str, recognised: Recognised) -> _Reserved:
        """Ask for the unique id and the patient's key, with the facts that follow: what is refused then undoes it."""
        patient = recognised.identified.identity.patient
        known = repository.Known(patient, recognised.document, recognised.binary, recognised.digests.sha256)
        return _Reserved(repository.take_unique_id(tx, unique_id, known), self._gateway.expect_content(tx, patient))

    async def _refused(self, ctx: Context, patient: UUID | None, refusal: Refusal) -> Refusal:
        """The refusal of a filing, once it left its line in a transaction of its own, under the name of the check."""
        rule = refusal.code.lower()
        await self._gateway.note(
            ctx, Entry("C", Event.CREATE, patient, "DocumentReference", rule=rule, outcome=REFUSED)
        )
        return refusal

    def _label(self, ctx: Context, assessed: Assessed) -> Label:
        """What access reads on the document: its kind, its flags, and who wrote it."""
        flags = Flags(0)
        for code in assessed.visibility:
            flags |= FLAGS[code]
        author = organization = 0
        if isinstance(ctx.actor, Citizen):
            flags |= Flags.PATIENT_AUTHORED
            author = ctx.actor.key
        elif isinstance(ctx.actor, Professional):
            author, organization = ctx.actor.key, ctx.actor.organization_key
        else:
            author, organization = _responsible_keys(assessed.resource)
        return label_for(
            "DocumentReference",
            assessed.resource,
            patient=assessed.identity.patient,
            flags=flags,
            author=author,
            author_organization=organization,
        )

    async def _replay(self, tx: Transaction, ctx: Context, assessed: Assessed) -> Filed:
        """The same document sent again is the one that is here already; other bytes under its id are refused.

        So is one that was withdrawn: nobody sees it any more, and its sender must not think that it is there.
        """
        patient = assessed.identity.patient
        known = await repository.known_unique_id(tx, assessed.unique_id)
        if known is None or known.sha256 != assessed.digests.sha256 or known.patient != patient:
            raise await self._refused(ctx, patient, _taken("Another document"))
        labels = await self._gateway.labels(tx, "DocumentReference", [known.document])
        if any(label.flags & Flags.DELETED for label in labels):
            gone = _taken("A document that was withdrawn", {"withdrawn": True})
            raise await self._refused(ctx, patient, gone)
        return Filed(known.document, assessed.unique_id, known.patient, known.binary, replayed=True)

    async def _replace(self, tx: Transaction, ctx: Context, patient: UUID, document: UUID) -> None:
        """Supersede a document by a new one of the same patient; one that is unknown here stays a link (RPLC)."""
        known = await self._gateway.labels(tx, "DocumentReference", [document])
        if not known:
            return
        if known[0].patient != patient:
            raise await self._refused(ctx, patient, replacement.other_patient())
        if known[0].flags & Flags.SUPERSEDED:
            raise await self._refused(ctx, patient, replaced_already())
        await self._supersede(tx, ctx, str(document))

    async def _after_filing(
        self, tx: Transaction, ctx: Context, assessed: Assessed, stored: Stored, facts: Sequence[Json]
    ) -> None:
        patient = assessed.identity.patient
        if INVISIBLE_PATIENT in assessed.visibility:
            await withholding.start(tx, ctx, patient, stored.key)
        else:
            for code, once in telling.told(assessed, stored, facts):
                await self._tell(tx, ctx, stored, code, once)
        await directives.watch(tx, stored, ctx.now())
        await repository.wait_to_index(tx, patient, [stored.key])
        await emit(tx, events.DOCUMENT_FILED, {"document": str(stored.key)}, patient=patient)


def _is_author(ctx: Context, label: Label) -> bool:
    """Whether the caller wrote it, or his structure did where nobody signed."""
    if not isinstance(ctx.actor, Professional):
        return False
    if label.author:
        return label.author == ctx.actor.key
    return ctx.actor.organization_key != 0 and label.author_organization == ctx.actor.organization_key


def _taken(by: str, data: Json | None = None) -> Refusal:
    return Refusal(
        Kind.CONFLICT,
        "DUPLICATE_UNIQUE_ID",
        f"{by} has this unique id: give the new one its own, and say which one it replaces if it does.",
        element="DocumentReference.masterIdentifier",
        data=data or {},
    )


def _media_type(resource: Json) -> str:
    return resource["content"][0]["attachment"]["contentType"]


def _responsible_keys(resource: Json) -> tuple[int, int]:
    """The author and the structure that the document names first, as labels write them; 0 where none is named."""
    author = organization = 0
    for contained in resource.get("contained", ()):
        for identifier in contained.get("identifier", ()):
            system = identifier.get("system", "")
            if contained["resourceType"] == "Practitioner" and system == reference.PROFESSIONALS:
                author = author or hash64(identifier["value"])
            elif contained["resourceType"] == "Organization" and system == reference.STRUCTURES:
                organization = organization or hash64(identifier["value"])
    return author, organization
