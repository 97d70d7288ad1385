"""A Patient reduced to the identity: what a professional sees of somebody who has not let him in."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from ambroise.fhir.json import decode, encode
from ambroise.fhir.store.types import Stored
from ambroise.trust.access.facts import Eyes, Facts, SpaceState, Viewer

KNOWN_STATES = tuple(
    state.value
    for state in SpaceState
    if state not in (SpaceState.ELIGIBLE, SpaceState.NOTIFIED, SpaceState.OPPOSED, SpaceState.PURGED)
)
"""States in which a professional may learn that the space exists."""

_KEPT = ("resourceType", "id", "identifier", "name", "gender", "birthDate", "deceasedBoolean", "deceasedDateTime")
_BIRTH_PLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
_SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


def shows_identity(type: str, eyes: Eyes, facts: Facts) -> bool:
    """Whether this caller may see who this is, though not the record."""
    known = facts.state is not None and facts.state.value in KNOWN_STATES
    return type == "Patient" and eyes.viewer is Viewer.PROFESSIONAL and known


def identity_only(stored: Stored) -> Stored:
    """The same Patient with its identity alone, tagged as a part of the whole."""
    whole = decode(stored.body)
    part: dict[str, Any] = {name: whole[name] for name in _KEPT if name in whole}
    places = [one for one in cast(list[Any], whole.get("extension") or []) if one.get("url") == _BIRTH_PLACE]
    if places:
        part["extension"] = places
    meta = dict(cast(dict[str, Any], whole.get("meta") or {}))
    part["meta"] = {**meta, "tag": [*cast(list[Any], meta.get("tag") or []), _SUBSETTED]}
    return msgspec.structs.replace(stored, body=encode(part))
