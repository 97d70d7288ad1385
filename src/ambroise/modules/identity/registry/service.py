"""The use cases of the registry: open a space for a person, follow their INS, join duplicates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.ins import Ins, check_ins
from ambroise.modules.identity.insi import repository as reference
from ambroise.modules.identity.insi.service import note_identity
from ambroise.modules.identity.registry import repository
from ambroise.modules.identity.registry.model import (
    PatientIdentity,
    ins_of,
    require_complete,
    traits_of,
    used_names_of,
)
from ambroise.modules.identity.registry.trust import Status
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.rules import Rule
from ambroise.trust.access.spaces import open_space
from ambroise.trust.audit.entry import Entry, Event, record
from ambroise.trust.context import Context
from ambroise.trust.gateway import Stored


async def open_for(
    tx: Transaction,
    ctx: Context,
    patient: UUID,
    resource: Mapping[str, Any],
    *,
    state: SpaceState = SpaceState.OPEN_ACTIVE,
) -> PatientIdentity | None:
    """Open the space of a Patient just created, with a qualified identity made of its traits.

    Nothing happens for a Patient without INS. Refuses INS_INVALID, TRAITS_MISSING, INS_KNOWN.
    """
    ins = ins_of(resource)
    if ins is None:
        return None
    check_ins(ins, demonstration=ctx.demonstration, element="Patient.identifier")
    traits = traits_of(resource)
    require_complete(traits)
    await _refuse_known(tx, ins)
    used_name, used_first_name = used_names_of(resource)
    identity = PatientIdentity(patient, ins, Status.QUALIFIED, traits, used_name, used_first_name)
    await repository.insert(tx, identity, ctx.now())
    _note(tx, identity)
    await open_space(tx, ctx, patient, state=state)
    await record(tx, ctx, Entry("C", Event.SPACE_OPENED, patient, "Patient", patient, rule=Rule.SYSTEM))
    return identity


async def on_patient_created(tx: Transaction, ctx: Context, stored: Stored, resource: Mapping[str, Any]) -> None:
    """What the door does with each Patient that a client creates: one with an INS opens its space."""
    await open_for(tx, ctx, stored.key, resource, state=SpaceState.OPEN_INACTIVE)


async def on_patient_updated(tx: Transaction, ctx: Context, stored: Stored, resource: Mapping[str, Any]) -> None:
    """What the door does with each Patient that a client updates: the registry follows."""
    await follow_resource(tx, ctx, stored.key, resource)


async def follow_resource(tx: Transaction, ctx: Context, patient: UUID, resource: Mapping[str, Any]) -> None:
    """Bring the registry to what an updated Patient now states; a new INS keeps the former one as history."""
    known = await repository.identity_of(tx, patient)
    if known is None:
        await open_for(tx, ctx, patient, resource, state=SpaceState.OPEN_INACTIVE)
        return
    ins = ins_of(resource)
    if ins is None and known.ins is not None:
        raise Refusal(
            Kind.UNPROCESSABLE,
            "INS_REQUIRED",
            "This Patient holds a space under an INS: an update keeps it.",
            element="Patient.identifier",
        )
    traits = traits_of(resource)
    require_complete(traits)
    used_name, used_first_name = used_names_of(resource)
    if ins is not None and ins != known.ins:
        known = await change_ins(tx, ctx, known, ins)
    changed = replace(known, traits=traits, used_name=used_name, used_first_name=used_first_name)
    await repository.update(tx, changed, ctx.now())
    _note(tx, changed)


async def change_ins(tx: Transaction, ctx: Context, known: PatientIdentity, ins: Ins) -> PatientIdentity:
    """Give a person a new matricule; the former one goes on leading to the same space.

    Refuses IDENTITY_WITHOUT_INS for an identity that has none: an INS comes back through INSi, not by an update.
    """
    check_ins(ins, demonstration=ctx.demonstration)
    if known.ins is None:
        raise Refusal(
            Kind.CONFLICT,
            "IDENTITY_WITHOUT_INS",
            "This identity lost its INS: it is to be recovered from INSi, then checked by a document.",
            element="Patient.identifier",
        )
    await _refuse_known(tx, ins)
    await repository.retire(tx, known.ins, ctx.now())
    await repository.lead(tx, ins, known.patient, ctx.now())
    changed = replace(known, ins=ins)
    await repository.update(tx, changed, ctx.now())
    await reference.replace(tx, known.ins, ins, ctx.now().date())
    return changed


async def join(tx: Transaction, ctx: Context, duplicate: UUID, kept: UUID) -> None:
    """Say that two spaces are one person's: what comes under the duplicate's INS goes to the one kept.

    The documents already filed stay where they are, under their trace; the duplicate takes no new ones.
    """
    if duplicate == kept:
        raise Refusal(Kind.INVALID, "SAME_SPACE", "A space cannot be joined to itself.")
    other, target = await repository.identity_of(tx, duplicate), await repository.identity_of(tx, kept)
    if other is None or target is None:
        raise Refusal(Kind.NOT_FOUND, "DMP_NOT_FOUND", "One of the two spaces is unknown.")
    if target.merged_into is not None:
        raise Refusal(Kind.CONFLICT, "JOINED_ALREADY", "The space to keep was itself joined to another one.")
    if other.ins is not None:
        await repository.retire(tx, other.ins, ctx.now(), to=kept)
    await repository.update(tx, replace(other, merged_into=kept), ctx.now())


def _note(tx: Transaction, identity: PatientIdentity) -> None:
    """Have the base of reference know a qualified identity."""
    ins = identity.trust.usable_ins
    individual = note_identity(ins, identity.traits) if ins else None
    if individual is not None:
        reference.put(tx, individual)


async def _refuse_known(tx: Transaction, ins: Ins) -> None:
    known = await repository.patient_of(tx, ins)
    if known is not None:
        raise Refusal(
            Kind.CONFLICT,
            "INS_KNOWN",
            "A space is already open under this INS: search it instead of creating a second one.",
            element="Patient.identifier",
        )
