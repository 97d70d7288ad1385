"""The two ways that files go: through the use case of an instance on this machine, or over HTTP to any other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pybase64
from msgspec import Struct

from ambroise.interfaces.cli.submission.papers import ZIP, Paper
from ambroise.interfaces.xdm.filing import Zips
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import Filed, Incoming, Submission

if TYPE_CHECKING:
    from ambroise.interfaces.services import Services
    from ambroise.trust.context import Context

Json = Any

# What base64 in JSON may hold, with room below the limit of any instance; larger documents go as they are.
_INLINE = 12_000_000
_TIMEOUT_SECONDS = 120
_GENERATE = "DocumentReference/$generate-metadata"
_IMPORT = "DocumentReference/$import-xdm"
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


class Became(Struct, frozen=True):
    """What became of one submission: the documents it holds, or its refusal. `part`: which one of a zip."""

    sent: Sequence[Sent] = ()
    refusal: Refusal | None = None
    part: str = ""


class Way(Protocol):
    """How one file is sent. Raises the Refusal that it meets as a whole."""

    async def send(self, paper: Paper) -> Sequence[Became]:
        """File one document, or the submissions of one zip."""
        ...


class LocalWay:
    """Through the record's own use case, one transaction for each submission; works beside the running instance."""

    def __init__(self, services: Services, context: Callable[[], Awaitable[Context]]) -> None:
        self._services = services
        self._context = context
        self._zips = Zips.of(services)

    async def send(self, paper: Paper) -> Sequence[Became]:
        """File one document, or the submissions of one zip."""
        ctx = await self._context()
        if paper.media_type == ZIP:
            taken = await self._zips.file(ctx, paper.content)
            return [Became([_sent(filed) for _, filed in one.filed], one.refusal, one.folder) for one in taken]
        incoming = Incoming(paper.content, paper.media_type, paper.metadata)
        async with self._services.database.transaction() as tx:
            filed = (await self._services.record.submit(tx, ctx, Submission((incoming,)))).documents[0]
        return [Became([_sent(filed)])]


class RemoteWay:
    """Over HTTP: ITI-105 (document inline) or, for large ones, ITI-106 (raw body); `$import-xdm` for a zip."""

    def __init__(self, url: str, token: Callable[[], str]) -> None:
        base = url.rstrip("/").removesuffix("/fhir")
        if urlsplit(base).scheme not in ("http", "https"):
            raise Refusal(Kind.INVALID, "URL_INVALID", "--url takes an address such as https://ambroise.example.")
        self._base = f"{base}/fhir"
        self._token = token

    async def send(self, paper: Paper) -> Sequence[Became]:
        """File one document, or the submissions of one zip."""
        if paper.media_type == ZIP:
            _, _, answer = await asyncio.to_thread(self._post, _IMPORT, ZIP, paper.content)
            return [_became(one) for one in json.loads(answer)["parameter"]]
        if paper.metadata is None and len(paper.content) > _INLINE:
            path, kind, body = _GENERATE, paper.media_type, paper.content
        else:
            path, kind, body = "DocumentReference", "application/fhir+json", _inline(paper)
        status, location, answer = await asyncio.to_thread(self._post, path, kind, body)
        there = _ALREADY_FILED in answer if path == _GENERATE else status == 200
        document = location.partition("/_history")[0].rpartition("/")[2]
        return [Became([Sent(State.ALREADY_THERE if there else State.FILED, document)])]

    def _post(self, path: str, kind: str, body: bytes) -> tuple[int, str, bytes]:
        headers = {"authorization": f"Bearer {self._token()}", "content-type": kind, "prefer": "return=minimal"}
        request = Request(f"{self._base}/{path}", body, headers, method="POST")  # noqa: S310 - http or https, checked.
        try:
            with urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                return answer.status, answer.headers.get("location", ""), answer.read()
        except HTTPError as error:
            raise _refusal(error) from None
        except (URLError, TimeoutError, ConnectionError) as error:
            reason = getattr(error, "reason", error)
            raise Refusal(Kind.UNAVAILABLE, "UNREACHABLE", f"{self._base}: {reason}") from None


def _sent(filed: Filed) -> Sent:
    return Sent(State.ALREADY_THERE if filed.replayed else State.FILED, str(filed.document))


def _became(submission: Json) -> Became:
    """One submission of the answer to `$import-xdm`."""
    sent: list[Sent] = []
    refusal, folder = None, ""
    for one in submission["part"]:
        match one["name"]:
            case "folder":
                folder = one["valueString"]
            case "document":
                said = {part["name"]: part for part in one["part"]}
                state = State.ALREADY_THERE if said["replayed"]["valueBoolean"] else State.FILED
                sent.append(Sent(state, said["reference"]["valueReference"]["reference"].rpartition("/")[2]))
            case "signedBy":
                pass
            case _:
                issue = one["resource"]["issue"][0]
                if issue["severity"] == "error":
                    refusal = Refusal(Kind.UNPROCESSABLE, _code_of(issue), issue.get("diagnostics", ""))
    return Became(sent, refusal, folder)


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


_KINDS = {401: Kind.UNAUTHENTICATED, 403: Kind.FORBIDDEN, 429: Kind.THROTTLED}


def _refusal(error: HTTPError) -> Refusal:
    """What the OperationOutcome of an answer says."""
    kind = Kind.UNAVAILABLE if error.code >= 500 else _KINDS.get(error.code, Kind.UNPROCESSABLE)
    try:
        issue = json.loads(error.read())["issue"][0]
        return Refusal(kind, _code_of(issue), issue.get("diagnostics", ""))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return Refusal(Kind.UNAVAILABLE, f"HTTP_{error.code}", f"The server answered {error.code} {error.reason}.")


def _code_of(issue: Json) -> str:
    """Our code in an issue, or that of FHIR."""
    return str(issue.get("details", {}).get("coding", [{}])[0].get("code") or issue["code"])
