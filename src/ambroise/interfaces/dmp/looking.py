"""Finding the patient whom a request is about: by the gateway's own search, which traces and counts each look."""

from __future__ import annotations

from ambroise.interfaces.services import Services
from ambroise.interfaces.xds.caller import Caller, check_patient
from ambroise.interfaces.xds.values import Cx
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.access.facts import Standing
from ambroise.trust.access.grants import grants_of
from ambroise.trust.access.people import Party
from ambroise.trust.context import Context, Professional
from ambroise.trust.gateway import Found

_URN = "urn:oid:"


async def look(services: Services, caller: Caller, patient: Cx) -> Found | None:
    """The person of an INS; None: nobody here, as far as a professional may know."""
    check_patient(caller, str(patient))
    async with services.database.reader() as reader:
        ins = (_URN + patient.authority, patient.value)
        found = await services.gateway.find_patient(reader, caller.context, ins=ins)
    return found[0] if found else None


async def patient_of(services: Services, caller: Caller) -> Found:
    """The patient of the assertion, for requests that name nobody themselves. Raises DMP_PATIENT, DMP_NOT_FOUND."""
    named = Cx.parse(caller.patient or "")
    if named is None:
        text = "Name the patient in the assertion: resource-id is INS^^^&OID&ISO^NH."
        raise Refusal(Kind.INVALID, "DMP_PATIENT", text)
    found = await look(services, caller, named)
    if found is None:
        raise not_found()
    return found


def not_found() -> Refusal:
    """Nobody has a record under this INS."""
    return Refusal(Kind.NOT_FOUND, "DMP_NOT_FOUND", "No record is known under this INS.")


def me(ctx: Context) -> Professional:
    """The professional who calls."""
    assert isinstance(ctx.actor, Professional)  # noqa: S101 - an assertion names nobody else.
    return ctx.actor


def parties(ctx: Context) -> list[Party]:
    """The caller and his structure, whom a patient may authorise."""
    actor = me(ctx)
    if not actor.organization:
        return [Party.of(actor)]
    return [Party.of(actor), Party(actor.organization, actor.organization_name or "", "organization")]


async def authorisation(services: Services, caller: Caller, found: Found) -> str:
    """What the caller may do with the record: valid, none, blocked, expired."""
    if found.standing is Standing.BLOCKED:
        return "blocked"
    if found.standing >= Standing.AUTHORISED and not found.identity_only:
        return "valid"
    ids, now = {one.id for one in parties(caller.context)}, caller.context.now()
    async with services.database.reader() as reader:
        held = [one for one in await grants_of(reader, found.patient) if one.party.id in ids]
    return "expired" if any(one.until is not None and one.until <= now for one in held) else "none"
