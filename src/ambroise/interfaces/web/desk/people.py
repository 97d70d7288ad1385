"""Finding one person by INS for the desk: through the door, which counts and traces it."""

from __future__ import annotations

from uuid import UUID

from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui.visit import Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import DEFAULT_OID, Ins, identity_under
from ambroise.trust.audit.entry import Entry, Event


async def find(lives: Lives, visit: Visit, matricule: str) -> UUID:
    """Whose space a matricule leads to, whatever its state. Raises INS_UNKNOWN."""
    ins = Ins("".join(matricule.split())[:15], DEFAULT_OID[visit.site.demonstration])
    ctx = visit.context()
    async with lives.database.reader() as reader:
        found = await lives.gateway.find_patient(reader, ctx, ins=(ins.system, ins.matricule))
    if found:
        return found[0].patient
    # Somebody only notified, or who objected, is nobody to professionals: the desk answers their letters.
    async with lives.database.transaction() as tx:
        known = await identity_under(tx, ins)
        if known is None:
            raise Refusal(Kind.NOT_FOUND, "INS_UNKNOWN", "No space has this INS.", element="matricule")
        entry = Entry("R", Event.PERSON_FOUND, known.patient, "Patient", known.patient, rule="operator")
        await lives.gateway.trace(tx, ctx, entry)
    return known.patient
