"""TD1.1 to TD1.4: create, reactivate, change, close (PRPA_IN201311UV02, PRPA_IN201314UV02).

Each is the use case that the holder's own pages call, with the professional as the caller: the rules say who may. A
space opens by the national service (CSP R. 1111-28 and R. 1111-40), and closes or opens again by its holder
(R. 1111-36): to a professional these answer with an application error, and the attempt stands in the trace.
"""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

from ambroise.fhir.json import decode
from ambroise.interfaces.dmp import looking
from ambroise.interfaces.dmp.codes import GDP, HL7
from ambroise.interfaces.dmp.messages import Message, Names, answer, observations, path_of, patient_in, read
from ambroise.interfaces.dmp.people import add_custodian, add_person, add_registered, contacts_of, is_part
from ambroise.interfaces.services import Services
from ambroise.interfaces.soap import Element
from ambroise.interfaces.xds.arrival import Arrival
from ambroise.interfaces.xds.caller import Caller
from ambroise.interfaces.xds.endpoint import Answered
from ambroise.interfaces.xds.names import tag
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.space.api import Reason
from ambroise.trust.access.decide import Action, refusal
from ambroise.trust.access.facts import OPEN_STATES, SpaceState
from ambroise.trust.access.rules import Rule
from ambroise.trust.access.spaces import space_of
from ambroise.trust.context import Context
from ambroise.trust.gateway import Found

_REQUEST: Final = path_of("subject", "registrationRequest", "subject1", "patient")
_CLOSED: Final = (SpaceState.CLOSED, SpaceState.DELETING)


class Create:
    """TD1.1: a space is opened by the national service, never by a professional."""

    action = "urn:hl7-org:v3:PRPA_IN201311UV02"
    element = tag(HL7, "PRPA_IN201311UV02")

    def __init__(self, services: Services, names: Names) -> None:
        self._services = services
        self._names = names

    async def answer(self, arrival: Arrival[Caller]) -> Answered:
        """The error: there is a record already, or who opens one."""
        message = read(arrival.envelope.body, reasons=("CREA_RD",))
        patient = patient_in(message.control, f"{_REQUEST}/{tag(HL7, 'id')}")
        try:
            if await looking.look(self._services, arrival.known, patient) is not None:
                refused = Refusal(Kind.CONFLICT, "DMP_FOUND", "This person has a record already.")
            else:
                text = "Records are opened by the national service, not by software (CSP R. 1111-28, R. 1111-40)."
                refused = Refusal(Kind.FORBIDDEN, "DMP_CREATION_RESERVED", text)
        except Refusal as found:
            refused = found
        return _wrapped(answer(self._names, message, "PRPA_IN201313UV02", refused)[0], "PRPA_IN201311")


class Revise:
    """TD1.2, TD1.3b and TD1.4: reactivate, change, close."""

    action = "urn:hl7-org:v3:PRPA_IN201314UV02"
    element = tag(HL7, "PRPA_IN201314UV02")

    def __init__(self, services: Services, names: Names) -> None:
        self._services = services
        self._names = names

    async def answer(self, arrival: Arrival[Caller]) -> Answered:
        """The record as it is now, or why nothing changed."""
        message = read(arrival.envelope.body, reasons=("REAC", "MODIF_DATA", "FERM"))
        named = patient_in(message.control, f"{_REQUEST}/{tag(HL7, 'id')}")
        try:
            found = await looking.look(self._services, arrival.known, named)
            if found is None:
                raise looking.not_found()
            status = await self._do(message, arrival.known.context, found)
        except Refusal as refused:
            return _wrapped(answer(self._names, message, "PRPA_IN201316UV02", refused)[0], "PRPA_IN201314")
        root, control = answer(self._names, message, "PRPA_IN201315UV02")
        event, holder = add_registered(control, None, status)
        add_person(holder, decode(found.stored.body), names_only=True)
        add_custodian(event, self._names.oid)
        return _wrapped(root, "PRPA_IN201314")

    async def _do(self, message: Message, ctx: Context, found: Found) -> str:
        """Do what is asked, and the status that follows."""
        if message.reason == "REAC" and found.state in OPEN_STATES:
            raise Refusal(Kind.CONFLICT, "DMP_FOUND", "This record is active.")
        if message.reason == "FERM" and found.state in _CLOSED:
            raise Refusal(Kind.CONFLICT, "DMP_ALREADY_CLOSED", "This record is closed already.")
        async with self._services.database.transaction() as tx:
            if message.reason == "FERM":
                await self._services.spaces.close(tx, ctx, found.patient, Reason.OTHER)
                return "terminated"
            if message.reason == "REAC":
                await self._services.spaces.reopen(tx, ctx, found.patient)
                return "active"
            await self._change(tx, ctx, found, message.control.find(_REQUEST))
            return "active"

    async def _change(self, tx: Transaction, ctx: Context, found: Found, sent: Element | None) -> None:
        """Change how the person is reached, then the emergency choices: each by the rules of its own use case."""
        gateway = self._services.gateway
        person = sent.find(tag(HL7, "patientPerson")) if sent is not None else None
        contacts = contacts_of(person) if person is not None else {}
        opposed = observations(sent)
        btg, etreat = opposed.get("OPPOSITION_BRIS_DE_GLACE"), opposed.get("OPPOSITION_ACCES_URGENCE")
        space = await space_of(tx, found.patient)
        if space is None or (not contacts and btg is None and etreat is None):
            raise Refusal(Kind.INVALID, "DMP_NOTHING_TO_CHANGE", "Give an address, a telecom or an opposition.")
        if contacts:
            current: dict[str, Any] = decode((await gateway.read(tx, ctx, "Patient", found.stored.id)).body)
            if is_part(current):
                raise refusal(Action.CREATE, "Patient", Rule.NOT_AUTHORISED)
            await gateway.update(tx, ctx, {**current, **contacts})
        if btg is not None or etreat is not None:
            await gateway.rights.set_emergency_consents(
                tx,
                ctx,
                found.patient,
                etreat=space.etreat if etreat is None else not etreat,
                btg=space.btg if btg is None else not btg,
                masked=space.emergency_masked,
            )


def _wrapped(message: Element, request: str) -> Answered:
    """The answer inside the element that the service has around it."""
    root = etree.Element(tag(GDP, f"{request}UV02_Response"), nsmap={"gdp": GDP})
    root.append(message)
    return Answered(root, action=f"urn:hl7-org:v3:{request}ResponseUV02")
