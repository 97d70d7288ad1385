"""The FHIR R4 REST interface: parse a request, call one use case, render the answer. No rule lives here."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from ambroise.interfaces.fhir_rest.actions import Actions
from ambroise.interfaces.fhir_rest.app import FhirEdge, FhirRoute
from ambroise.interfaces.fhir_rest.binaries import Binaries
from ambroise.interfaces.fhir_rest.consents import RecordConsent
from ambroise.interfaces.fhir_rest.criteria import Criteria
from ambroise.interfaces.fhir_rest.documents import Documents
from ambroise.interfaces.fhir_rest.endpoints import Endpoints
from ambroise.interfaces.fhir_rest.http import PATH
from ambroise.interfaces.fhir_rest.metadata import Metadata
from ambroise.interfaces.fhir_rest.operations import GenerateMetadata, Summary, Validation
from ambroise.interfaces.fhir_rest.reading import Reading
from ambroise.interfaces.fhir_rest.routing import Table, router
from ambroise.interfaces.fhir_rest.smart import Smart
from ambroise.interfaces.fhir_rest.transactions import Bundles
from ambroise.interfaces.services import Services

__all__ = ["PATH", "edge", "routes"]

_METADATA_BYTES = 4 * 1024 * 1024
"""What a body may hold besides the base64 of one document."""


def routes(services: Services) -> Sequence[BaseRoute]:
    """The routes of `/fhir`."""
    return [FhirRoute(edge(services))]


def edge(services: Services, of_documents: Table | None = None) -> FhirEdge:
    """The FHIR interface as one ASGI application; `of_documents` are further operations of DocumentReference."""
    settings, database, gateway = services.settings, services.database, services.gateway
    max_raw, max_inline = settings.document_max_bytes, settings.json_document_max_bytes
    max_json = max_inline * 4 // 3 + _METADATA_BYTES
    criteria = Criteria(gateway)
    documents = Documents(services.record, criteria, max_inline=max_inline)
    actions = Actions(gateway, criteria, documents)
    reading = Reading(gateway, actions, criteria)
    endpoints = Endpoints(database, actions, reading, Bundles(actions, reading, documents), max_json=max_json)
    table = {
        **endpoints.table(),
        **Validation(max_json=max_json).table(),
        **Metadata(services.clock.now()).table(),
        **Smart(services.provider).table(),
    }
    generate = GenerateMetadata(database, documents, max_raw=max_raw, max_json=max_json, max_inline=max_inline)
    binaries = Binaries(database, gateway, actions, max_raw=max_raw, max_json=max_json)
    consents = RecordConsent(database, gateway, max_json=_METADATA_BYTES)
    patients = {**Summary(database, gateway).table(), **consents.table()}
    of_documents = {**generate.table(), **(of_documents or {})}
    own = {"Patient": patients, "DocumentReference": of_documents, "Binary": binaries.table()}
    return FhirEdge(router(table, own), services.authenticator.context, public_url=settings.public_url)
