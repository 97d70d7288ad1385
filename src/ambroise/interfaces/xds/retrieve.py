"""ITI-43 Retrieve Document Set (TD3.2): the bytes of documents, in parts, as they were sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from lxml import etree
from msgspec import Struct

from ambroise.fhir.json import decode
from ambroise.interfaces.services import Services
from ambroise.interfaces.soap import Element, Malformed, children, text_of
from ambroise.interfaces.xds.arrival import Arrival
from ambroise.interfaces.xds.caller import Caller
from ambroise.interfaces.xds.endpoint import Answered
from ambroise.interfaces.xds.finding import Nobody, patient_named
from ambroise.interfaces.xds.mtom import include
from ambroise.interfaces.xds.names import RS, XDSB, tag
from ambroise.interfaces.xds.responses import Problem, problems_of, registry_response
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal

_MOST = 100
"""Documents that one request may ask for."""


class _Given(Struct, frozen=True):
    unique_id: str
    media_type: str
    content: bytes


class Retrieve:
    """The transaction."""

    action = "urn:ihe:iti:2007:RetrieveDocumentSet"
    element = tag(XDSB, "RetrieveDocumentSetRequest")

    def __init__(self, services: Services, repository: str) -> None:
        self._database = services.database
        self._record = services.record
        self._repository = repository
        self._room = services.settings.document_max_bytes

    async def answer(self, arrival: Arrival[Caller]) -> Answered:
        """Each document that the caller may read; an error for each other."""
        asked = children(arrival.envelope.body, XDSB, "DocumentRequest")
        given: list[_Given] = []
        problems: list[Problem] = []
        if not asked:
            raise Malformed("a RetrieveDocumentSetRequest has a DocumentRequest")
        try:
            if len(asked) > _MOST:
                text = f"Ask for at most {_MOST} documents at once."
                raise Refusal(Kind.UNAVAILABLE, "XDS_ANSWER_TOO_LARGE", text)
            async with self._database.reader() as reader:
                of = await _of(reader, arrival.known)
                for one in asked:
                    try:
                        given.append(await self._one(reader, arrival.known, of, one, given))
                    except Refusal as refusal:
                        problems += problems_of(_as_unknown(refusal), "Repository", _id(one))
        except Nobody:
            problems = [problem for one in asked for problem in problems_of(_unknown(), "Repository", _id(one))]
        except Refusal as refusal:
            problems = problems_of(refusal, "Repository")
        return self._written(given, problems)

    async def _one(
        self, reader: Reader, caller: Caller, of: UUID | None, asked: Element, given: Sequence[_Given]
    ) -> _Given:
        if text_of(asked, XDSB, "RepositoryUniqueId") != self._repository:
            text = f"This repository is {self._repository}."
            raise Refusal(Kind.NOT_FOUND, "XDS_UNKNOWN_REPOSITORY", text)
        if sum(len(one.content) for one in given) >= self._room:
            text = "The documents before this one fill the answer: ask for it in another request."
            raise Refusal(Kind.UNAVAILABLE, "XDS_ANSWER_TOO_LARGE", text)
        unique_id = _id(asked)
        stored, content = await self._record.content_under(reader, caller.context, unique_id, of=of)
        attachment: dict[str, Any] = decode(stored.body)["content"][0]["attachment"]
        return _Given(unique_id, attachment.get("contentType", "application/octet-stream"), content)

    def _written(self, given: Sequence[_Given], problems: Sequence[Problem]) -> Answered:
        body = etree.Element(tag(XDSB, "RetrieveDocumentSetResponse"), nsmap={"xdsb": XDSB, "rs": RS})
        body.append(registry_response(problems, some=bool(given)))
        parts: dict[str, bytes] = {}
        for number, one in enumerate(given, start=1):
            name = f"document-{number}@ambroise"
            said = etree.SubElement(body, tag(XDSB, "DocumentResponse"))
            for element, text in (
                ("RepositoryUniqueId", self._repository),
                ("DocumentUniqueId", one.unique_id),
                ("mimeType", one.media_type),
            ):
                etree.SubElement(said, tag(XDSB, element)).text = text
            include(etree.SubElement(said, tag(XDSB, "Document")), name)
            parts[name] = one.content
        return Answered(body, parts)


async def _of(reader: Reader, caller: Caller) -> UUID | None:
    return await patient_named(reader, caller.patient) if caller.patient else None


def _id(asked: Element) -> str:
    return text_of(asked, XDSB, "DocumentUniqueId") or ""


def _as_unknown(refusal: Refusal) -> Refusal:
    """What does not exist, was withdrawn, or may not be known of, is one and the same."""
    if refusal.kind in (Kind.NOT_FOUND, Kind.GONE) and refusal.code != "XDS_UNKNOWN_REPOSITORY":
        return _unknown()
    return refusal


def _unknown() -> Refusal:
    return Refusal(Kind.NOT_FOUND, "XDS_UNKNOWN_DOCUMENT", "No document has this unique id, or you may not see it.")
