"""`Patient/[id]/$record-consent`: a professional records what a patient consented to, for oneself or for others."""

from typing import Any, Final, cast
from uuid import UUID

from ambroise.fhir.json import encode
from ambroise.interfaces.fhir_rest import outcome as outcomes
from ambroise.interfaces.fhir_rest.http import Answer, Call
from ambroise.interfaces.fhir_rest.limits import require
from ambroise.interfaces.fhir_rest.routing import Table
from ambroise.kernel.db import Database, Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.consent.api import Consents
from ambroise.modules.directory import api as directory
from ambroise.trust.access.decide import unknown
from ambroise.trust.access.people import Party
from ambroise.trust.gateway import Gateway

_PROFESSIONALS: Final = "urn:oid:1.2.250.1.71.4.2.1"
"""National identifiers of health professionals (PS_IdNat: 8 then the RPPS number)."""
_OWN, _TREATING, _ANOTHER, _TEAM = "own", "treating", "another", "team"


class RecordConsent:
    """The operation. What it records, and who may, are the same as on the pages of professionals."""

    def __init__(self, database: Database, gateway: Gateway, *, max_json: int) -> None:
        self._database = database
        self._consents = Consents(gateway)
        self._max_json = max_json

    def table(self) -> Table:
        """The handler of Patient's own."""
        return {"Type/id/$record-consent": {"POST": self.record}}

    async def record(self, call: Call) -> Answer:
        """Record it, and have the patient told."""
        require(call.context, "c", "Consent")
        patient, ctx = _patient(call.segments[1]), call.context
        sort, named = _asked(await call.resource(self._max_json))
        async with self._database.transaction() as tx:
            others = [await _party(tx, id) for id in named]
            match sort:
                case "own":
                    await self._consents.for_oneself(tx, ctx, patient)
                case "treating":
                    await self._consents.as_treating(tx, ctx, patient)
                case "team":
                    await self._consents.for_team(tx, ctx, patient, others)
                case _:
                    for other in others:
                        await self._consents.for_another(tx, ctx, patient, other)
        return Answer(200, encode(outcomes.information("The consent is recorded, and the patient is told.")))


def _patient(id: str) -> UUID:
    try:
        return UUID(id)
    except ValueError:
        raise unknown("Patient") from None


def _asked(sent: dict[str, Any]) -> tuple[str, list[str]]:
    """For whom, and the national identifiers of these professionals, each once."""
    listed: Any = sent.get("parameter") if sent.get("resourceType") == "Parameters" else None
    given = cast("list[Any]", listed) if isinstance(listed, list) else []
    parameters = [cast("dict[str, Any]", one) for one in given if isinstance(one, dict)]
    sort = next((one.get("valueCode") for one in parameters if one.get("name") == "for"), _OWN)
    named = [_identifier(one) for one in parameters if one.get("name") == "professional"]
    if sort not in (_OWN, _TREATING, _ANOTHER, _TEAM):
        text = f"`for` is one of {_OWN}, {_TREATING}, {_ANOTHER}, {_TEAM}."
        raise Refusal(Kind.INVALID, "PARAMETER_MALFORMED", text, element="Parameters.parameter")
    if (sort in (_ANOTHER, _TEAM)) != bool(named):
        text = "Name each professional in a parameter `professional` with `for` another or team, and nobody otherwise."
        raise Refusal(Kind.INVALID, "PARAMETER_MISSING", text, element="Parameters.parameter")
    return sort, list(dict.fromkeys(named))


def _identifier(parameter: dict[str, Any]) -> str:
    found: Any = parameter.get("valueIdentifier")
    identifier = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    if identifier.get("system") != _PROFESSIONALS or not isinstance(identifier.get("value"), str):
        text = f"Name a professional by valueIdentifier, system {_PROFESSIONALS}."
        raise Refusal(Kind.INVALID, "PARAMETER_MALFORMED", text, element="Parameters.parameter")
    return str(identifier["value"])


async def _party(reader: Reader, id: str) -> Party:
    """Somebody whom the directory knows; raises NO_SUCH_PERSON for anybody else."""
    found = await directory.exercises(reader, id[1:])
    if not found or found[0].entry.id_nat != id:
        raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PERSON", "The directory knows nobody by this id.")
    return Party(id, found[0].entry.name)
