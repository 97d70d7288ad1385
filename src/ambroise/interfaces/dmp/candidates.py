"""TD0.5: find a person without an INS (IHE ITI-47, PRPA_IN201305UV02), by every trait or not at all."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from ambroise.fhir.json import decode
from ambroise.interfaces.dmp.codes import HL7, codes
from ambroise.interfaces.dmp.messages import XSI, Message, Names, add, answer, answer_query, path_of, read
from ambroise.interfaces.dmp.people import add_custodian, add_person, add_registered
from ambroise.interfaces.services import Services
from ambroise.interfaces.soap import Element, text_of
from ambroise.interfaces.xds.arrival import Arrival
from ambroise.interfaces.xds.caller import Caller
from ambroise.interfaces.xds.endpoint import Answered
from ambroise.interfaces.xds.names import tag
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.gateway import Found, Traits

_ANSWER: Final = "PRPA_IN201306UV02"
_LIST: Final = tag(HL7, "parameterList")
_SEXES: Final = {"M": "male", "F": "female", "UN": "other"}


class Candidates:
    """The demographics query: who has these traits."""

    action = "urn:hl7-org:v3:PRPA_IN201305UV02"
    element = tag(HL7, "PRPA_IN201305UV02")

    def __init__(self, services: Services, names: Names) -> None:
        self._services = services
        self._names = names

    async def answer(self, arrival: Arrival[Caller]) -> Answered:
        """Those found, each with the identity alone unless the caller may read more; NF, AE."""
        message = read(arrival.envelope.body)
        try:
            traits = _traits(message.query.find(_LIST) if message.query is not None else None)
            async with self._services.database.reader() as reader:
                found = await self._services.gateway.find_patient(reader, arrival.known.context, traits=traits)
        except Refusal as refused:
            root, control = self._begin(message, refused)
            answer_query(control, message, "AE", 0)
            return _answered(root)
        root, control = self._begin(message, None)
        for one in found:
            self._add(control, one)
        answer_query(control, message, "OK" if found else "NF", len(found))
        return _answered(root)

    def _begin(self, message: Message, refused: Refusal | None) -> tuple[Element, Element]:
        root, control = answer(self._names, message, _ANSWER, refused)
        add(control, "code", code="PRPA_TE201306UV02", codeSystem="2.16.840.1.113883.1.6")
        return root, control

    def _add(self, control: Element, found: Found) -> None:
        patient = decode(found.stored.body)
        event, holder = add_registered(control, patient, codes()["status"][found.state.value])
        add_person(holder, patient)
        observed = add(add(holder, "subjectOf1", typeCode="SBJ"), "queryMatchObservation", classCode="COND",
                       moodCode="EVN")  # fmt: skip
        add(observed, "code", code="POURCENTAGE").set(tag(XSI, "type"), "CS")
        # Every trait is the same, or nobody is found.
        add(observed, "value", value="100").set(tag(XSI, "type"), "INT")
        add_custodian(event, self._names.oid)


def _traits(parameters: Element | None) -> Traits:
    """The traits asked for. Raises TRAITS_MISSING: a name alone finds nobody, whoever asks."""
    said = {
        name: _value(parameters, parameter)
        for name, parameter in (
            ("name", "livingSubjectName"),
            ("birth", "livingSubjectBirthTime"),
            ("sex", "livingSubjectAdministrativeGender"),
        )
    }
    name, birth, sex = said["name"], said["birth"], said["sex"]
    family = text_of(name, HL7, "family") if name is not None else None
    given = text_of(name, HL7, "given") if name is not None else None
    born = _day(birth.get("value", "")) if birth is not None else None
    gender = _SEXES.get(sex.get("code", "")) if sex is not None else None
    if not (family and given and born and gender):
        text = "Give the birth name, the first name, the whole date of birth and the sex: nothing less finds a person."
        raise Refusal(Kind.INVALID, "TRAITS_MISSING", text)
    return Traits(family, given, born, gender)


def _value(parameters: Element | None, name: str) -> Element | None:
    return parameters.find(path_of(name, "value")) if parameters is not None else None


def _day(written: str) -> date | None:
    try:
        return datetime.strptime(written[:8], "%Y%m%d").date()
    except ValueError:
        return None


def _answered(root: Element) -> Answered:
    return Answered(root, action=f"urn:hl7-org:v3:{_ANSWER}")
