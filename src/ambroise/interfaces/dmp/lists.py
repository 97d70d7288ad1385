"""TD0.4: the records that the caller may read, by the date of the authorisation or of the last document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from ambroise.fhir.json import decode
from ambroise.interfaces.dmp import looking
from ambroise.interfaces.dmp.codes import PATIENTS
from ambroise.interfaces.dmp.plain import Output, field, moment, written
from ambroise.interfaces.fhir_rest.criteria import Criteria
from ambroise.interfaces.services import Services
from ambroise.interfaces.xds.arrival import Arrival
from ambroise.interfaces.xds.caller import Caller
from ambroise.interfaces.xds.endpoint import Answered
from ambroise.interfaces.xds.names import tag
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import PatientIdentity, identity_of
from ambroise.trust.access.grants import Authorised, authorised_since
from ambroise.trust.audit.history import last_visit
from ambroise.trust.context import Context

MOST: Final = 200
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DOCUMENTS: Final = 500


class PatientList:
    """The list of the patients who let the caller read."""

    action = "urn:si-dmp-patients:PatientSpecificEndPoint:patientList"
    element = tag(PATIENTS, "patientList")

    def __init__(self, services: Services) -> None:
        self._services = services

    async def answer(self, arrival: Arrival[Caller]) -> Answered:
        """The list, the newest first, or the refusal."""
        body, ctx = arrival.envelope.body, arrival.known.context
        sort = field(body, PATIENTS, "dateType", "LASTAUTORIZATION", "LASTDOC") or "LASTAUTORIZATION"
        start = field(body, PATIENTS, "startDate")
        since = moment(start) if start else _EVER
        owner = field(body, PATIENTS, "psOwnerId")
        output = Output(PATIENTS, "patientList")
        try:
            if owner is not None and owner != looking.me(ctx).id:
                text = "A list is that of the professional of the assertion."
                raise Refusal(Kind.FORBIDDEN, "DMP_OTHER_LIST", text)
            async with self._services.database.reader() as reader:
                whole = await self._lines(reader, ctx, output, sort == "LASTDOC", since)
        except Refusal as refused:
            return output.refused(refused)
        return output.done("" if whole else f"LIST_CUT: there are more than {MOST}; ask for a later date.")

    async def _lines(self, reader: Reader, ctx: Context, output: Output, by_document: bool, since: datetime) -> bool:
        """Write the lines; whether all of them are there."""
        asked = _EVER if by_document else since
        found = await authorised_since(reader, looking.parties(ctx), ctx.now(), asked, limit=MOST + 1)
        newest = await self._newest(reader, ctx, since) if by_document else {}
        kept = [one for one in found if not by_document or one.patient in newest]
        if by_document:
            kept.sort(key=lambda one: newest[one.patient], reverse=True)
        for one in kept[:MOST]:
            identity = await identity_of(reader, one.patient)
            if identity is not None:
                visited = await last_visit(reader, ctx, one.patient)
                _add(output, one, identity, visited, newest.get(one.patient))
        return len(found) <= MOST

    async def _newest(self, reader: Reader, ctx: Context, since: datetime) -> Mapping[UUID, datetime]:
        """When the last document that the caller sees was filed, by patient: a search like any other, traced as one."""
        asked = [
            ("_lastUpdated", f"ge{since.isoformat()}"),
            ("_sort", "-_lastUpdated"),
            ("_count", str(_MOST_DOCUMENTS)),
            ("_total", "none"),
        ]
        page = await Criteria(self._services.gateway).page(reader, ctx, "DocumentReference", asked)
        newest: dict[UUID, datetime] = {}
        for stored, mode in page.entries:
            patient = decode(stored.body).get("subject", {}).get("reference", "").removeprefix("Patient/")
            if mode == "match" and patient:
                newest.setdefault(UUID(patient), stored.updated)
        return newest


def _add(
    output: Output, held: Authorised, identity: PatientIdentity, visited: datetime | None, newest: datetime | None
) -> None:
    traits, ins = identity.traits, identity.trust.usable_ins
    line = output.add(output.element, "patientlistData")
    if ins is not None:
        identifier = output.add(line, "patientIdentifier")
        output.add(identifier, "nationalId", ins.matricule)
        output.add(identifier, "nationalIdType", ins.oid)
    first = identity.used_first_name or traits.first_given or (traits.given_names or "").partition(" ")[0]
    output.add(line, "lastName", identity.used_name or traits.birth_name)
    output.add(line, "patronymicalName", traits.birth_name)
    output.add(line, "firstName", first)
    if traits.birth_date is not None:
        output.add(line, "dateOfBirth", traits.birth_date.strftime("%Y%m%d"))
    output.add(line, "MT", "true" if held.treating else "false")
    output.add(line, "message", "false")
    if visited is not None:
        output.add(line, "lastAccessDate", written(visited))
    if newest is not None:
        output.add(line, "lastAddDate", written(newest))
