"""ITI-41 Provide and Register Document Set-b (TD2.1, TD2.2): a submission for the use case that files documents."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from ambroise.interfaces.services import Services
from ambroise.interfaces.xds.arrival import Arrival
from ambroise.interfaces.xds.caller import Caller, check_patient
from ambroise.interfaces.xds.endpoint import Answered, UsesAssertion
from ambroise.interfaces.xds.names import LCM, SET_PATIENT, XDSB, tag
from ambroise.interfaces.xds.packages import Package, Submissions, read_package
from ambroise.interfaces.xds.responses import problems_of, registry_response
from ambroise.interfaces.xds.signing import Signing
from ambroise.kernel.errors import Kind, Refusal

SIGNED_BY: Final = "urn:ambroise:xds:signedBy"
"""The slot of the answer that says who signed the submission, whose signature was found right and is kept."""


class Provide(UsesAssertion):
    """The transaction."""

    action = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
    element = tag(XDSB, "ProvideAndRegisterDocumentSetRequest")

    def __init__(self, services: Services) -> None:
        self._record = services.record
        self._submissions = Submissions(services.gateway)
        self._signing = Signing.of_xds(services)

    async def answer(self, arrival: Arrival[Caller]) -> Answered:
        """File the documents, all or none."""
        ids: list[str] = []
        ctx = arrival.known.context
        try:
            package = read_package(arrival.envelope.body.find(tag(LCM, "SubmitObjectsRequest")))
            ids = [one.id for one in package.documents]
            check_patient(arrival.known, package.set.external.get(SET_PATIENT))
            contents = _contents(arrival, package)
            checked = await self._signing.check(ctx, package, contents)
            async with arrival.known.use.transaction() as tx:
                submission = await self._submissions.of(tx, ctx, package, contents)
                await self._record.submit(tx, ctx, replace(submission, signature=checked.signature))
        except Refusal as refusal:
            number = refusal.data.get("document")
            location = ids[number] if isinstance(number, int) and number < len(ids) else ""
            return Answered(registry_response(problems_of(refusal, "Repository", location)))
        signed_by = (f"{one.signer} {one.name}".strip(),) if (one := checked.signature) is not None else ()
        problems = [checked.problem] if checked.problem is not None else []
        return Answered(registry_response(problems, slots={SIGNED_BY: signed_by} if signed_by else {}))


def _contents(arrival: Arrival[Caller], package: Package) -> dict[str, bytes]:
    """The bytes of each document, by the id of its entry."""
    found: dict[str, bytes] = {}
    ids = {one.id for one in package.entries}
    for element in arrival.envelope.body.iterfind(tag(XDSB, "Document")):
        name = element.get("id", "")
        if name not in ids or name in found:
            text = f"The Document {name[:80]} has no DocumentEntry of its own."
            raise Refusal(Kind.UNPROCESSABLE, "XDS_DOCUMENT_WITHOUT_METADATA", text)
        content = arrival.document(element)
        if content is not None:
            found[name] = content
    missing = sorted(ids - set(found))
    if missing:
        text = f"There is no Document for {', '.join(missing)[:200]}."
        raise Refusal(Kind.UNPROCESSABLE, "XDS_DOCUMENT_MISSING", text)
    return found
