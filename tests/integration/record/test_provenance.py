"""What is taken out of a document says whose words it is, and stays hidden or goes with the document."""

from pathlib import Path

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from tests.integration.record.conftest import World
from tests.integration.record.test_visibility import found


async def test_every_fact_of_a_document_says_who_said_it_and_where(world: World, samples: Path) -> None:
    doctor = world.professional()
    await world.authorise(doctor)
    filed = (await world.submit(world.system, (samples / "cda" / "IPS-FR_2024.01.xml").read_bytes())).documents[0]
    async with world.database.reader() as reader:
        acts = parse("Procedure", [("patient", f"Patient/{world.patient}"), ("_revinclude", "Provenance:target")])
        page = await world.gateway.search(reader, doctor, acts)
        (stored,) = [one for one, _ in page.entries if one.type == "Provenance"]
        told = decode(stored.body)
    assert len(told["target"]) == filed.extracted
    assert told["entity"][0]["what"]["reference"] == f"DocumentReference/{filed.document}"
    author, assembler = told["agent"]
    assert author["who"]["display"].startswith("DR Stéphane MEDIONI")
    assert assembler["who"]["display"].startswith("Ambroise")
    kinds = ("Procedure", "Encounter", "DeviceUseStatement", "FamilyMemberHistory", "ServiceRequest")
    assert all([await found(world, doctor, kind) for kind in kinds])
    async with world.database.transaction() as tx:
        await world.record.mask(tx, world.citizen, str(filed.document))
    assert [await found(world, doctor, kind) for kind in kinds] == [0] * len(kinds)
