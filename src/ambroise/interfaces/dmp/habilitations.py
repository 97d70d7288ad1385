"""TD0.3 and TD1.6: my authorisation; who is authorised or blocked. The patient is that of the assertion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from ambroise.interfaces.dmp import looking
from ambroise.interfaces.dmp.codes import HABILITATIONS, system
from ambroise.interfaces.dmp.plain import Output, field, written
from ambroise.interfaces.services import Services
from ambroise.interfaces.xds.arrival import Arrival
from ambroise.interfaces.xds.caller import Caller
from ambroise.interfaces.xds.endpoint import Answered
from ambroise.interfaces.xds.names import tag
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.consent.api import Consents
from ambroise.modules.directory import api as directory
from ambroise.trust.access.facts import Eyes, Standing
from ambroise.trust.access.grants import NO_TEAM, Grant
from ambroise.trust.access.people import Party
from ambroise.trust.context import Context, Purpose

_SERVICE: Final = "urn:si-dmp-habilitations:HabilitationsEndPoint"
_TREATING: Final = "MEDECIN_TRAITANT"


class SetAuthorization:
    """TD0.3: the consent that the caller collected for himself, or its end."""

    action = f"{_SERVICE}:setAuthorization"
    element = tag(HABILITATIONS, "setAuthorization")

    def __init__(self, services: Services) -> None:
        self._services = services
        self._consents = Consents(services.gateway)

    async def answer(self, arrival: Arrival[Caller]) -> Answered:
        """DMPOk with what changed, or the refusal."""
        body, ctx = arrival.envelope.body, arrival.known.context
        adding = field(body, HABILITATIONS, "action", "AJOUT", "SUPPRESSION")
        treating = field(body, HABILITATIONS, "role", _TREATING) is not None
        if adding is None:
            raise Refusal(Kind.INVALID, "DMP_MESSAGE", "action is AJOUT or SUPPRESSION.")
        output = Output(HABILITATIONS, "setAuthorization")
        try:
            if ctx.purpose is not Purpose.NORMAL:
                text = (
                    "An emergency access is opened by reading with its purpose; a consent is recorded in mode normal."
                )
                raise Refusal(Kind.INVALID, "CONSENT_IN_EMERGENCY", text)
            patient = (await looking.patient_of(self._services, arrival.known)).patient
            async with self._services.database.transaction() as tx:
                do = self._add if adding == "AJOUT" else self._withdraw
                return output.done(await do(tx, ctx, patient, treating))
        except Refusal as refused:
            return output.refused(refused)

    async def _add(self, tx: Transaction, ctx: Context, patient: UUID, treating: bool) -> str:
        facts = await self._services.gateway.facts(tx, ctx, Eyes.of(ctx), patient)
        wanted = Standing.TREATING if treating else Standing.AUTHORISED
        if facts.standing >= wanted and not facts.only_present:
            return "AUTHORISATION_THERE: it was there already; nothing changed."
        await (self._consents.as_treating if treating else self._consents.for_oneself)(tx, ctx, patient)
        return ""

    async def _withdraw(self, tx: Transaction, ctx: Context, patient: UUID, treating: bool) -> str:
        """End the authorisation; of a treating doctor who keeps reading, the role alone."""
        gateway, party = self._services.gateway, Party.of(looking.me(ctx))
        before = await gateway.facts(tx, ctx, Eyes.of(ctx), patient)
        if treating and before.standing is not Standing.TREATING:
            return "AUTHORISATION_ABSENT: the caller is not the treating doctor; nothing changed."
        await gateway.rights.revoke(tx, ctx, patient, party, team=NO_TEAM if treating else None)
        if treating:
            await gateway.rights.authorise(tx, ctx, patient, party)
            return ""
        after = await gateway.facts(tx, ctx, Eyes.of(ctx), patient)
        if after.standing >= Standing.AUTHORISED:
            return "AUTHORISATION_OF_STRUCTURE: the patient authorises the whole structure, which stays."
        return (
            "" if before.standing >= Standing.AUTHORISED else "AUTHORISATION_ABSENT: there was none; nothing changed."
        )


class ListAuthorizations:
    """TD1.6: who reads and who is blocked, for the doctor in charge of the record."""

    action = f"{_SERVICE}:listAuthorizationByPatient"
    element = tag(HABILITATIONS, "listAuthorizationByPatient")

    def __init__(self, services: Services) -> None:
        self._services = services

    async def answer(self, arrival: Arrival[Caller]) -> Answered:
        """The list, or the refusal."""
        mode = field(arrival.envelope.body, HABILITATIONS, "mode", "ACTIVE", "INTERDITE", "TOUTE") or "TOUTE"
        output = Output(HABILITATIONS, "listAuthorizationByPatient")
        try:
            patient = (await looking.patient_of(self._services, arrival.known)).patient
            async with self._services.database.transaction() as tx:
                held = await self._services.gateway.rights.listed(tx, arrival.known.context, patient)
                for one in _one_each(held):
                    if mode in ("TOUTE", _mode(one)):
                        await self._add(tx, output, one)
        except Refusal as refused:
            return output.refused(refused)
        return output.done()

    async def _add(self, tx: Transaction, output: Output, grant: Grant) -> None:
        party = grant.party
        known = await directory.exercises(tx, party.id[1:]) if party.kind == "professional" else []
        entry = known[0].entry if known and known[0].entry.id_nat == party.id else None
        line = output.add(output.element, "listOfAuthorizationByPatient")
        output.add(line, "nationalId", party.id)
        output.add(line, "nationalIdType", system("professional" if party.kind == "professional" else "structure"))
        if entry is not None:
            output.add(line, "firstName", entry.given)
        output.add(line, "lastName", entry.family if entry is not None else party.name)
        if entry is not None:
            coded = (f"G15_{entry.profession}", entry.specialty)
            output.add(line, "codeSpeciality", "/".join(one for one in coded if one))
            if entry.label:
                output.add(line, "libSpeciality", entry.label)
        output.add(line, "startOfAuthorization", written(grant.since))
        output.add(line, "mode", _mode(grant))
        if grant.state == "treating":
            output.add(line, "specificRight", _TREATING)


def _mode(grant: Grant) -> str:
    return "INTERDITE" if grant.state == "blocked" else "ACTIVE"


def _one_each(held: Sequence[Grant]) -> list[Grant]:
    """One line for each party: a block before all, then the treating doctor, then the newest."""
    ranks = {"blocked": 0, "treating": 1}
    best: dict[str, Grant] = {}
    for one in held:
        other = best.get(one.party.id)
        if other is None or ranks.get(one.state, 2) < ranks.get(other.state, 2):
            best[one.party.id] = one
    return list(best.values())
