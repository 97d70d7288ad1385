"""TD0.2 and TD1.3a: does a record exist, may I read it, whose is it (PRPA_IN201307UV02 → PRPA_IN201308UV02)."""

from __future__ import annotations

from typing import Final

from ambroise.fhir.json import decode
from ambroise.interfaces.dmp import looking
from ambroise.interfaces.dmp.codes import HL7, codes, system
from ambroise.interfaces.dmp.messages import (
    Message,
    Names,
    add,
    answer,
    answer_query,
    attention,
    path_of,
    patient_in,
    read,
)
from ambroise.interfaces.dmp.people import add_custodian, add_observation, add_person, add_registered, is_part
from ambroise.interfaces.services import Services
from ambroise.interfaces.soap import Element
from ambroise.interfaces.xds.arrival import Arrival
from ambroise.interfaces.xds.caller import Caller
from ambroise.interfaces.xds.endpoint import Answered
from ambroise.interfaces.xds.names import tag
from ambroise.kernel.errors import Refusal
from ambroise.modules.space.api import Life, Reason, lives
from ambroise.trust.access.decide import Action, judge_entry, refusal
from ambroise.trust.access.facts import OPEN_STATES, Eyes, SpaceState, Standing
from ambroise.trust.access.rules import Rule
from ambroise.trust.access.spaces import space_of
from ambroise.trust.context import Context
from ambroise.trust.gateway import Found

_ANSWER: Final = "PRPA_IN201308UV02"
_PATIENT: Final = path_of("parameterList", "patientIdentifier", "value")
_CLOSED: Final = (SpaceState.CLOSED, SpaceState.DELETING)


class Demographics:
    """The query about one patient: a test of existence, or the administrative data."""

    action = "urn:hl7-org:v3:PRPA_IN201307UV02"
    element = tag(HL7, "PRPA_IN201307UV02")

    def __init__(self, services: Services, names: Names) -> None:
        self._services = services
        self._names = names

    async def answer(self, arrival: Arrival[Caller]) -> Answered:
        """What is known, NF for nobody, AE for what is refused."""
        message = read(arrival.envelope.body, reasons=("TEST_EXST", "CNSLT_DATA"))
        try:
            found = await looking.look(self._services, arrival.known, patient_in(message.query, _PATIENT))
            if found is None:
                return self._nobody(message)
            if message.reason == "TEST_EXST":
                return await self._exists(message, arrival.known, found)
            return await self._data(message, arrival.known.context, found)
        except Refusal as refused:
            if refused.code == "DMP_MESSAGE":
                raise
            root, control = answer(self._names, message, _ANSWER, refused)
            answer_query(control, message, "AE")
            return _answered(root)

    def _nobody(self, message: Message) -> Answered:
        root, control = answer(self._names, message, _ANSWER)
        answer_query(control, message, "NF")
        return _answered(root)

    async def _exists(self, message: Message, caller: Caller, found: Found) -> Answered:
        """TD0.2: identity, status, whether the caller may read; when it closed, if it did."""
        services = self._services
        may = await looking.authorisation(services, caller, found)
        async with services.database.reader() as reader:
            life = await lives.life(reader, found.patient)
        closed = life is not None and found.state in _CLOSED and life.closed_at is not None
        root, control = answer(self._names, message, _ANSWER)
        attention(root, "AUTORISATION", "authorisation_keyword", "CV", code=codes()["authorisation"][may],
                  codeSystem=system("authorisation"))  # fmt: skip
        treats = "true" if found.standing is Standing.TREATING else "false"
        attention(root, "STATUT_MT", "treating_keyword", "BL", value=treats)
        patient = decode(found.stored.body)
        at = life.closed_at.strftime("%Y%m%d%H%M%S+0000") if closed and life and life.closed_at else None
        event, holder = add_registered(control, patient, codes()["status"][found.state.value], at=at)
        add_person(holder, patient)
        if not found.identity_only:
            # Whether somebody uses the space is told to those whom that person lets read, not to whoever knows the INS.
            active = found.state is SpaceState.OPEN_ACTIVE
            add_observation(holder, "subjectOf", active, code="COMPTE_INTERNET_OUVERT", of="account")
        add_observation(holder, "subjectOf", found.state in OPEN_STATES, code="RATTACHEMENT_ENS")
        add_custodian(event, self._names.oid)
        if closed and life is not None:
            _add_reason(control, life)
        answer_query(control, message, "OK")
        return _answered(root)

    async def _data(self, message: Message, ctx: Context, found: Found) -> Answered:
        """TD1.3a: what the record keeps of the administrative side, for who may read it."""
        async with self._services.database.reader() as reader:
            patient = decode((await self._services.gateway.read(reader, ctx, "Patient", found.stored.id)).body)
            if is_part(patient):
                eyes = Eyes.of(ctx)
                verdict = judge_entry(await self._services.gateway.facts(reader, ctx, eyes, found.patient), eyes)
                rule = Rule.NOT_AUTHORISED if verdict.allowed else verdict.rule
                raise refusal(Action.CREATE, "Patient", rule)
            space = await space_of(reader, found.patient)
        root, control = answer(self._names, message, _ANSWER)
        event, holder = add_registered(control, patient, codes()["status"][found.state.value])
        add_person(holder, patient, whole=True)
        if space is not None:
            add_observation(holder, "subjectOf", not space.btg, code="OPPOSITION_BRIS_DE_GLACE")
            add_observation(holder, "subjectOf", not space.etreat, code="OPPOSITION_ACCES_URGENCE")
        add_custodian(event, self._names.oid)
        answer_query(control, message, "OK")
        return _answered(root)


def _add_reason(control: Element, life: Life) -> None:
    """Why the record closed, as far as it is anybody's business: by its holder, or not. Never what the holder chose."""
    alert = add(add(control, "reasonOf", typeCode="RSON"), "detectedIssueEvent", classCode="ALRT", moodCode="EVN")
    if life.close_reason == Reason.NOT_CONTESTED.value:
        add(alert, "code", nullFlavor="OTH", codeSystem=system("closing"))
    else:
        add(alert, "code", code="FERMETURE_DEMANDE_PATIENT", codeSystem=system("closing"))


def _answered(root: Element) -> Answered:
    return Answered(root, action=f"urn:hl7-org:v3:{_ANSWER}")
