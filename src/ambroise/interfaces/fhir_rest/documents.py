"""Documents handed to the record: ITI-65 submissions, ITI-105 documents sent inline, ITI-106 documents sent alone."""

from typing import Any, Final

from ambroise.interfaces.fhir_rest.done import Done
from ambroise.interfaces.fhir_rest.entries import Entry
from ambroise.interfaces.fhir_rest.submissions import SubmissionEntries, incoming_of, submission_of
from ambroise.kernel.db import Transaction
from ambroise.modules.record.api import Filed, Incoming, Record, Submission
from ambroise.trust.context import Context
from ambroise.trust.gateway import Gateway

Json = Any
DOCUMENT: Final = "DocumentReference"


class Documents:
    """The way to the use case of the record that files documents."""

    def __init__(self, record: Record, gateway: Gateway, *, max_inline: int) -> None:
        self._record = record
        self._gateway = gateway
        self._max_inline = max_inline

    async def submit(self, tx: Transaction, ctx: Context, found: SubmissionEntries) -> list[tuple[Entry, Done]]:
        """File the documents of a transaction; what became of each of its entries."""
        submitted = await self._record.submit(tx, ctx, submission_of(found, self._max_inline))
        answers: list[tuple[Entry, Done]] = []
        for entry, binary, filed in zip(found.documents, found.contents, submitted.documents, strict=True):
            answers.append((entry, Done(_status(filed), place=f"{DOCUMENT}/{filed.document}")))
            if binary is not None:
                answers.append((binary, Done(_status(filed), place=f"Binary/{filed.binary}")))
        if found.submission_set is not None:
            place = f"List/{submitted.submission_set}" if submitted.submission_set else None
            answers.append((found.submission_set, Done(201 if place else 200, place=place)))
        return answers

    async def publish(self, tx: Transaction, ctx: Context, reference: dict[str, Json]) -> Done:
        """File one document that its DocumentReference carries inline (ITI-105)."""
        return await self.file(tx, ctx, incoming_of(reference, self._max_inline))

    async def file(self, tx: Transaction, ctx: Context, incoming: Incoming) -> Done:
        """File one document."""
        filed = (await self._record.submit(tx, ctx, Submission((incoming,)))).documents[0]
        # Who files a document knows what is in it: only one that was there already is read.
        stored = filed.stored or await self._gateway.read(tx, ctx, DOCUMENT, str(filed.document))
        return Done(_status(filed), stored)


def _status(filed: Filed) -> int:
    # The same document sent again changes nothing and is answered as what it is: already there.
    return 200 if filed.replayed else 201
