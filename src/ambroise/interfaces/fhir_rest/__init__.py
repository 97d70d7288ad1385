"""The FHIR R4 REST interface: parse a request, call one use case, render the answer. No rule lives here."""
