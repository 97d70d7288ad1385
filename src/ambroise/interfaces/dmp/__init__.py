"""The administrative transactions of the DMP over SOAP, at the names that software for the DMP knows, beside XDS.b."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from ambroise.interfaces.dmp.candidates import Candidates
from ambroise.interfaces.dmp.demographics import Demographics
from ambroise.interfaces.dmp.habilitations import ListAuthorizations, SetAuthorization
from ambroise.interfaces.dmp.lists import PatientList
from ambroise.interfaces.dmp.messages import Names
from ambroise.interfaces.dmp.revising import Create, Revise
from ambroise.interfaces.services import Services
from ambroise.interfaces.xds.caller import Callers
from ambroise.interfaces.xds.endpoint import Endpoint, Operation
from ambroise.interfaces.xds.names import repository_id

__all__ = ["HABILITATIONS", "PATIENTS", "PDQ", "SPECIFIC", "routes"]

PATIENTS = "/xds/patients"
PDQ = "/xds/patientsPDQ"
SPECIFIC = "/xds/patientsSpecific"
HABILITATIONS = "/xds/habilitations"


def routes(services: Services) -> Sequence[BaseRoute]:
    """The four services."""
    callers = Callers.of(services, PATIENTS, PDQ, SPECIFIC, HABILITATIONS)
    own_id = repository_id(services.settings.repository_oid, services.installation.id)
    names = Names(own_id, services.clock, services.demonstration)
    table: dict[str, list[Operation]] = {
        PATIENTS: [Demographics(services, names), Create(services, names), Revise(services, names)],
        PDQ: [Candidates(services, names)],
        SPECIFIC: [PatientList(services)],
        HABILITATIONS: [SetAuthorization(services), ListAuthorizations(services)],
    }
    return [Endpoint(path, callers, operations, content_limit=0).route() for path, operations in table.items()]
