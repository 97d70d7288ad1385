"""Courses of life: documents that make sense together, the same for the same seed."""

import hashlib
from datetime import date

import pytest
from lxml import etree

from ambroise.interfaces.demonstration.care import all_documents, documents_of
from ambroise.interfaces.demonstration.cda_writer import CdaWriter, prescription_number
from ambroise.interfaces.demonstration.documents import Biology, Document, Vaccination
from ambroise.interfaces.demonstration.model import Citizen, Nation
from ambroise.interfaces.demonstration.population import build

UNTIL = date(2026, 11, 1)
CDA = {"h": "urn:hl7-org:v3"}


@pytest.fixture(scope="module")
def nation() -> Nation:
    return build("care", 300, until=UNTIL)


def star(nation: Nation, name: str) -> Citizen:
    return next(c for c in nation.citizens if c.star == name)


def hba1c(documents: list[Document]) -> list[float]:
    return [
        float(result.text)
        for document in documents
        if isinstance(document.content, Biology)
        for result in document.content.results
        if result.analysis.loinc == "4548-4"
    ]


def test_about_ten_documents_a_citizen() -> None:
    nation = build("ambroise", 1000, until=UNTIL)
    count = sum(len(documents_of(nation, citizen)) for citizen in nation.citizens)
    assert 9_000 < count < 12_000


def test_the_same_seed_gives_the_same_bytes() -> None:
    def digest(seed: str) -> str:
        writer, total = CdaWriter(), hashlib.sha256()
        for document in all_documents(build(seed, 30, until=UNTIL)):
            total.update(writer.write(document))
        return total.hexdigest()

    assert digest("one") == digest("one")
    assert digest("one") != digest("two")


def test_identifiers_are_unique_over_the_nation(nation: Nation) -> None:
    uids = [document.uid for document in all_documents(nation)]
    assert len(set(uids)) == len(uids)
    assert all(len(uid) <= 64 for uid in uids)


def test_documents_follow_time_and_stop_at_the_last_day(nation: Nation) -> None:
    for citizen in nation.citizens:
        moments = [document.moment for document in documents_of(nation, citizen)]
        assert moments == sorted(moments)
        assert all(citizen.birth_date <= moment.date() <= UNTIL for moment in moments)


def test_the_haemoglobin_of_the_diabetic_citizen_moves_towards_its_goal(nation: Nation) -> None:
    values = hba1c(documents_of(nation, star(nation, "diabetic")))
    assert len(values) >= 6
    assert values[0] > 8 > values[-1]
    assert len(set(values)) > 3


def test_the_child_has_the_vaccines_of_the_calendar_in_order(nation: Nation) -> None:
    notes = [d for d in documents_of(nation, star(nation, "child")) if isinstance(d.content, Vaccination)]
    doses: dict[str, list[int]] = {}
    for note in notes:
        assert isinstance(note.content, Vaccination)
        doses.setdefault(note.content.vaccine.name, []).append(note.content.rank)
    assert doses
    assert all(ranks == sorted(set(ranks)) for ranks in doses.values())


def test_the_known_people_show_what_can_be_hidden(nation: Nation) -> None:
    masked = [d for d in documents_of(nation, star(nation, "diabetic")) if "MASQUE_PS" in d.flags]
    withheld = [d for d in documents_of(nation, star(nation, "elderly")) if "INVISIBLE_PATIENT" in d.flags]
    assert len(masked) == 1
    assert len(withheld) == 1
    assert (UNTIL - withheld[0].moment.date()).days <= 14


def test_the_pregnancy_goes_on(nation: Nation) -> None:
    titles = {d.title for d in documents_of(nation, star(nation, "pregnant"))}
    assert "Échographie obstétricale du deuxième trimestre" in titles
    assert "Compte rendu d'accouchement" not in titles


def test_a_citizen_adds_documents_of_his_or_her_own(nation: Nation) -> None:
    own = [d for d in all_documents(nation) if d.author is None]
    assert own
    assert all(d.type.code.startswith(("DOCPAT", "EXPPAT")) for d in own)


def test_a_correction_replaces_an_earlier_report() -> None:
    nation = build("corrections", 400, until=UNTIL)
    documents = {document.uid: document for document in all_documents(nation)}
    corrections = [document for document in documents.values() if document.replaces]
    assert corrections
    for correction in corrections:
        assert correction.replaces
        assert documents[correction.replaces].citizen is correction.citizen


def test_every_document_is_well_formed_and_says_that_it_is_fictitious(nation: Nation) -> None:
    writer = CdaWriter()
    for number, document in enumerate(all_documents(nation)):
        if number % 7:
            continue
        root = etree.fromstring(writer.write(document))
        assert root.xpath("string(h:id/@root)", namespaces=CDA) == document.uid
        assert root.xpath("string(h:code/@code)", namespaces=CDA) == document.type.code
        assert b"Document fictif" in writer.pdf(document)


def test_a_text_with_markup_stays_text(nation: Nation) -> None:
    writer = CdaWriter()
    citizen = nation.citizens[0]
    document = documents_of(nation, citizen)[0]
    written = writer.write(
        Document("2.25.1", citizen, document.author, document.moment, document.type, 'a <b> & "c"', document.content)
    )
    title = etree.fromstring(written).xpath("string(h:title)", namespaces=CDA)
    assert title in ('a <b> & "c"', "Compte rendu d'examens biologiques")


def test_a_prescription_number_has_its_shape(nation: Nation) -> None:
    document = next(iter(all_documents(nation)))
    number = prescription_number(document)
    assert len(number) == 18
    assert number.startswith("01")
    assert number.isalnum()
