"""Batch and transaction Bundles (R4 http.html#transaction): entries resolved, ordered, run, answered."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import urlencode

import psycopg
from msgspec.structs import replace

from ambroise.fhir.definitions import is_resource_type, patient_compartment
from ambroise.fhir.json import encode
from ambroise.interfaces.fhir_rest import outcome as outcomes
from ambroise.interfaces.fhir_rest.actions import Actions, require_id, require_type
from ambroise.interfaces.fhir_rest.bundles import Response, bundle, response_entry
from ambroise.interfaces.fhir_rest.checking import placed
from ambroise.interfaces.fhir_rest.documents import Documents
from ambroise.interfaces.fhir_rest.done import Done
from ambroise.interfaces.fhir_rest.entries import Entry, in_transaction_order, read_entries, refuse_overlaps
from ambroise.interfaces.fhir_rest.faults import as_refusal
from ambroise.interfaces.fhir_rest.patching import patch_of
from ambroise.interfaces.fhir_rest.preferences import Preferences
from ambroise.interfaces.fhir_rest.reading import Reading
from ambroise.interfaces.fhir_rest.references import names_of
from ambroise.interfaces.fhir_rest.routing import unknown_type
from ambroise.interfaces.fhir_rest.submissions import SubmissionEntries, submission_entries
from ambroise.interfaces.fhir_rest.versions import etag, if_match, not_modified
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.context import Context

Json = Any
Transactions = Callable[[], AbstractAsyncContextManager[Transaction]]
_REASONS = {200: "200 OK", 201: "201 Created", 204: "204 No Content", 304: "304 Not Modified"}


class Bundles:
    """Runs the Bundles that are posted to the base."""

    def __init__(self, actions: Actions, reading: Reading, documents: Documents) -> None:
        self._actions = actions
        self._reading = reading
        self._documents = documents

    async def transaction(
        self, tx: Transaction, ctx: Context, sent: dict[str, Json], base: str, preferences: Preferences
    ) -> bytes:
        """Run a transaction: every entry, or a Refusal and none."""
        entries = read_entries(sent, base)
        refuse_overlaps(entries)
        submission = submission_entries(entries)
        filed = submission.numbers if submission else frozenset[int]()
        run = _Run(self._actions, self._reading, tx, ctx, base, preferences)
        await run.all([entry for entry in entries if entry.method == "DELETE"])
        await run.resolve([entry for entry in entries if entry.number not in filed])
        if submission is not None:
            await self._submit(run, submission)
        await run.all(in_transaction_order(entries))
        return bundle("transaction-response", [run.answers[entry.number] for entry in entries])

    async def batch(
        self, begin: Transactions, ctx: Context, sent: dict[str, Json], base: str, preferences: Preferences
    ) -> bytes:
        """Run a batch: each entry for itself, in a transaction of its own."""
        answers: list[bytes] = []
        for entry in read_entries(sent, base):
            try:
                async with begin() as tx:
                    run = _Run(self._actions, self._reading, tx, ctx, base, preferences)
                    await run.entry(entry)
                answers.append(run.answers[entry.number])
            except Refusal as refusal:
                answers.append(_refused(refusal))
            except psycopg.Error as error:
                refusal = as_refusal(error)
                if refusal is None:
                    raise
                answers.append(_refused(refusal))
        return bundle("batch-response", answers)

    async def _submit(self, run: "_Run", submission: SubmissionEntries) -> None:
        used = [entry for entry in (*submission.documents, submission.submission_set) if entry is not None]
        for entry in used:
            entry.links.rewrite(run.given)
        try:
            answers = await self._documents.submit(run.tx, run.ctx, submission)
        except Refusal as refusal:
            if "document" not in refusal.data:
                raise
            raise _placed(refusal, submission.documents[refusal.data["document"]]) from None
        for entry, done in answers:
            run.give(entry, done)


class _Run:
    """The state of one Bundle while it runs: ids given so far, answers so far."""

    def __init__(
        self, actions: Actions, reading: Reading, tx: Transaction, ctx: Context, base: str, preferences: Preferences
    ) -> None:
        self.actions = actions
        self.reading = reading
        self.tx = tx
        self.ctx = ctx
        self.base = base
        self.preferences = preferences
        self.given: dict[str, str] = {}
        self.answers: dict[int, bytes] = {}
        self.reserved: dict[int, str] = {}
        self.rewritten: set[int] = set()

    async def resolve(self, entries: list[Entry]) -> None:
        """Learn what every entry will be called before it is written; only Patients are written on the way.

        An id is made beside its patient's, so Patients come before what belongs to them, and what belongs to nobody
        (organizations, professionals), which Patients may name, comes before them.
        """
        writing = [entry for entry in entries if entry.method in ("POST", "PUT")]
        for entry in writing:
            await self._resolve_criteria(entry)
        patients = [entry for entry in writing if _type(entry) == "Patient"]
        others = [entry for entry in writing if entry.creates and _type(entry) != "Patient"]
        await self._reserve([entry for entry in others if not patient_compartment(_type(entry))])
        await self._reserve([entry for entry in patients if entry.creates])
        await self.all(patients)
        await self._reserve([entry for entry in others if patient_compartment(_type(entry))])

    async def all(self, entries: Iterable[Entry]) -> None:
        """Run entries that have no answer yet, in this order."""
        for entry in entries:
            if entry.number not in self.answers:
                await self.entry(entry)

    async def _reserve(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if entry.number in self.answers:
                continue
            try:
                require_type(entry.resource or {}, _type(entry))
                await self._rewrite(entry)
                id = await self.actions.reserve(self.tx, self.ctx, entry.resource or {})
            except Refusal as refusal:
                raise _placed(refusal, entry) from None
            self.reserved[entry.number] = id
            self.given |= names_of(entry.full_url, f"{_type(entry)}/{id}")

    async def entry(self, entry: Entry) -> None:
        """Run one entry and keep its answer."""
        try:
            done = await self._perform(entry)
        except Refusal as refusal:
            raise _placed(refusal, entry) from None
        if isinstance(done, Done):
            self.give(entry, done)
        else:
            self.answers[entry.number] = done

    def give(self, entry: Entry, done: Done) -> None:
        """Keep the answer of an entry, and the name that others may call it by."""
        place = f"{done.stored.type}/{done.stored.id}" if done.stored else done.place
        if place is not None and entry.method in ("POST", "PUT"):
            self.given |= names_of(entry.full_url, place)
        self.answers[entry.number] = self._answer(done)

    async def _resolve_criteria(self, entry: Entry) -> None:
        """Find what a conditional entry means now, since other entries may refer to it."""
        target = entry.target
        if entry.method == "PUT" and target.id is not None:
            self.given |= names_of(entry.full_url, target.path)
        elif entry.creates and entry.if_none_exist is not None:
            found = await self.actions.one(
                self.tx, self.ctx, _type(entry), entry.if_none_exist.lstrip("?"), writing=True
            )
            if found is not None:
                self.give(entry, Done(200, found))
        elif entry.method == "PUT" and target.query:
            query = urlencode(target.query)
            found = await self.actions.one(self.tx, self.ctx, _type(entry), query, writing=True)
            if found is not None:
                self.given |= names_of(entry.full_url, f"{found.type}/{found.id}")

    async def _rewrite(self, entry: Entry) -> None:
        if entry.resource is None or entry.method == "PATCH":
            return
        entry.links.rewrite(self.given)
        if entry.number not in self.rewritten:
            self.rewritten.add(entry.number)
            await entry.links.rewrite_conditional(
                lambda type_, query: self.actions.reference(self.tx, self.ctx, type_, query)
            )

    async def _perform(self, entry: Entry) -> Done | bytes:
        await self._rewrite(entry)
        _refuse_unresolved(entry)
        act = self._acts()[entry.method]
        return await act(entry)

    def _acts(self) -> dict[str, Callable[[Entry], Awaitable[Done | bytes]]]:
        return {
            "DELETE": self._delete,
            "POST": self._post,
            "PUT": self._put,
            "PATCH": self._patch,
            "GET": self._get,
            "HEAD": self._get,
        }

    async def _delete(self, entry: Entry) -> Done:
        target = entry.target
        if target.id is not None:
            return await self.actions.delete(self.tx, self.ctx, _type(entry), target.id, if_match(entry.if_match))
        return await self.actions.delete_where(self.tx, self.ctx, _type(entry), urlencode(target.query))

    async def _post(self, entry: Entry) -> Done | bytes:
        if not entry.creates:
            return await self._get(entry)
        resource = entry.resource or {}
        reserved = self.reserved.get(entry.number)
        return await self.actions.create(
            self.tx, self.ctx, _type(entry), resource, None if reserved else entry.if_none_exist, id=reserved
        )

    async def _put(self, entry: Entry) -> Done:
        target, resource = entry.target, entry.resource or {}
        expected = if_match(entry.if_match)
        if target.id is None:
            query = urlencode(target.query)
            return await self.actions.update_where(self.tx, self.ctx, _type(entry), query, resource, expected)
        require_id(resource, _type(entry), target.id)
        return await self.actions.update(self.tx, self.ctx, _type(entry), target.id, resource, expected)

    async def _patch(self, entry: Entry) -> Done:
        target, patch = entry.target, patch_of(entry.resource or {})
        expected = if_match(entry.if_match)
        if target.id is not None:
            return await self.actions.patch(self.tx, self.ctx, _type(entry), target.id, patch, expected)
        return await self.actions.patch_where(self.tx, self.ctx, _type(entry), urlencode(target.query), patch, expected)

    async def _get(self, entry: Entry) -> Done | bytes:
        found = await self.reading.get(
            self.tx,
            self.ctx,
            entry.target.segments,
            list(entry.target.query),
            self.base,
            lenient=self.preferences.lenient,
        )
        if not isinstance(found, Done):
            return response_entry(Response(_REASONS[200]), found)
        stored = found.stored
        if stored and not_modified(entry.if_none_match, entry.if_modified_since, stored.version, stored.updated):
            return response_entry(Response(_REASONS[304], etag=etag(stored.version)))
        body = stored.body if stored else None
        full_url = f"{self.base}/{stored.type}/{stored.id}" if stored else None
        return response_entry(self._response(found), body, full_url)

    def _answer(self, done: Done) -> bytes:
        stored = done.stored
        if stored is None:
            return response_entry(self._response(done))
        body = stored.body if self.preferences.form == "representation" else None
        return response_entry(self._response(done), body, f"{self.base}/{stored.type}/{stored.id}")

    def _response(self, done: Done) -> Response:
        stored = done.stored
        if stored is None:
            return Response(_REASONS[done.status], done.place)
        location = f"{stored.type}/{stored.id}/_history/{stored.version}"
        told = encode(outcomes.information("Done.")) if self.preferences.form == "OperationOutcome" else None
        return Response(_REASONS[done.status], location, etag(stored.version), stored.updated, told)


def _refuse_unresolved(entry: Entry) -> None:
    missing = entry.links.unresolved() if entry.resource is not None and entry.method in ("POST", "PUT") else None
    if missing is not None:
        text = f"No entry of this Bundle has the fullUrl `{missing[:100]}` that this one refers to."
        raise Refusal(Kind.INVALID, "REFERENCE_UNRESOLVED", text)


def _type(entry: Entry) -> str:
    type_ = entry.target.type
    if type_ is None:
        raise Refusal(Kind.INVALID, "BUNDLE_MALFORMED", "The url of this entry names no resource type.")
    if not is_resource_type(type_):
        raise unknown_type(type_)
    return type_


def _placed(refusal: Refusal, entry: Entry) -> Refusal:
    """The same refusal, saying which entry it is about."""
    if refusal.element is not None and refusal.element.startswith("Bundle."):
        return refusal
    issues = [
        replace(
            issue,
            diagnostics=f"{entry.expression}: {issue.diagnostics}",
            expression=_element(issue.expression, entry),
        )
        for issue in refusal.issues
    ]
    text, element = f"{entry.expression}: {refusal.diagnostics}", _element(refusal.element, entry)
    return Refusal(refusal.kind, refusal.code, text, element=element, data=refusal.data, issues=issues)


def _element(element: str | None, entry: Entry) -> str:
    """The place of an element in the Bundle; the whole resource when it is about something else."""
    at = f"{entry.expression}.resource"
    return placed(element, at) if (element or "").partition(".")[0] == entry.target.type else at


def _refused(refusal: Refusal) -> bytes:
    status = outcomes.status_of(refusal)
    return response_entry(Response(str(status), outcome=outcomes.outcome_bytes(refusal)))
