"""What is written beside a file to say what it is: a few words, or a whole DocumentReference."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ambroise.fhir.json import decode
from ambroise.interfaces.cli.submission.papers import Described, Paper, Sender, day, read
from ambroise.interfaces.fhir_rest.checking import require_valid
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import sniff

_MOST = 1_000_000


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The short form: type (JDV_J07), patient (INS, or `OID|INS`), title, day of the act."""

    type: str
    patient: str
    title: str | None = None
    date: str | None = None


def describe(path: Path, beside: Path, sender: Sender, usual_oid: str) -> Paper:
    """A file with what is said beside it. Refuses SIDECAR_INVALID, and what reading the file refuses."""
    written = beside.read_bytes()[: _MOST + 1]
    try:
        said = decode(written, max_bytes=_MOST)
    except Refusal as refusal:
        raise _invalid(beside, refusal.diagnostics) from None
    if said.get("resourceType") == "DocumentReference":
        require_valid(said)
        content = path.read_bytes()
        return Paper(content, sniff(content).value, said)
    try:
        words = msgspec.convert(said, Words)
    except msgspec.ValidationError as error:
        raise _invalid(beside, str(error)) from None
    patient = words.patient if "|" in words.patient else f"{usual_oid}|{words.patient}"
    patient = patient.removeprefix("urn:oid:")
    return read(path, sender, Described(words.type, words.title, day(words.date) if words.date else None, patient))


def _invalid(beside: Path, why: str) -> Refusal:
    text = f"{beside.name}: {why} Write {{type, patient, title, date}} as JSON, or a DocumentReference."
    return Refusal(Kind.INVALID, "SIDECAR_INVALID", text)
