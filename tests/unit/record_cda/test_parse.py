"""Reading CDA documents: the samples, then hostile and incomplete ones."""

import base64
import contextlib
import tracemalloc
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.kernel.errors import Refusal
from ambroise.modules.identity import ins
from ambroise.modules.record import tables
from ambroise.modules.record.cda import parse
from ambroise.modules.record.cda.metadata import code_problems, metadata
from ambroise.modules.record.cda.model import ClinicalDocument, Identifier, Level
from tests.support.cda_samples import OTHER_IDENTITIES, cda, cda_names, needs_samples

pytestmark = needs_samples

# Document: unique id (after the common arc when it starts by a dot), type, level, files inside, format.
ARC = "1.2.250.1.213.1.1.1"
EXPECTED = {
    "ANEST-CR-ANEST_2022.01.xml": (".40.2022.1.1", "77436-4", "N3", 1, "urn:asip:ci-sis:cr-anest:2020"),
    "AVC-EUNV_2022.01.xml": (".16.2022.1.1", "34133-9", "N3", 0, "urn:asip:ci-sis:eunv:2013"),
    "BIO-CR-BIO_2021.01_CDA-R2-Niveau-1.xml": (".55.2021.3.1", "11502-2", "N1", 1, "urn:ihe:iti:xds-sd:pdf:2008"),
    "BIO-CR-BIO_2024.01_CR-2nde-intention-PDF.xml": (".55.2024.1.1", "11502-2", "N3", 2, "urn:ihe:lab:xd-lab:2008"),
    "BIO-CR-BIO_2024.01_Electrophorese.xml": (".55.2024.5.1", "11502-2", "N3", 2, "urn:ihe:lab:xd-lab:2008"),
    "BIO-CR-BIO_2024.01_TSH_1.xml": (".55.2024.9.1", "11502-2", "N3", 1, "urn:ihe:lab:xd-lab:2008"),
    "BIO-TROD_2024.01_Angine.xml": (".59.2024.1.1", "96173-0", "N3", 0, "urn:ans:ci-sis:trod:2024"),
    "CANCER-FRCP_2022.01_Appareil.xml": (".8.2022.1.1", "34794-8", "N3", 0, "urn:asip:ci-sis:frcp:2011"),
    "CARD-F-PRC-AVK_2022.01.xml": (".2.1.1.2022.1.1", "34133-9", "N3", 0, "urn:asip:ci-sis:avk:2009"),
    "CNAM-HR_2021.01.xml": (".36.2021.1.1", "REMB", "N3", 0, "urn:asip:ci-sis:hr:2019"),
    "CSE-CS8_2025.01.xml": (".5.1.2024.2.1", "CERT_DECL", "N3", 0, "urn:asip:ci-sis:cse-cs8:2017"),
    "CSE-MDE_2023.01.xml": (".5.2023.1.1", "29274-8", "N3", 0, "urn:ans:ci-sis:cse-mde:2023"),
    "DLU-EHPAD-FLUDT_2022.01.xml": (".23.2022.1.1", "74207-2", "N3", 0, "urn:asip:ci-sis:fludt:2017"),
    "DOC_NON_STRUCTURE_CDA-R2-N1.xml": (
        "1.3.6.1.4.1.19376.1.2.20.12345.1.1",
        "11502-2",
        "N1",
        1,
        "urn:ihe:iti:xds-sd:pdf:2008",
    ),
    "IMG-DA-IMG_2024.01_Radiographie_ChevilleGenou.xml": (
        ".47.2024.2.1",
        "55115-0",
        "N3",
        1,
        "urn:ans:ci-sis:img-da:2022",
    ),
    "IMG_CR_IMG_2024.01.xml": (
        ".45.2024.1.1",
        "18748-4",
        "N3",
        1,
        "urn:ihe:rad:CDA:ImagingReportStructuredHeadings:2013",
    ),
    "IMG_CR_IMG_2024.01_CDA-R2-Niveau-1.xml": (".45.2024.2.1", "18748-4", "N1", 1, "urn:ihe:iti:xds-sd:pdf:2008"),
    "IPS-FR_2024.01.xml": (".51.2024.1.1", "60591-5", "N3", 3, "urn:ihe:pcc:ips:2020"),
    "LDL-SES_2022.01.xml": (".29.2022.1.1", "11490-0", "N3", 0, "urn:asip:ci-sis:ldl-ses:2017"),
    "OBP-SNM_2024.01.xml": (".12.2.2024.1.1", "57057-2", "N3", 1, "urn:asip:ci-sis:obp-snm:2023"),
    "OPH-BRE_2022.02.xml": (".42.2022.1.1", "78513-9", "N3", 0, "urn:ihe:eyecare:geneyeevalcn:2014"),
    "SDM-MR_2022.01.xml": (".30.2022.1.1", "34133-9", "N3", 0, "urn:asip:ci-sis:sdm-mr:2017"),
    "TLM-CR_2022.01.xml": (
        "1.3.6.1.4.1.19376.1.2.20.2022.1.1",
        "85208-7",
        "N1",
        1,
        "urn:ihe:iti:xds-sd:pdf:2008",
    ),
    "VAC-NOTE_2023.01.xml": (".46.2023.1.1", "87273-9", "N3", 0, "urn:asip:ci-sis:vac-note:2021"),
    "VAC_2023.01.xml": (".37.2023.1.1", "11369-6", "N3", 0, "urn:asip:ci-sis:vac:2019"),
    "VSM_1.4_2022.01.xml": (".13.2022.1.1", "SYNTH", "N3", 0, "urn:asip:ci-sis:vsm:2012"),
    "eDISP-MED_2024.01.xml": (".54.2024.1.1", "60593-1", "N3", 0, "urn:ihe:pharm:dis:2010"),
    "eP-MED-DM_2024.01_PosoStruct.xml": (".39.2024.2.1", "57833-6", "N3", 2, "urn:ihe:pharm:pre:2010"),
}

TEST_PATIENT = ins.Traits(
    "PAT-TROIS", "DOMINIQUE", "DOMINIQUE MARIE-LOUISE", ins.birth_date_of("19790328"), ins.Sex.FEMALE, "51215"
)


def traits(document: ClinicalDocument) -> ins.Traits:
    patient = document.patient
    return ins.Traits(
        patient.birth_name,
        patient.first_given,
        patient.given_names,
        ins.birth_date_of(patient.birth_date),
        ins.Sex(patient.sex),
        patient.birth_place,
    )


def identity(document: ClinicalDocument) -> ins.Ins:
    found = document.patient.ins
    assert found is not None
    return ins.Ins(found.extension or "", found.root)


def test_every_sample_is_expected():
    assert cda_names() == sorted(EXPECTED)


@pytest.mark.parametrize("name", cda_names())
def test_a_sample_is_read_as_what_it_is(name: str):
    unique, type_, level, files, format_ = EXPECTED[name]
    document = parse.read(cda(name))
    assert document.identifier.xds == (ARC + unique if unique.startswith(".") else unique)
    assert document.identifier.urn == "urn:oid:" + document.identifier.xds
    assert (document.code.code, document.level.value, document.format) == (type_, level, format_)
    assert len(parse.attachments(document)) == files
    assert (parse.embedded(document) is not None) == (document.level is Level.UNSTRUCTURED)
    assert document.language == "fr-FR"
    assert all(author.actor.identifiers for author in document.authors)


@pytest.mark.parametrize("name", cda_names())
def test_the_metadata_of_a_sample_are_complete_and_allowed(name: str):
    found = metadata(parse.read(cda(name)))
    assert found.service_start.start.tzinfo is not None
    assert found.class_ is not None
    assert found.class_.code == tables.class_of_type(found.type.code)
    assert not code_problems(
        type_=found.type,
        class_=found.class_,
        format_=found.format,
        facility=found.facility,
        practice_setting=found.practice_setting,
        confidentiality=found.confidentiality,
    )


@pytest.mark.parametrize("name", [name for name in cda_names() if name not in OTHER_IDENTITIES])
def test_the_documents_of_the_test_identity_carry_that_identity(name: str):
    document = parse.read(cda(name))
    ins.check_ins(identity(document), demonstration=True)
    assert identity(document) == ins.Ins("279035121518989", ins.TEST_OID)
    ins.check_traits(TEST_PATIENT, traits(document))


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("CSE-CS8_2025.01.xml", "key"),
        ("CSE-MDE_2023.01.xml", "production_oid"),
        ("OBP-SNM_2024.01.xml", "production_oid"),
        ("eDISP-MED_2024.01.xml", "production_oid"),
    ],
)
def test_the_other_identities_are_refused_for_what_is_wrong_with_them(name: str, problem: str):
    document = parse.read(cda(name))
    with pytest.raises(Refusal) as refusal:
        ins.check_ins(identity(document), demonstration=True)
    assert refusal.value.data["problem"] == problem


@pytest.mark.parametrize(
    ("name", "wrong", "mended"),
    [
        ("CSE-CS8_2025.01.xml", b'extension="221042545611404"', b'extension="221042545611483"'),
        ("CSE-MDE_2023.01.xml", b'extension="222127505611201"', b'extension="222127505611247"'),
        ("OBP-SNM_2024.01.xml", b"", b""),
        ("eDISP-MED_2024.01.xml", b"", b""),
    ],
)
def test_a_mended_identity_is_accepted(name: str, wrong: bytes, mended: bytes):
    content = cda(name).replace(wrong, mended).replace(ins.NIR_OID.encode() + b'"', ins.TEST_OID.encode() + b'"')
    ins.check_ins(identity(parse.read(content)), demonstration=True)


def test_two_documents_share_a_matricule_and_not_the_traits():
    one, other = (parse.read(cda(name)) for name in ("OBP-SNM_2024.01.xml", "eDISP-MED_2024.01.xml"))
    assert identity(one).matricule == identity(other).matricule
    with pytest.raises(Refusal) as refusal:
        ins.check_traits(traits(one), traits(other))
    assert refusal.value.data["traits"] == {"first_given": "differs", "given_names": "differs"}


def test_references_to_orders_accessions_and_studies_are_found():
    found = metadata(parse.read(cda("IMG_CR_IMG_2024.01.xml")))
    assert [item.type.name for item in found.references] == [
        *("ORDER", "ACCESSION", "ORDER", "ACCESSION"),
        *("STUDY", "STUDY", "STUDY"),
    ]
    assert [item.xds for item in found.replaces] == ["90E1C8EC-F951-4B26-A305-A34848818DD6"]
    assert found.replaces[0].urn == "urn:uuid:90e1c8ec-f951-4b26-a305-a34848818dd6"


@pytest.mark.parametrize("written", ["1.2.3", "1.2.3^DOC-1", "90E1C8EC-F951-4B26-A305-A34848818DD6"])
def test_an_identifier_is_the_same_in_all_its_forms(written: str):
    found = Identifier.parse(written)
    assert Identifier.parse(found.urn) == Identifier.parse(found.xds) == found


# --- hostile and incomplete documents -------------------------------------------------------------------------------

N1 = cda("TLM-CR_2022.01.xml") if cda_names() else b""


def refusal_of(content: bytes) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        parse.read(content)
    return refusal.value


def test_a_document_type_is_refused_before_anything_is_read():
    bomb = b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
    assert refusal_of(N1.replace(b"<ClinicalDocument", bomb + b"<ClinicalDocument", 1)).code == "XML_DTD_FORBIDDEN"
    wide = "<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE a><a/>".encode("utf-16")
    assert refusal_of(wide).code == "XML_DTD_FORBIDDEN"


def test_malformed_text_is_refused_with_its_line():
    refusal = refusal_of(b"<?xml version='1.0'?>\n<a>\n<b></a>")
    assert refusal.code == "XML_MALFORMED"
    assert refusal.data["line"] == 3
    assert refusal_of(b"").code == "XML_MALFORMED"
    assert refusal_of("<a>é</a>".encode("latin-1")).code == "XML_MALFORMED"
    assert refusal_of(b"<?xml version='1.0' encoding='utf-7'?><a/>").code == "XML_MALFORMED"
    assert refusal_of(b"<a>&unknown;</a>").code == "XML_MALFORMED"
    undeclared = refusal_of(b"<a>\n<b:c/></a>")
    assert undeclared.code == "XML_MALFORMED"
    assert undeclared.data["line"] == 2


def test_words_about_a_document_type_are_not_one():
    named = N1.replace(b"<title>", b"<!-- <!DOCTYPE a> --><title><![CDATA[<!DOCTYPE a>]]> ", 1)
    assert parse.read(named).title.startswith("<!DOCTYPE a>")


def test_depth_and_number_of_elements_are_bounded():
    assert refusal_of(b"<a>" * 1000 + b"</a>" * 1000).code == "XML_TOO_COMPLEX"
    assert refusal_of(b"<a>" + b"<b/>" * 400_001 + b"</a>").code == "XML_TOO_COMPLEX"


def test_the_number_of_attributes_is_bounded():
    attributes = b"".join(b' a%x=""' % number for number in range(400_001))
    assert refusal_of(b"<a" + attributes + b"/>").code == "XML_TOO_COMPLEX"


def test_another_kind_of_xml_is_refused():
    assert refusal_of(b"<ClinicalDocument/>").code == "CDA_EXPECTED"


def test_everything_missing_is_named_at_once():
    refusal = refusal_of(b'<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.3"/></ClinicalDocument>')
    assert refusal.code == "CDA_HEADER_INVALID"
    paths = {issue.expression for issue in refusal.issues}
    assert "ClinicalDocument/code" in paths
    assert "ClinicalDocument/author" in paths
    assert "ClinicalDocument/recordTarget/patientRole/patient/birthTime/@value" in paths
    assert "ClinicalDocument/id/@root" not in paths


def test_a_document_in_another_encoding_reads_the_same():
    text = N1.decode()
    for codec, name in (("utf-16", "UTF-16"), ("iso8859-15", "ISO-8859-15")):
        again = text.replace('encoding="UTF-8"', f'encoding="{name}"', 1).encode(codec, "xmlcharrefreplace")
        document = parse.read(again)
        assert document == parse.read(N1)
        assert parse.embedded(document) == parse.embedded(parse.read(N1))


def test_a_stylesheet_instruction_is_ignored():
    document = parse.read(N1)
    styled = N1.replace(b"<ClinicalDocument", b'<?xml-stylesheet href="http://example.org/x.xsl"?><ClinicalDocument', 1)
    read = parse.read(styled)
    assert read == document
    assert "xml-stylesheet" not in ElementTree.tostring(read.source.root, encoding="unicode")


def test_a_large_file_inside_costs_less_than_four_documents():
    large = base64.encodebytes(b"%PDF-1.4\n" + b"\x00\x01\x02" * 5_000_000)
    start, end = N1.index(b">", N1.index(b"<text ")) + 1, N1.index(b"</text>")
    content = N1[:start] + large + N1[end:]
    assert len(content) > 20_000_000
    tracemalloc.start()
    document = parse.read(content)
    inside = parse.embedded(document)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert inside is not None
    assert len(inside.content) == 15_000_009
    # The document itself is the fourth part.
    assert peak < 3 * len(content)


def test_a_file_that_is_not_base64_is_refused_when_it_is_opened():
    start, end = N1.index(b">", N1.index(b"<text ")) + 1, N1.index(b"</text>")
    for wrong in (b"@@@", b"@@7", b"a&#64;" * 3000, b"abc!" * 3000):
        with pytest.raises(Refusal):
            parse.embedded(parse.read(N1[:start] + wrong + N1[end:]))


@given(st.binary(max_size=300))
def test_random_bytes_only_ever_meet_a_refusal(content: bytes):
    refusal_of(content)


@given(st.integers(0, 8000), st.integers(0, 400), st.binary(max_size=40))
def test_a_damaged_document_is_read_or_refused_and_nothing_else(start: int, length: int, patch: bytes):
    content = VAC_NOTE[:start] + patch + VAC_NOTE[start + length :]
    with contextlib.suppress(Refusal):
        metadata(parse.read(content))


VAC_NOTE = cda("VAC-NOTE_2023.01.xml") if cda_names() else b""
