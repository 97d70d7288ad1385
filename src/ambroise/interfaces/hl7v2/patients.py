"""Whom a message is about, beside what the feed checks of the record look at: the PID itself."""

from __future__ import annotations

from uuid import UUID

from ambroise.interfaces.hl7v2.profile import Said
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import PatientIdentity, Status, check_ins, check_traits, identity_under
from ambroise.trust.audit.entry import REFUSED, Entry, Event
from ambroise.trust.context import Context
from ambroise.trust.gateway import Gateway

_PID = "PID^1^3"


async def identified(reader: Reader, ctx: Context, said: Said, gateway: Gateway, event: Event) -> UUID:
    """The space of a qualified identity; what is refused once it is sure who that is leaves a line.

    Refuses INS_INVALID, DMP_NOT_FOUND, INS_NOT_QUALIFIED and TRAITS_MISMATCH, in that order.
    """
    identity = await known(reader, ctx, said)
    if identity is None:
        text = "No space is known under this identity: check the INS; the space may not be open yet."
        raise Refusal(Kind.NOT_FOUND, "DMP_NOT_FOUND", text, element=_PID)
    await agree(ctx, identity, said, gateway, event)
    return identity.patient


async def known(reader: Reader, ctx: Context, said: Said) -> PatientIdentity | None:
    """What the registry knows of the INS. Refuses INS_INVALID."""
    check_ins(said.ins, demonstration=ctx.demonstration, element=_PID)
    return await identity_under(reader, said.ins)


async def agree(ctx: Context, identity: PatientIdentity, said: Said, gateway: Gateway, event: Event) -> None:
    """Refuse (INS_NOT_QUALIFIED, TRAITS_MISMATCH), and trace, a PID that is not of this very identity."""
    try:
        if identity.status is not Status.QUALIFIED:
            text = "The patient's identity is not qualified here: verify it, then send again."
            raise Refusal(Kind.UNPROCESSABLE, "INS_NOT_QUALIFIED", text, element=_PID)
        check_traits(identity.traits, said.traits, complete=False)
    except Refusal as refusal:
        if refusal.code == "TRAITS_MISMATCH":
            refusal.element = "PID^1^5"
        entry = Entry("U", event, identity.patient, rule=refusal.code.lower(), outcome=REFUSED)
        await gateway.note(ctx, entry)
        raise
