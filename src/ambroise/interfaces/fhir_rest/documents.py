"""Documents handed to the record: ITI-65 submissions, ITI-105 documents sent inline, ITI-106 documents sent alone."""

from typing import Any, Final

from ambroise.interfaces.fhir_rest.criteria import Criteria
from ambroise.interfaces.fhir_rest.done import Done
from ambroise.interfaces.fhir_rest.entries import Entry
from ambroise.interfaces.fhir_rest.limits import require
from ambroise.interfaces.fhir_rest.submissions import SubmissionEntries, incoming_of, submission_of
from ambroise.kernel.db import Transaction
from ambroise.modules.record.api import Filed, Incoming, Record, Submission, Submitted
from ambroise.trust.context import Context
from ambroise.trust.gateway import Stored

Json = Any
DOCUMENT: Final = "DocumentReference"


class Documents:
    """The way to the use case of the record that files documents.

    A document sent again changes nothing and is answered as what it is, already there (200): by its place, and by its
    present version to who may read it.
    """

    def __init__(self, record: Record, criteria: Criteria, *, max_inline: int) -> None:
        self._record = record
        self._criteria = criteria
        self._max_inline = max_inline

    async def submit(self, tx: Transaction, ctx: Context, found: SubmissionEntries) -> list[tuple[Entry, Done]]:
        """File the documents of a transaction; what became of each of its entries."""
        require(ctx, "c", DOCUMENT)
        submitted = await self._record.submit(tx, ctx, submission_of(found, self._max_inline))
        answers: list[tuple[Entry, Done]] = []
        for entry, binary, filed in zip(found.documents, found.contents, submitted.documents, strict=True):
            answers.append((entry, await self._done(tx, ctx, filed)))
            if binary is not None:
                answers.append((binary, Done(_status(filed), filed.stored_binary, f"Binary/{filed.binary}")))
        if found.submission_set is not None:
            answers.append((found.submission_set, await self._set_done(tx, ctx, submitted)))
        return answers

    async def publish(self, tx: Transaction, ctx: Context, reference: dict[str, Json]) -> Done:
        """File one document that its DocumentReference carries inline (ITI-105)."""
        return await self.file(tx, ctx, incoming_of(reference, self._max_inline))

    async def file(self, tx: Transaction, ctx: Context, incoming: Incoming) -> Done:
        """File one document."""
        require(ctx, "c", DOCUMENT)
        return await self._done(tx, ctx, (await self._record.submit(tx, ctx, Submission((incoming,)))).documents[0])

    async def _done(self, tx: Transaction, ctx: Context, filed: Filed) -> Done:
        # Who files a document knows what is in it: only one that was there already is read.
        stored = filed.stored or await self._seen(tx, ctx, DOCUMENT, ("_id", str(filed.document)))
        return Done(_status(filed), stored, f"{DOCUMENT}/{filed.document}")

    async def _set_done(self, tx: Transaction, ctx: Context, submitted: Submitted) -> Done:
        if submitted.submission_set is not None:
            return Done(201, submitted.submission_set)
        item = f"{DOCUMENT}/{submitted.documents[0].document}"
        return Done(200, await self._seen(tx, ctx, "List", ("item", item)))

    async def _seen(self, tx: Transaction, ctx: Context, type_: str, criterion: tuple[str, str]) -> Stored | None:
        """The one that is there, if this caller may see it."""
        found = await self._criteria.matches(tx, ctx, type_, [criterion], limit=1)
        return found[0] if found else None


def _status(filed: Filed) -> int:
    return 200 if filed.replayed else 201
