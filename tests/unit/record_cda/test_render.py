"""Showing CDA documents: everything that the narrative says, nothing that could act."""

import re

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.modules.record.cda import parse
from ambroise.modules.record.cda.nodes import HL7
from ambroise.modules.record.cda.render import FactKey, Rendered, Words, header_facts, render
from tests.support.cda_samples import cda, cda_names, needs_samples

pytestmark = needs_samples

WORDS = Words(image="Image", file="Fichier", nothing="Rien")
VACCINE = cda("VAC-NOTE_2023.01.xml") if cda_names() else b""


def shown(content: bytes, *, level: int = 2) -> Rendered:
    return render(parse.read(content), words=WORDS, file_url=lambda name: f"/d/1/files/{name}", level=level)


def narrative(inside: str) -> Rendered:
    """The vaccination note with another narrative in its section."""
    start, end = VACCINE.index(b"<text>") + 6, VACCINE.index(b"</text>")
    return shown(VACCINE[:start] + inside.encode() + VACCINE[end:])


def words_of(element) -> list[str]:
    return re.findall(r"\w+", " ".join(element.itertext()))


@pytest.mark.parametrize("name", cda_names())
def test_a_sample_is_shown_whole_and_harmless(name: str):
    document = parse.read(cda(name))
    rendered = shown(cda(name))
    page = lxml.html.fromstring(f"<main>{rendered.html}</main>")
    allowed = {"id", "class", "href", "src", "alt", "scope", "colspan", "rowspan", "tabindex", "role", "data-label"}
    for element in page.iter():
        assert set(element.attrib) <= {*allowed, "aria-labelledby"}
        for address in (element.get("href"), element.get("src")):
            assert address is None or address.startswith(("#cda-", "/d/1/files/"))
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert {section.anchor for section in rendered.sections} <= set(ids)
    for link in page.xpath("//a[starts-with(@href, '#')]"):
        assert link.get("href")[1:] in ids
    said = words_of(page)
    titles = [heading.text_content() for heading in page.xpath("//h2|//h3|//h4|//h5|//h6")]
    for section in document.source.root.iter(f"{{{HL7}}}section"):
        title = section.find(f"{{{HL7}}}title")
        assert title is None or not words_of(title) or " ".join("".join(title.itertext()).split()) in titles
    assert all(heading.getparent().text_content() != heading.text_content() for heading in page.xpath("//section/*[1]"))
    for section in document.source.root.iter(f"{{{HL7}}}section"):
        for text in section.findall(f"{{{HL7}}}text"):
            remaining = iter(said)
            assert all(word in remaining for word in words_of(text)), "the narrative is shown in full and in order"


@pytest.mark.parametrize("name", cda_names())
def test_headings_never_skip_a_level(name: str):
    page = lxml.html.fromstring(f"<main>{shown(cda(name), level=3).html}</main>")
    levels = [int(element.tag[1]) for element in page.iter() if element.tag in {"h1", "h2", "h3", "h4", "h5", "h6"}]
    assert all(after - before <= 1 for before, after in zip([2, *levels], levels, strict=False))
    assert not levels or min(levels) == 3


def test_an_unstructured_document_offers_its_file():
    rendered = shown(cda("TLM-CR_2022.01.xml"))
    assert [(file.identifier, file.content_type) for file in rendered.files] == [("body", "application/pdf")]
    assert 'href="/d/1/files/body"' in rendered.html
    inside = parse.attachment(parse.read(cda("TLM-CR_2022.01.xml")), "body")
    assert inside is not None
    assert inside.content.startswith(b"%PDF-")


def test_an_image_of_a_section_is_shown_and_a_joined_file_is_offered():
    rendered = shown(cda("BIO-CR-BIO_2024.01_Electrophorese.xml"))
    assert '<img src="/d/1/files/ELECTROPHORESE"' in rendered.html
    (copy,) = rendered.files
    assert (copy.identifier, copy.title, copy.content_type) == ("doc-1", "Copie du document", "application/pdf")
    assert copy.size > 1000


def test_the_type_of_a_file_comes_from_its_bytes():
    document = parse.read(cda("eP-MED-DM_2024.01_PosoStruct.xml"))
    assert parse.file_names(document)["Code2dPDF"] == "image/jpeg"
    rendered = shown(cda("eP-MED-DM_2024.01_PosoStruct.xml"))
    assert 'src="/d/1/files/Code2dPDF"' in rendered.html


def test_a_plain_text_body_is_shown():
    sample = cda("TLM-CR_2022.01.xml")
    start, end = sample.index(b"<text "), sample.index(b"</text>")
    for body in (
        b'<text mediaType="text/plain">Bonjour &lt;b&gt;',
        b'<text mediaType="text/plain" representation="B64">w6k8Yj4=',
    ):
        html = shown(sample[:start] + body + sample[end:]).html
        assert "&lt;b&gt;" in html
        assert html.startswith("<pre")


HOSTILE = [
    "<paragraph>&lt;script&gt;alert(1)&lt;/script&gt;</paragraph>",
    '<content ID="a&quot; onclick=&quot;alert(1)">x</content>',
    '<linkHtml href="javascript:alert(1)">x</linkHtml>',
    '<linkHtml href="https://example.org/">x</linkHtml>',
    '<renderMultiMedia referencedObject="../../secret javascript:alert(1)"/>',
    '<table><tbody><tr><td colspan="9999999999999">x</td><td rowspan="٣">x</td></tr></tbody></table>',
    '<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>',
    '<iframe src="https://example.org">x</iframe><style>x</style>',
    '<content styleCode="Bold; background: url(https://example.org)">x</content>',
]


@pytest.mark.parametrize("inside", HOSTILE)
def test_nothing_hostile_reaches_the_page(inside: str):
    html = narrative(inside).html
    for element in lxml.html.fromstring(html).iter():
        assert element.tag not in {"script", "iframe", "style"}
        assert not {"onclick", "style"} & set(element.attrib)
        assert (element.get("href") or "#").startswith("#")
        assert element.get("src") is None
    assert re.search(r"[x(1]", html)


def test_a_table_tells_its_headings():
    rendered = narrative(
        "<table><caption>Résultats</caption><thead><tr><th/><th>Valeur</th></tr></thead>"
        "<tbody><tr><th>TSH</th><td>1.95</td></tr></tbody></table>"
    )
    table = lxml.html.fromstring(rendered.html).xpath("//table")[0]
    assert table.xpath("string(caption)") == "Résultats"
    assert [(cell.tag, cell.get("scope")) for cell in table.xpath(".//th|.//td")] == [
        ("td", None),
        ("th", "col"),
        ("th", "row"),
        ("td", None),
    ]
    box = table.getparent()
    assert (box.get("tabindex"), box.get("role")) == ("0", "group")
    assert box.get("aria-labelledby") == rendered.sections[0].anchor


def test_lists_links_notes_and_changes_keep_their_meaning():
    html = narrative(
        '<list listType="ordered"><caption>Deux</caption><item ID="one">un</item><item>deux</item></list>'
        '<linkHtml href="#one">voir</linkHtml><footnote ID="n">note</footnote><footnoteRef IDREF="n"/>'
        '<content revised="delete">faux</content><content styleCode="Underline">vrai</content>H<sub>2</sub>O<br/>!'
    ).html
    assert "<ol><li" in html
    assert '<a href="#cda-one">voir</a>' in html
    assert '<small class="cda-note" id="cda-n">note</small><a href="#cda-n">n</a>' in html
    assert "<del>faux</del>" in html
    assert "H<sub>2</sub>O<br>!" in html


def test_the_header_is_given_as_facts():
    facts = header_facts(parse.read(VACCINE))
    values = {fact.key: fact.value for fact in facts}
    assert values[FactKey.PATIENT] == "DOMINIQUE PAT-TROIS"
    assert values[FactKey.INS] == "279035121518989"
    assert "Médecin" in str(values[FactKey.AUTHOR])


@given(st.text(max_size=80))
def test_any_text_is_shown_as_text(text: str):
    clean = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
    escaped = clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    page = lxml.html.fromstring(narrative(f"<paragraph>{escaped}</paragraph>").html)
    said = page.xpath("string(.//p[not(@class)])").replace("\r", "\n")
    assert said.split() == clean.replace("\r\n", "\n").replace("\r", "\n").split()


def test_a_section_that_its_model_asks_for_but_says_nothing_has_no_heading_and_a_named_one_says_so():
    titles = [section.title for section in shown(cda("OPH-BRE_2022.02.xml")).sections]
    assert "Motif de la consultation" in titles
    assert "Plainte du patient" not in titles, "no title, no words"
    start, end = VACCINE.index(b"<text>"), VACCINE.index(b"</text>") + 7
    page = lxml.html.fromstring(shown(VACCINE[:start] + b"<text/>" + VACCINE[end:]).html)
    assert page.text_content() == "Note de vaccinationRien"


def test_line_breaks_that_only_push_tables_apart_are_left_out():
    table = "<table><tbody><tr><td>a<br/>b<br/></td></tr></tbody></table>"
    html = narrative(f"un<br/>deux<br/>{table}<br/> <br/>{table}trois<br/>quatre<br/>").html
    assert html.count("<br>") == 4
    assert "un<br>deux<" in html
    assert "a<br>b<" in html
    assert "trois<br>quatre<" in html


def test_a_file_is_called_by_the_kind_it_is_said_to_be():
    titles = {file.title for file in shown(cda("IPS-FR_2024.01.xml")).files}
    assert {"Attestation de la carte vitale", "Attestation de mutuelle", "Directives anticipées"} <= titles
