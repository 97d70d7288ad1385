"""The published sample documents, filed, found, read back."""

import hashlib
from pathlib import Path

import pytest

from ambroise.fhir.search import parse
from ambroise.kernel.errors import Refusal
from ambroise.modules.record.cda.parse import read
from tests.integration.record.conftest import PAT_TROIS, World

REFUSED = {
    "CSE-CS8_2025.01.xml",
    "CSE-MDE_2023.01.xml",
    "OBP-SNM_2024.01.xml",
    "eDISP-MED_2024.01.xml",
}


async def test_every_document_of_the_test_identity_is_filed_found_once_and_returned_byte_for_byte(
    world: World, samples: Path
) -> None:
    accepted = 0
    for path in sorted((samples / "cda").glob("*.xml")):
        content = path.read_bytes()
        if path.name in REFUSED:
            continue
        assert PAT_TROIS.encode() in content
        submitted = await world.submit(world.system, content)
        filed = submitted.documents[0]
        async with world.database.reader() as reader:
            query = parse("DocumentReference", [("identifier", f"urn:ietf:rfc:3986|{read(content).identifier.urn}")])
            found = await world.gateway.search(reader, world.citizen, query)
            assert [stored.id for stored, _ in found.entries] == [str(filed.document)], path.name
            info, back = await world.gateway.content(reader, world.citizen, "Binary", str(filed.binary))
        assert back == content
        assert info.sha256 == hashlib.sha256(content).digest()
        accepted += 1
    assert accepted == 24


async def test_the_others_are_refused_for_what_is_wrong_with_their_identity(world: World, samples: Path) -> None:
    codes: dict[str, str] = {}
    for name in sorted(REFUSED):
        with pytest.raises(Refusal) as refused:
            await world.submit(world.system, (samples / "cda" / name).read_bytes())
        codes[name] = f"{refused.value.code}:{refused.value.data.get('problem', '')}"
    assert codes == {
        "CSE-CS8_2025.01.xml": "INS_INVALID:key",
        "CSE-MDE_2023.01.xml": "INS_INVALID:production_oid",
        "OBP-SNM_2024.01.xml": "INS_INVALID:production_oid",
        "eDISP-MED_2024.01.xml": "INS_INVALID:production_oid",
    }
