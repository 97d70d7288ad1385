"""SMART App Launch 2.2: software opened on a patient, and the scopes that keep it to what it asked for.

Scopes narrow. What a professional may see is decided by the rules of access at each request, whatever a token says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from ambroise.trust.limits import Permission

LAUNCH: Final = "launch"
LAUNCH_PATIENT: Final = "launch/patient"
FHIR_USER: Final = "fhirUser"
ONLINE: Final = "online_access"
LAUNCH_LASTS: Final = timedelta(minutes=5)
FHIR: Final = "/fhir"
"""Where the FHIR base is under the address of the instance: the `aud` of a request, the `iss` of a launch."""
OPENING: Final = frozenset({LAUNCH, LAUNCH_PATIENT})
WORDS: Final = OPENING | {FHIR_USER, ONLINE}


class Opened(Struct, frozen=True):
    """Whom software was opened on, and which of that person's encounters."""

    patient: UUID | None = None
    encounter: str | None = None

    def answer(self) -> Mapping[str, Any]:
        """The launch context, in the words of a token answer."""
        if self.patient is None:
            return {}
        # The software shows who the patient is: ours stays in another window.
        told: dict[str, Any] = {"patient": str(self.patient), "need_patient_banner": True}
        return {**told, "encounter": self.encounter} if self.encounter else told


NOBODY: Final = Opened()


class Launched(Struct, frozen=True):
    """Where to send the browser to open other software, and until when."""

    launch: str
    address: str
    expires_in: int


def is_limited(scopes: Iterable[str]) -> bool:
    """Whether these scopes are of SMART: a token of theirs opens what they name, and nothing else."""
    return any(scope in WORDS or Permission.read(scope) is not None for scope in scopes)


_CAST = re.compile(r"fhircast/(\*|patient-open|patient-close)\.(\*|read|write)")


def _cast(registered: frozenset[str], scope: str) -> bool:
    asked = _CAST.fullmatch(scope)
    held = [found for found in map(_CAST.fullmatch, registered) if found]
    return asked is not None and any(one[1] in ("*", asked[1]) and one[2] in ("*", asked[2]) for one in held)


def allowed(registered: frozenset[str], scope: str) -> bool:
    """Whether a client registered for these may ask for this one: the same, or one that a registered one covers."""
    if scope in registered or _cast(registered, scope):
        return True
    asked = Permission.read(scope)
    return asked is not None and any(held.covers(asked) for held in map(Permission.read, registered) if held)
