"""ORU and MDM over MLLP/TLS: the public samples, mended as little as needed, by a client that others wrote."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ambroise.interfaces.cli import build
from ambroise.interfaces.hl7v2 import listener
from ambroise.interfaces.token_claims import Role
from ambroise.main.builder import InstanceBuilder
from tests.integration.xds import asking
from tests.integration.xds.conftest import RPPS, example_client, letter, software
from tests.support.hl7v2 import Ack, Laboratory, mended
from tests.support.server import House
from tests.support.xds import PROVIDE, SUCCESS, Entry, parts_of, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")
Sample = Callable[[str], Path]
ORU = "ORU_Transmission_initiale_ORU_message_ORU_CR_Bio_INIT_N1_N3_2.hl7"
ORU_AGAIN = "ORU_Remplacement_ORU_message_ORU_CR_Bio_RPLC_N1_N3_2.er7"
ORU_GONE = "ORU_Suppression_ORU_message_ORU_CR_Bio_DEL_N1_N3_2.er7"
MDM = "MDM_Transmission_initiale_MDM_message_MDM_CR_Radio_INIT_N1.er7"
MDM_AGAIN = "MDM_Remplacement_MDM_message_MDM_CR_Radio_RPLC_N1.er7"
MDM_GONE = "MDM_Suppression_MDM_message_MDM_CR_Radio_DEL_N1.er7"
OLD_INS = "274075176079430^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8"
TEST_INS = "279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10"
PAT_TROIS = {
    OLD_INS: TEST_INS,
    "PatientA^DOMINIQUE": "PAT-TROIS^DOMINIQUE",
    "PatA^DOMINIQUE": "PAT-TROIS^DOMINIQUE",
    "20050101|M": "19790328|F",
}


async def by_citizen(house: House, entry: Entry) -> dict[str, Any] | None:
    """What the citizen finds of a document by FHIR."""
    async with house.client(Role.CITIZEN, ins="279035121518989") as citizen:
        query = {"identifier": f"urn:ietf:rfc:3986|urn:oid:{entry.unique_id}"}
        found = (await citizen.get("DocumentReference", params=query)).json().get("entry", [])
    return found[0]["resource"] if found else None


async def by_author(house: House, entry: Entry) -> dict[str, Any] | None:
    async with house.client(Role.PROFESSIONAL, rpps=RPPS) as author:
        query = {
            "identifier": f"urn:ietf:rfc:3986|urn:oid:{entry.unique_id}",
            "patient.identifier": "urn:oid:1.2.250.1.213.1.4.10|279035121518989",
        }
        found = (await author.get("DocumentReference", params=query)).json().get("entry", [])
    return found[0]["resource"] if found else None


def replacing(entry: Entry, old: Entry) -> bytes:
    """The document with a header that says which one it replaces."""
    link = f'<relatedDocument typeCode="RPLC"><parentDocument><id root="{old.unique_id}"/></parentDocument>'
    return entry.content.replace(b"<componentOf>", link.encode() + b"</relatedDocument><componentOf>", 1)


async def test_a_document_sent_by_hl7_is_found_by_fhir_and_xds_byte_for_byte_and_the_other_way(
    house: House, laboratory: Laboratory, sample: Sample
) -> None:
    entry = letter()
    message = mended(sample(ORU), entry.content)
    first, again = await laboratory.send(message, message)
    assert (first.code, first.answered) == ("AA", "015"), first.notes
    assert first.notes[0] == ("I", "0", "FILED")
    assert again.code == "AA"
    assert again.codes[0] == "ALREADY_FILED"
    assert again.documents == first.documents
    resource = await by_citizen(house, entry)
    assert resource is not None
    assert resource["id"] == first.documents[0]
    assert len(first.documents) == 1, "the same bytes in two OBX are one document"
    async with house.client(Role.CITIZEN, ins="279035121518989") as citizen:
        sets = (await citizen.get("List", params={"item": f"DocumentReference/{resource['id']}"})).json()["entry"]
    assert len(sets) == 1
    async with house.client(Role.CITIZEN, ins="279035121518989") as citizen:
        assert (await citizen.get(resource["content"][0]["attachment"]["url"])).content == entry.content
    doctor = await software(house, RPPS)
    await asking.authorise(house, doctor, await asking.patient_key(house))
    assert entry.unique_id in await asking.find(doctor)
    assert list((await asking.retrieve(doctor, entry.unique_id)).parts.values()) == [entry.content]
    other = letter()
    sent = await doctor.call("/xds/repository", PROVIDE, submission(other), parts_of(other))
    assert sent.status == SUCCESS
    known = await laboratory.one(mended(sample(ORU), other.content))
    assert known.codes[0] == "ALREADY_FILED"
    async with house.services.database.reader() as reader:
        rows = await reader.fetch_all(
            "select channel, event, software, actor_id from trace where resource = %s and event = 'create'",
            (resource["id"],),
        )
    assert [tuple(row) for row in rows] == [("hl7", "create", "SIL", f"8{RPPS}")]


async def test_the_answer_says_what_is_not_done_here(laboratory: Laboratory, sample: Sample) -> None:
    answer = await laboratory.one(mended(sample(ORU), letter().content))
    assert ("W", "0", "MSSANTE_NOT_SENT") in answer.notes
    only_mail = mended(sample(ORU), letter().content, **{"Destinataire DMP^MetaDMPMSS||Y": "Destinataire DMP^^||N"})
    assert (await laboratory.one(only_mail)).notes == [("E", "102", "NOT_FOR_THE_RECORD")]


async def test_a_replacement_and_a_deletion_do_what_they_say(
    house: House, laboratory: Laboratory, sample: Sample
) -> None:
    first, second = letter(), letter()
    assert (await laboratory.one(mended(sample(ORU), first.content))).code == "AA"
    content = replacing(second, first)
    assert (await laboratory.one(mended(sample(ORU_AGAIN), letter().content))).codes == ["REPLACED_MISSING"]
    assert (await laboratory.one(mended(sample(ORU_AGAIN), content))).code == "AA"
    old, new = await by_citizen(house, first), await by_citizen(house, second)
    assert old is not None
    assert new is not None
    assert old["status"] == "superseded"
    assert new["relatesTo"][0]["target"]["reference"] == f"DocumentReference/{old['id']}"
    gone = mended(sample(ORU_GONE), content)
    withdrawn, again = await laboratory.send(gone, gone)
    assert (withdrawn.code, withdrawn.codes[0]) == ("AA", "WITHDRAWN"), withdrawn.notes
    assert again.codes[0] == "WITHDRAWN_ALREADY"
    assert again.documents == withdrawn.documents
    assert await by_citizen(house, second) is None
    assert (await laboratory.one(mended(sample(ORU), content))).codes == ["DUPLICATE_UNIQUE_ID"]


async def test_an_mdm_withholds_then_replaces_by_its_txa_then_deletes(
    house: House, laboratory: Laboratory, sample: Sample
) -> None:
    # Who wrote it looks it up in the patient's record, which the patient opened to them.
    await asking.authorise(house, await software(house, RPPS), await asking.patient_key(house))
    first, second = letter(), letter()
    sent = await laboratory.one(mended(sample(MDM), first.content))
    assert sent.code == "AA", sent.notes
    assert await by_citizen(house, first) is None
    filed = await by_author(house, first)
    assert filed is not None
    flags = {one["coding"][0]["code"] for one in filed["securityLabel"]}
    assert flags == {"N", "INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX"}
    async with house.services.database.reader() as reader:
        rows = await reader.fetch_all(
            "select secret from trace where resource = %s and event = 'create'", (filed["id"],)
        )
    assert [row[0] for row in rows] == [True], "the message asks for a secret connection"
    parent = {"1.2.250.1.71.4.2.2.120456789A71024000081^Organisation-Y": first.unique_id}
    replaced = await laboratory.one(mended(sample(MDM_AGAIN), second.content, **PAT_TROIS, **parent))
    assert replaced.code == "AA", replaced.notes
    assert (await by_author(house, first) or {})["status"] == "superseded"
    assert await by_citizen(house, second) is not None
    gone = await laboratory.one(mended(sample(MDM_GONE), second.content, **PAT_TROIS))
    assert gone.codes[0] == "WITHDRAWN"
    assert await by_citizen(house, second) is None


async def test_a_flag_masks_and_its_change_on_the_same_document_is_followed(
    house: House, laboratory: Laboratory, sample: Sample
) -> None:
    entry = letter()
    masked = {"Santé^MetaDMPMSS||N": "Santé^MetaDMPMSS||Y"}
    changed = {"Confidentiality Code^MetaDMPMSS||N": "Confidentiality Code^MetaDMPMSS||Y"}

    async def flags() -> set[str]:
        found = await by_citizen(house, entry)
        assert found is not None
        return {one["coding"][0]["code"] for one in found["securityLabel"]}

    await laboratory.one(mended(sample(ORU), entry.content, **masked))
    assert await flags() == {"N", "MASQUE_PS"}
    await laboratory.one(mended(sample(ORU), entry.content))
    assert await flags() == {"N", "MASQUE_PS"}
    shown = await laboratory.one(mended(sample(ORU), entry.content, **changed))
    assert shown.code == "AA", shown.notes
    assert await flags() == {"N"}
    bad = {"Santé^MetaDMPMSS||N": "Santé^MetaDMPMSS||PEUT-ETRE"}
    refused = await laboratory.one(mended(sample(ORU), letter().content, **bad))
    assert refused.notes == [("E", "103", "HL7_FLAG")]
    assert refused.places == ["OBX^3^5"]


REFUSALS: dict[str, tuple[dict[str, str], str, tuple[str, str, str]]] = {
    "a wrong key of the INS": ({"279035121518989^": "279035121518900^"}, "AE", ("E", "204", "INS_INVALID")),
    "a real INS on a demonstration": ({"213.1.4.10": "213.1.4.8"}, "AE", ("E", "204", "INS_INVALID")),
    "an identity that is not qualified": ({"N|VALI": "N|PROV"}, "AE", ("E", "204", "INS_NOT_QUALIFIED")),
    "no status of identity": ({"N|VALI": "N|"}, "AE", ("E", "204", "INS_NOT_QUALIFIED")),
    "no INS": ({"ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS": "LOCAL^PI"}, "AE", ("E", "204", "INS_INVALID")),
    "somebody unknown": ({"279035121518989^": "255069999999934^"}, "AE", ("E", "204", "DMP_NOT_FOUND")),
    "other traits": ({"|19790328|F": "|19790329|F"}, "AE", ("E", "204", "TRAITS_MISMATCH")),
    "an unknown sender": ({"801234567866": "801999999999"}, "AE", ("E", "204", "PROFESSIONAL_UNKNOWN")),
    "another structure": ({"1120459876": "1999999999"}, "AE", ("E", "207", "HL7_STRUCTURE_MISMATCH")),
    "another type": ({"ORU^R01^ORU_R01": "SIU^S12^SIU_S12"}, "AR", ("E", "200", "HL7_MESSAGE_TYPE")),
    "another event": ({"ORU^R01^ORU_R01": "ORU^R30^ORU_R30"}, "AR", ("E", "201", "HL7_EVENT")),
    "another version": ({"|P|2.5|": "|P|2.3.1|"}, "AR", ("E", "203", "HL7_VERSION")),
    "another mode": ({"|P|2.5|": "|X|2.5|"}, "AR", ("E", "202", "HL7_PROCESSING")),
    "another character set": ({"UNICODE UTF-8": "UNICODE UTF-16"}, "AR", ("E", "103", "HL7_CHARSET")),
    "a preliminary result": ({"||||||F|\rPRT": "||||||P|\rPRT"}, "AE", ("E", "103", "HL7_STATUS")),
    "another encoding": ({"^XML^Base64^": "^XML^Hex^"}, "AE", ("E", "102", "HL7_ENCODING")),
    "no control id": ({"|015|": "||"}, "AR", ("E", "101", "HL7_FIELD_MISSING")),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_says_what_is_wrong_and_keeps_nothing(
    house: House, laboratory: Laboratory, sample: Sample, name: str
) -> None:
    changes, code, note = REFUSALS[name]
    entry = letter()
    answer = await laboratory.one(mended(sample(ORU), entry.content, **changes))
    assert (answer.code, answer.notes) == (code, [note])
    assert all(answer.texts)
    assert await by_citizen(house, entry) is None


async def test_the_samples_as_they_stand_are_refused_by_the_rule_that_they_break(
    laboratory: Laboratory, samples: Path
) -> None:
    files = [one for one in (samples / "hl7v2").iterdir() if "_message" in one.name]
    assert len(files) == 17
    as_they_are, with_a_document = Counter[str](), Counter[str]()
    for file in files:
        answer = await laboratory.one(file.read_bytes())
        assert answer.code == "AE", (file.name, answer.notes)
        as_they_are[answer.codes[0]] += 1
        answer = await laboratory.one(mended(file, letter().content))
        with_a_document[answer.codes[0]] += 1
    # Their document is the sentence "Document medical…", in two of them cut short; five are mails to software.
    assert as_they_are == {"CDA_EXPECTED": 10, "NOT_FOR_THE_RECORD": 5, "HL7_ENCODING": 2}
    # Those under the OID of real people have no place here, wrong keys or not; the others say what they lack.
    assert with_a_document == {
        "NOT_FOR_THE_RECORD": 5,
        "INS_INVALID": 4,
        "REPLACED_MISSING": 3,
        "HL7_ENCODING": 2,
        "FILED": 2,
        "NOT_FOUND": 1,
    }


async def test_content_that_is_not_a_cda_or_is_hostile_is_refused(
    house: House, laboratory: Laboratory, sample: Sample
) -> None:
    async def codes(content: bytes) -> list[str]:
        return (await laboratory.one(mended(sample(ORU), content))).codes

    assert await codes(b"%PDF-1.4 nothing") == ["CDA_EXPECTED"]
    entry = letter()
    bomb = b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + entry.content.partition(b"?>")[2]
    assert (await codes(bomb))[0].startswith(("XML_", "CDA_")), await codes(bomb)
    large = await laboratory.one(mended(sample(MDM), b"<a>" + b"x" * 2_000_001 + b"</a>"))
    assert large.codes == ["TOO_LARGE"]


async def test_enhanced_mode_answers_what_the_header_asks_for(laboratory: Laboratory, sample: Sample) -> None:
    message = mended(sample(ORU), letter().content)

    async def answers(accept: str, application: str, text: str = message, count: int = 1) -> list[Ack]:
        return await laboratory.send(text.replace("|P|2.5|||||", f"|P|2.5|||{accept}|{application}|"), answers=count)

    assert [one.code for one in await answers("AL", "NE")] == ["CA"]
    assert [one.code for one in await answers("NE", "AL")] == ["AA"]
    assert [one.code for one in await answers("AL", "AL", count=2)] == ["CA", "AA"]
    assert [one.code for one in await answers("ER", "ER", message.replace("N|VALI", "N|PROV"), 2)] == ["CE", "AE"]


async def test_the_sender_is_of_the_structure_of_the_certificate(
    house: House, ports: dict[str, int], sample: Sample
) -> None:
    text = mended(sample(ORU), letter().content)
    elsewhere = Laboratory(house, ports["hl7_port"], "1750803454")
    assert (await elsewhere.one(text)).codes == ["HL7_STRUCTURE_MISMATCH"]
    said_nothing = text.replace("ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^FINEG^^^1750803447", "")
    assert (await elsewhere.one(said_nothing)).codes == ["PROFESSIONAL_UNKNOWN"]
    plain = Laboratory(house, ports["hl7_plain_port"], plain=True)
    assert (await plain.one(mended(sample(ORU), letter().content))).code == "AA"
    with pytest.raises((OSError, EOFError)):
        await Laboratory(house, ports["hl7_port"], anonymous=True).one(text)


async def test_a_revoked_certificate_is_refused_at_the_next_message(
    house: House, ports: dict[str, int], sample: Sample
) -> None:
    laboratory = Laboratory(house, ports["hl7_port"], "1750803462")
    text = mended(sample(ORU), letter().content)
    assert (await laboratory.one(text)).codes == ["HL7_STRUCTURE_MISMATCH"]
    laboratory.revoke()
    answer = await laboratory.one(text)
    assert (answer.code, answer.notes) == ("AR", [("E", "207", "CERTIFICATE_REFUSED")])


async def test_the_character_set_of_the_header_is_followed_both_ways(laboratory: Laboratory, sample: Sample) -> None:
    text = mended(sample(ORU), letter().content, **{"UNICODE UTF-8": "8859/1", "Destinataire DMP^": "Destiné au DMP^"})
    answer = await laboratory.one(text, encoding="latin-1")
    assert answer.code == "AA", answer.notes
    wrong = await laboratory.one(text.replace("8859/1", "UNICODE UTF-8").encode("latin-1"))
    assert wrong.notes == [("E", "103", "HL7_CHARSET")]


async def test_the_example_client_and_the_command_send_a_document(
    house: House, laboratory: Laboratory, ports: dict[str, int], tmp_path: Path
) -> None:
    example = example_client("send", "hl7v2")
    entry = letter()
    text = example.message_of(entry.content)
    assert (await laboratory.one(text)).codes == ["FILED"]
    file, keys = tmp_path / "message.hl7", laboratory.keys(tmp_path)
    file.write_text(text.replace("\r", "\n"))
    ran = await asyncio.to_thread(
        CliRunner().invoke,
        build(InstanceBuilder()),
        ["hl7v2", "send", str(file), "--port", str(ports["hl7_port"]), "--keys", str(keys)],
    )
    assert ran.exit_code == 0, ran.output
    assert "ALREADY_FILED" in ran.output
    connection = await asyncio.to_thread(example.connect, "localhost", ports["hl7_port"], keys)
    with connection:
        answer = await asyncio.to_thread(example.exchange, connection, text.encode())
    assert b"ALREADY_FILED" in answer


async def test_frames_may_be_split_too_large_or_broken_and_each_is_answered(
    ports: dict[str, int], sample: Sample
) -> None:
    async def answer() -> bytes:
        return (await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 20))[1:-2]

    text = mended(sample(ORU), letter().content).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", ports["hl7_plain_port"])
    for start in range(0, len(text), 3000):
        writer.write((b"\x0b" if start == 0 else b"") + text[start : start + 3000])
        await writer.drain()
        await asyncio.sleep(0)
    writer.write(b"\x1c")
    await writer.drain()
    writer.write(b"\r\r\n\x0b" + text + b"\x1c\r")
    assert b"\rMSA|AA|015\r" in await answer()
    assert b"|ALREADY_FILED^" in await answer()
    writer.write(b"\x0b" + text[:200] + b"x" * 4_000_000 + b"\x1c\r\x0b" + text + b"\x1c\r")
    large = await answer()
    assert b"\rMSA|AR|015\r" in large
    assert b"|HL7_TOO_LARGE^" in large
    assert b"|ALREADY_FILED^" in await answer()
    writer.write(b"MSH|this is no frame")
    broken = await answer()
    assert b"\rMSA|AR|" in broken
    assert b"|HL7_FRAMING^" in broken
    assert await reader.read() == b""
    writer.close()


async def test_many_large_messages_at_once_are_all_answered(laboratory: Laboratory, sample: Sample) -> None:
    entry = letter()
    large = mended(sample(ORU), entry.content) + "NTE|1||" + "x" * 1_500_000 + "\r"
    answers = await asyncio.gather(*(laboratory.one(large) for _ in range(10)))
    assert sorted(one.codes[0] for one in answers) == ["ALREADY_FILED"] * 9 + ["FILED"]


async def test_a_message_that_never_ends_loses_its_connection(
    ports: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "_WHOLE_SECONDS", 0.5)
    reader, writer = await asyncio.open_connection("127.0.0.1", ports["hl7_plain_port"])
    writer.write(b"\x0bMSH|")
    began = time.monotonic()
    while not reader.at_eof() and time.monotonic() - began < 10:
        # A byte now and then, so that it never stalls.
        writer.write(b"x")
        with suppress(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
    assert reader.at_eof()
    writer.close()
