"""XDM zips over HTTP, beside the documents of FHIR: `DocumentReference/$import-xdm` and `$export-xdm`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ambroise.fhir.json import encode
from ambroise.interfaces.fhir_rest import outcome as outcomes
from ambroise.interfaces.fhir_rest.http import Answer, Call
from ambroise.interfaces.fhir_rest.limits import require
from ambroise.interfaces.fhir_rest.negotiation import media_type
from ambroise.interfaces.fhir_rest.routing import Table
from ambroise.interfaces.services import Services
from ambroise.interfaces.xdm.filing import Taken, Zips
from ambroise.interfaces.xdm.writing import Exports
from ambroise.kernel.errors import Issue, Kind, Refusal

Json = dict[str, Any]
ZIP = "application/zip"
_DOCUMENT = "DocumentReference"


class Operations:
    """The two operations."""

    def __init__(self, services: Services) -> None:
        self._zips = Zips.of(services)
        self._exports = Exports.on(services)
        self._most = services.settings.document_max_bytes

    def table(self) -> Table:
        """The handlers of DocumentReference's own."""
        return {"Type/$import-xdm": {"POST": self.take}, "Type/$export-xdm": {"GET": self.give}}

    async def take(self, call: Call) -> Answer:
        """File the SubmissionSets of a zip; when every one is refused, the answer is their refusal."""
        require(call.context, "c", _DOCUMENT)
        if media_type(call.header(b"content-type") or "").name != ZIP:
            raise Refusal(Kind.UNSUPPORTED_MEDIA, "UNSUPPORTED_MEDIA_TYPE", f"Send the zip itself, as {ZIP}.")
        taken = await self._zips.file(call.context, await call.body(self._most))
        refusals = [one.refusal for one in taken if one.refusal is not None]
        if len(refusals) == len(taken):
            raise _together(refusals)
        return Answer(200, encode({"resourceType": "Parameters", "parameter": [_said(one) for one in taken]}))

    async def give(self, call: Call) -> Answer:
        """The zip of the documents that `_id` names, separated by commas or repeated."""
        require(call.context, "r", _DOCUMENT)
        ids = [id for name, value in call.query if name == "_id" for id in value.split(",") if id]
        content = await self._exports.of(call.context, ids)
        return Answer(200, content, ZIP, {"content-disposition": 'attachment; filename="IHE_XDM.ZIP"'})


def _together(refusals: Sequence[Refusal]) -> Refusal:
    """One refusal that says them all, of the kind of the first."""
    first = refusals[0]
    if len(refusals) == 1:
        return first
    issues = [Issue("error", "processing", one.diagnostics, one.element, one.code) for one in refusals]
    return Refusal(first.kind, first.code, first.diagnostics, issues=issues)


def _said(one: Taken) -> Json:
    """What became of one SubmissionSet."""
    parts: list[Json] = [{"name": "folder", "valueString": one.folder}]
    for file, filed in one.filed:
        parts.append(
            {
                "name": "document",
                "part": [
                    {"name": "file", "valueString": file},
                    {"name": "reference", "valueReference": {"reference": f"{_DOCUMENT}/{filed.document}"}},
                    {"name": "replayed", "valueBoolean": filed.replayed},
                ],
            }
        )
    if (signed := one.checked.signature) is not None:
        who = {"identifier": {"system": signed.system, "value": signed.signer}, "display": signed.name}
        parts.append({"name": "signedBy", "valueReference": {name: value for name, value in who.items() if value}})
    if one.refusal is not None:
        parts.append({"name": "outcome", "resource": outcomes.outcome_of(one.refusal)})
    elif (passed := one.checked.problem) is not None:
        code, _, text = passed.context.partition(": ")
        issue = Issue("warning", "informational", text, None, code)
        parts.append({"name": "outcome", "resource": outcomes.outcome([issue])})
    return {"name": "submission", "part": parts}
