"""What one interaction did, as an HTTP answer."""

from ambroise.fhir.json import encode
from ambroise.interfaces.fhir_rest import outcome as outcomes
from ambroise.interfaces.fhir_rest.done import Done
from ambroise.interfaces.fhir_rest.http import Answer, Call
from ambroise.interfaces.fhir_rest.links import full_url
from ambroise.interfaces.fhir_rest.shaping import WHOLE, Shape, shape_of
from ambroise.interfaces.fhir_rest.versions import etag, last_modified, not_modified

_DID = {200: "Done.", 201: "Created.", 204: "Deleted."}


def read_answer(call: Call, done: Done, shape: Shape = WHOLE) -> Answer:
    """The answer to a read: the version, or 304 for who has it already."""
    stored = done.stored
    if stored is None:
        return Answer(done.status)
    headers = {"etag": etag(stored.version), "last-modified": last_modified(stored.updated)}
    none_match, since = call.header(b"if-none-match"), call.header(b"if-modified-since")
    if (none_match or since) and not_modified(none_match, since, stored.version, stored.updated):
        return Answer(304, headers=headers)
    return Answer(200, shape.apply(stored.type, stored.body), headers=headers)


def write_answer(call: Call, done: Done) -> Answer:
    """The answer to a write, in the form that Prefer asks for."""
    stored = done.stored
    form = call.preferences.form or "representation"
    headers: dict[str, str] = {}
    if stored is not None:
        headers = {"etag": etag(stored.version), "last-modified": last_modified(stored.updated)}
        if done.status == 201 or done.place is not None:
            headers["location"] = f"{full_url(call.base, stored.type, stored.id)}/_history/{stored.version}"
    elif done.place is not None:
        headers = {"location": f"{call.base}/{done.place}"}
    if form == "OperationOutcome":
        status = 200 if done.status == 204 else done.status
        return Answer(status, encode(outcomes.information(_DID[done.status])), headers=headers)
    if stored is None or form == "minimal":
        return Answer(done.status, headers=headers)
    return Answer(done.status, shape_of(call.query).apply(stored.type, stored.body), headers=headers)
