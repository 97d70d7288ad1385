"""A CDA whose XML would act in a browser is refused, and so is one that a style sheet would make act."""

import base64
from pathlib import Path

import pytest

from ambroise.kernel.errors import Refusal
from ambroise.modules.record.cda import parse
from ambroise.modules.record.cda.source import read_xml
from ambroise.modules.record.content import check_content, check_document
from ambroise.modules.record.content.markup import active_markup, may_act
from tests.support.cda_samples import cda, cda_names, needs_samples

LETTER = (Path(__file__).parents[3] / "examples" / "documents" / "letter.xml").read_bytes()
HTML, SVG = "http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"
XSL = "http://www.w3.org/1999/XSL/Transform"
START = '<ClinicalDocument xmlns="urn:hl7-org:v3"'


def narrative(inside: str, *, before: str = "", root: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?>{before}{START}{root}><component><structuredBody><component><section><text>{inside}'
        "</text></section></component></structuredBody></component></ClinicalDocument>"
    ).encode()


def instruction(address: str) -> bytes:
    return narrative("Bonjour", before=f"<?xml-stylesheet type='text/xsl' href='{address}'?>")


ACTS = {
    "a script of XHTML": (narrative(f'<x:script xmlns:x="{HTML}">alert(1)</x:script>'), "XHTML"),
    "an image that fails": (narrative(f'<img xmlns="{HTML}" src="x" onerror="alert(1)"/>'), "XHTML"),
    "a namespace in references": (narrative('<x:b xmlns:x="&#104;ttp://www.w3.org/1999/xhtml"/>'), "XHTML"),
    "a namespace of the root": (narrative("<x:i/>", root=f' xmlns:x="{HTML}"'), "XHTML"),
    "a drawing": (narrative(f'<svg xmlns="{SVG}"><set attributeName="href" to="javascript:alert(1)"/></svg>'), "SVG"),
    "foreign content of a drawing, its namespace forgotten": (narrative("<foreignObject/>"), "foreignObject"),
    "foreign content in a drawing": (narrative(f'<svg xmlns="{SVG}"><foreignObject/></svg>'), "SVG"),
    "a style sheet inside": (narrative(f'<s:template xmlns:s="{XSL}" match="/"/>'), "XSLT"),
    "a document that is its own style sheet": (narrative("", root=f' xmlns:s="{XSL}" s:version="1.0"'), "XSLT"),
    "a script that a style sheet copies": (narrative("<script>alert(1)</script>"), "script"),
    "capitals": (narrative("<IFRAME/>"), "IFRAME"),
    "a handler that a style sheet copies": (narrative('<table onmouseover="alert(1)"/>'), "onmouseover"),
    "a handler in capitals": (narrative('<table OnClick="alert(1)"/>'), "OnClick"),
    "a link to a script": (narrative('<linkHtml href="javascript:alert(1)">x</linkHtml>'), "script address"),
    "blanks in a scheme": (narrative('<linkHtml href=" java&#10;Script&#9;:alert(1)">x</linkHtml>'), "script address"),
    "a page as an address": (narrative('<linkHtml href="data:text/html,x">x</linkHtml>'), "script address"),
    "a style sheet of elsewhere": (instruction("https://example.org/x.xsl"), "xml-stylesheet"),
    "of another machine": (instruction("//example.org/x.xsl"), "xml-stylesheet"),
    "of the address itself": (instruction("data:text/xml,x.xsl"), "xml-stylesheet"),
    "of the document itself": (instruction("#x"), "xml-stylesheet"),
    "of another file of a copy": (instruction("0002-1.txt"), "xml-stylesheet"),
    "in references": (instruction("&#100;ata:text/xml,x.xsl"), "xml-stylesheet"),
    "an address in a header alone": (
        LETTER.replace(b"<title>", b'<id root="javascript:alert(1)"/><title>', 1),
        "script address",
    ),
}


@pytest.mark.parametrize("name", ACTS)
def test_what_acts_is_found_and_named(name: str) -> None:
    content, found = ACTS[name]
    assert found in active_markup(read_xml(content))
    assert may_act(content)


def test_what_does_not_act_is_taken() -> None:
    plain = (
        narrative('<linkHtml href="#note">voir</linkHtml><paragraph>javascript: le langage &#233;</paragraph>'),
        narrative('<table><tbody><tr><td styleCode="Bold">onclick</td></tr></tbody></table>'),
        narrative('<x:own xmlns:x="urn:example:own" value="http://example.org/a">1</x:own>'),
        instruction("../FeuilleDeStyle/CDA-FO.xsl"),
        instruction("cda_asip.xsl"),
        LETTER,
    )
    assert [active_markup(read_xml(content)) for content in plain] == [()] * len(plain)


@needs_samples
@pytest.mark.parametrize("name", cda_names())
def test_the_samples_do_not_act(name: str) -> None:
    assert not may_act(cda(name))


def test_what_cannot_be_read_may_act() -> None:
    assert may_act(b"<a")
    assert may_act(b'<!DOCTYPE html [<!ENTITY x "y">]><html/>')


async def test_a_document_that_acts_is_refused_and_so_is_what_it_carries() -> None:
    acting = LETTER.replace(b"<title>", b'<x:script xmlns:x="http://www.w3.org/1999/xhtml">1</x:script><title>', 1)
    with pytest.raises(Refusal) as refusal:
        await check_document(parse.read(acting), acting)
    assert (refusal.value.code, refusal.value.data["found"]) == ("ACTIVE_CONTENT", ["XHTML"])

    drawing = f'<svg xmlns="{SVG}" onload="alert(1)"/>'.encode()
    with pytest.raises(Refusal) as refusal:
        await check_content(drawing)
    assert refusal.value.data["found"] == ["SVG", "onload"]

    before, _, rest = LETTER.partition(b'representation="B64">')
    carrying = before + b'representation="B64">' + base64.b64encode(drawing) + rest[rest.index(b"</text>") :]
    with pytest.raises(Refusal) as refusal:
        await check_document(parse.read(carrying), carrying)
    assert refusal.value.code == "ACTIVE_CONTENT"
