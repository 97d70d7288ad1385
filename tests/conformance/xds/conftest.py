"""The same served instance as the FHIR clients have, with the patient and the author of the example documents."""

from tests.conformance.fhir_clients.conftest import served

__all__ = ["served"]
