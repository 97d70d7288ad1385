"""The record the leak pack looks into: what the viewer may see, what he may not, and links between the two."""

from dataclasses import dataclass
from uuid import UUID

from ambroise.kernel.ids import new_id, shard_of
from ambroise.trust.access.relations import Reach
from ambroise.trust.context import Citizen, Context, Relation
from ambroise.trust.gateway import Action, Flags, author_of, follow, label_for
from tests.integration.trust.people import NURSE, World, professional

AUTHOR, VIEWER, NURSE_VIEWER = professional(1), professional(2), professional(3, NURSE)
SECRET_BYTES = b"%PDF-1.7 secret"


@dataclass(frozen=True)
class Secrets:
    """`viewer` is authorised by `patient` (not by `other`); `knower` is the control, who sees what is hidden."""

    world: World
    viewer: Context
    nurse: Context
    knower: Context
    author: Context
    patient: UUID
    other: UUID
    shown: str
    pointing: str
    hidden_document: str
    hidden_result: str
    hidden_binary: str
    elsewhere: str
    psychiatric: str
    visible_before: str


def _reference(reference: str) -> dict[str, str]:
    return {"reference": reference}


async def write_secrets(world: World, *, by_presence: bool = False) -> Secrets:
    """A shown result; a masked document with a result and bytes extracted from it; links both ways; another patient."""
    patient, other = await world.patient(1), await world.patient(2)
    author = world.of(AUTHOR)
    for who in (VIEWER, NURSE_VIEWER):
        if by_presence:
            async with world.database.transaction() as tx:
                await world.gateway.rights.open_presence(tx, world.of(who), patient)
        else:
            await world.authorise(patient, who)
    shown = await world.observation(author, patient, "718-7", effectiveDateTime="2026-01-10")
    document, result, binary = await _masked_document(world, author, patient, shown)
    pointing = await world.observation(
        author,
        patient,
        "2093-3",
        derivedFrom=[_reference(f"Observation/{result}"), _reference(f"DocumentReference/{document}")],
        performer=[_reference(f"Patient/{other}")],
        effectiveDateTime="2026-01-11",
    )
    elsewhere = await world.observation(author, other, "26464-8", derivedFrom=[_reference(f"Observation/{shown}")])
    psychiatric = await world.document(author, patient, "68599-0")
    before = await world.document(author, patient)
    citizen = world.citizen(patient)
    await _mask_with_new_version(world, citizen, before)
    return Secrets(
        world,
        viewer=world.of(VIEWER),
        nurse=world.of(NURSE_VIEWER),
        knower=citizen,
        author=author,
        patient=patient,
        other=other,
        shown=f"Observation/{shown}",
        pointing=f"Observation/{pointing}",
        hidden_document=f"DocumentReference/{document}",
        hidden_result=f"Observation/{result}",
        hidden_binary=str(binary),
        elsewhere=f"Observation/{elsewhere}",
        psychiatric=f"DocumentReference/{psychiatric}",
        visible_before=f"DocumentReference/{before}",
    )


async def _masked_document(world: World, author: Context, patient: UUID, shown: str) -> tuple[str, UUID, UUID]:
    document = await world.document(author, patient, flags=Flags.MASKED)
    result, binary = new_id(shard_of(patient)), new_id(shard_of(patient))
    person, organization = author_of(author)
    label = label_for(
        "DocumentReference",
        {"resourceType": "DocumentReference", "type": {"coding": [{"code": "11502-2"}]}},
        patient=patient,
        flags=Flags.MASKED,
        author=person,
        author_organization=organization,
    )
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "identifier": [{"system": "urn:test:lab", "value": "SECRET-1"}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "75622-1"}], "text": "secret serology"},
        "subject": _reference(f"Patient/{patient}"),
        "derivedFrom": [_reference(f"Observation/{shown}")],
        "effectiveDateTime": "2026-02-01",
    }
    described = {"resourceType": "Binary", "contentType": "application/pdf"}
    async with world.database.transaction() as tx:
        follows = follow(label, UUID(document))
        await world.gateway.put_content(tx, author, follows, binary, SECRET_BYTES, "application/pdf")
        await world.gateway.file_all(tx, author, [(observation, result), (described, binary)], follows)
    return document, result, binary


async def _mask_with_new_version(world: World, citizen: Context, id: str) -> None:
    async with world.database.transaction() as tx:
        current = await world.gateway.open(tx, citizen, Action.MASK, "DocumentReference", id)
        resource = {
            "resourceType": "DocumentReference",
            "id": id,
            "status": "current",
            "type": {"coding": [{"system": "http://loinc.org", "code": "11502-2"}]},
            "subject": _reference(f"Patient/{current.label.patient}"),
            "content": [{"attachment": {"contentType": "application/pdf"}}],
            "securityLabel": [{"coding": [{"code": "MASQUE_PS"}]}],
        }
        await world.gateway.rewrite(tx, citizen, Action.MASK, current, resource, set=Flags.MASKED)


async def helped(secrets: Secrets, kind: Relation, scope: Reach) -> Context:
    """The context of somebody who helps the patient: a person of their own, each time."""
    world = secrets.world
    person = await world.patient(100 + len(await world.helpers(secrets.patient)))
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_relation(tx, world.system, secrets.patient, person, kind, scope=scope)
    return world.citizen(person, acting_for=secrets.patient, relation=kind)


def helper_of(ctx: Context) -> UUID:
    """Who helps."""
    assert isinstance(ctx.actor, Citizen)
    return ctx.actor.patient


async def kept_from_representatives(secrets: Secrets) -> str:
    """A document about care that a minor keeps secret."""
    world = secrets.world
    id = await world.document(secrets.author, secrets.patient, flags=Flags.INVISIBLE_REPRESENTATIVES)
    return f"DocumentReference/{id}"
