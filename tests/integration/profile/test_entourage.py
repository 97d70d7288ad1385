"""A contact that somebody else adds to the entourage is told to the holder; what they add themselves is not."""

from ambroise.modules.notification.api import notices
from ambroise.modules.profile.api import Draft, Section
from ambroise.trust.context import Citizen
from tests.integration.profile.test_telling import told
from tests.integration.record.conftest import World

KARIM = Draft(
    Section.CONTACTS,
    "Karim Modèle",
    details={"first": "Karim", "last": "Modèle", "contact": "EMERGENCY_CONTACT", "kinship": "SPOUSE"},
)


async def test_a_contact_added_by_somebody_else_is_told_once(world: World) -> None:
    parent = await world.create_space("279035121518890")
    acting = world.context(Citizen(parent, "Ana Fictive"), acting_for=world.patient, relation="representative")
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_relation(tx, world.system, world.patient, parent, "representative")
    await told(world, KARIM)
    await told(world, Draft(Section.ILLNESSES, "Asthme", start="1990"), ctx=acting)
    async with world.database.reader() as reader:
        assert [one.code for one in await notices(reader, world.citizen)] == []
    await told(world, Draft(Section.CONTACTS, "Léa Modèle", details={**KARIM.details, "first": "Léa"}), ctx=acting)
    async with world.database.reader() as reader:
        (one,) = await notices(reader, world.citizen)
    assert (one.code, dict(one.details)) == ("AJOUT_ENTOURAGE", {"name": "Ana Fictive"})
