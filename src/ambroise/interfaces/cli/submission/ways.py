"""The two ways that files go: through the use case of an instance on this machine, or over HTTP to any other."""

from __future__ import annotations

import asyncio
import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pybase64
from msgspec import Struct

from ambroise.interfaces.cli.submission.papers import Paper
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import Incoming, Submission

if TYPE_CHECKING:
    from ambroise.interfaces.services import Services
    from ambroise.trust.context import Context

Json = Any

# What base64 in JSON may hold, with room below the limit of any instance; larger documents go as they are.
_INLINE = 12_000_000
_TIMEOUT_SECONDS = 120
_GENERATE = "DocumentReference/$generate-metadata"
# The operation answers 200 either way; this code in its outcome says that nothing was changed.
_ALREADY_FILED = b'"ALREADY_FILED"'


class State(StrEnum):
    """What became of a document that was not refused."""

    FILED = "filed"
    ALREADY_THERE = "already there"


class Sent(Struct, frozen=True):
    """A document that the instance holds: under which id, and whether it was sent before."""

    state: State
    document: str


class Way(Protocol):
    """How one document is sent. Raises the Refusal that it meets."""

    async def send(self, paper: Paper) -> Sent:
        """File one document."""
        ...


class LocalWay:
    """Through the record's own use case, one transaction for each document; works beside the running instance."""

    def __init__(self, services: Services, ctx: Context) -> None:
        self._services = services
        self._ctx = ctx

    async def send(self, paper: Paper) -> Sent:
        """File one document."""
        incoming = Incoming(paper.content, paper.media_type, paper.metadata)
        async with self._services.database.transaction() as tx:
            filed = (await self._services.record.submit(tx, self._ctx, Submission((incoming,)))).documents[0]
        return Sent(State.ALREADY_THERE if filed.replayed else State.FILED, str(filed.document))


class RemoteWay:
    """Over HTTP: ITI-105 (document inline) or, for large ones, ITI-106 (raw body)."""

    def __init__(self, url: str, token: str) -> None:
        base = url.rstrip("/").removesuffix("/fhir")
        if urlsplit(base).scheme not in ("http", "https"):
            raise Refusal(Kind.INVALID, "URL_INVALID", "--url takes an address such as https://ambroise.example.")
        self._base = f"{base}/fhir"
        self._token = token

    async def send(self, paper: Paper) -> Sent:
        """File one document."""
        if paper.metadata is None and len(paper.content) > _INLINE:
            path, kind, body = _GENERATE, paper.media_type, paper.content
        else:
            path, kind, body = "DocumentReference", "application/fhir+json", _inline(paper)
        status, location, answer = await asyncio.to_thread(self._post, path, kind, body)
        there = _ALREADY_FILED in answer if path == _GENERATE else status == 200
        document = location.partition("/_history")[0].rpartition("/")[2]
        return Sent(State.ALREADY_THERE if there else State.FILED, document)

    def _post(self, path: str, kind: str, body: bytes) -> tuple[int, str, bytes]:
        headers = {"authorization": f"Bearer {self._token}", "content-type": kind, "prefer": "return=minimal"}
        request = Request(f"{self._base}/{path}", body, headers, method="POST")  # noqa: S310 - http or https, checked.
        try:
            with urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                return answer.status, answer.headers.get("location", ""), answer.read()
        except HTTPError as error:
            raise _refusal(error) from None
        except (URLError, TimeoutError, ConnectionError) as error:
            reason = getattr(error, "reason", error)
            raise Refusal(Kind.UNAVAILABLE, "UNREACHABLE", f"{self._base}: {reason}") from None


def _inline(paper: Paper) -> bytes:
    """A DocumentReference that carries the document."""
    resource: Json = paper.metadata or {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"contentType": paper.media_type}}],
    }
    attachment = {**resource["content"][0]["attachment"], "data": pybase64.b64encode(paper.content).decode()}
    content = [{**resource["content"][0], "attachment": attachment}]
    return json.dumps({**resource, "content": content}, ensure_ascii=False).encode()


def _refusal(error: HTTPError) -> Refusal:
    """What the OperationOutcome of an answer says."""
    try:
        issue = json.loads(error.read())["issue"][0]
        code = issue.get("details", {}).get("coding", [{}])[0].get("code") or issue["code"]
        return Refusal(Kind.UNPROCESSABLE, code, issue.get("diagnostics", ""))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return Refusal(Kind.UNAVAILABLE, f"HTTP_{error.code}", f"The server answered {error.code} {error.reason}.")
