"""The administrative transactions of the DMP over SOAP, at the names that software for the DMP knows, beside XDS.b."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ambroise.interfaces.dmp.candidates import Candidates
from ambroise.interfaces.dmp.demographics import Demographics
from ambroise.interfaces.dmp.habilitations import ListAuthorizations, SetAuthorization
from ambroise.interfaces.dmp.lists import PatientList
from ambroise.interfaces.dmp.messages import Names
from ambroise.interfaces.dmp.revising import Create, Revise
from ambroise.interfaces.services import Services
from ambroise.interfaces.xds.arrival import Arrival
from ambroise.interfaces.xds.caller import Caller, Callers
from ambroise.interfaces.xds.endpoint import Answered, Endpoint, Operation
from ambroise.interfaces.xds.names import repository_id

__all__ = ["HABILITATIONS", "PATIENTS", "PDQ", "SPECIFIC", "routes"]

PATIENTS = "/xds/patients"
PDQ = "/xds/patientsPDQ"
SPECIFIC = "/xds/patientsSpecific"
HABILITATIONS = "/xds/habilitations"


_QUERIED = "urn:hl7-org:v3:PRPA_IN201308UV02"
_FOUND = "urn:ihe:iti:pdqv3:2007:PDQSupplier_Service:findCandidatesQuery"


class _Alias:
    """An operation under the action that the example code published for vendors gives it, beside that of the WSDL."""

    def __init__(self, action: str, operation: Operation) -> None:
        self.action = action
        self.element = operation.element
        self._operation = operation

    async def answer(self, arrival: Arrival[Caller]) -> Answered:
        """What the operation answers."""
        return await self._operation.answer(arrival)


def routes(services: Services) -> Sequence[BaseRoute]:
    """The four services, and at each address with `?wsdl` what describes them all."""
    callers = Callers.of(services, PATIENTS, PDQ, SPECIFIC, HABILITATIONS)
    own_id = repository_id(services.settings.repository_oid, services.installation.id)
    names = Names(own_id, services.clock, services.demonstration)
    query, candidates = Demographics(services, names), Candidates(services, names)
    table: dict[str, list[Operation]] = {
        PATIENTS: [query, _Alias(_QUERIED, query), Create(services, names), Revise(services, names)],
        PDQ: [candidates, _Alias(_FOUND, candidates)],
        SPECIFIC: [PatientList(services)],
        HABILITATIONS: [SetAuthorization(services), ListAuthorizations(services)],
    }
    contract = _contract(services.public_url)
    return [
        *(Endpoint(path, callers, operations, content_limit=0).route() for path, operations in table.items()),
        *(Route(path, contract, methods=["GET"]) for path in table),
    ]


def _contract(address: str) -> Callable[[Request], Awaitable[Response]]:
    text = (files("ambroise.interfaces.dmp") / "dmp.wsdl").read_text("utf-8").replace("@ADDRESS@", address)

    async def wsdl(request: Request) -> Response:
        return Response(text, 200, {"x-content-type-options": "nosniff"}, "text/xml; charset=utf-8")

    return wsdl
