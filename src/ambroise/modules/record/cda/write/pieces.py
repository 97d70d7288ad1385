"""The small pieces of a document: escaped text, codes, moments, identifiers of entries, sections, the PDF copy.

Text is built by hand, for speed: codes and templates are written once and reused, and every value that is not a code
of ours goes through `escape`.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache, lru_cache
from hashlib import blake2b

import pybase64

LOINC = "2.16.840.1.113883.6.1"
SNOMED = "2.16.840.1.113883.6.96"
CIS, ATC, EDQM = "1.2.250.1.213.2.3.1", "2.16.840.1.113883.6.73", "0.4.0.127.0.16.1.1.2.1"
CIP = "1.2.250.1.213.2.3.2"
CIM_10 = "2.16.840.1.113883.6.3"
TA_ASIP = "1.2.250.1.213.1.1.4.322"
INTERPRETATION = "2.16.840.1.113883.5.83"
ACT_CODE = "2.16.840.1.113883.5.4"
FR = "1.2.250.1.213.1.1"
PCC = "1.3.6.1.4.1.19376.1.5.3.1"
CCD = "2.16.840.1.113883.10.20.1"
PRODUCT = (f"{CCD}.53", f"{PCC}.4.7.2", f"{FR}.3.43")

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
# What XML 1.0 cannot hold at all: left out, since no escape stands for it.
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@lru_cache(maxsize=16384)
def escape(text: str) -> str:
    """Make a text safe inside an element or a quoted attribute."""
    return _IMPOSSIBLE.sub("", text).translate(_ESCAPES)


@lru_cache(maxsize=4096)
def code(tag: str, value: str, label: str, system: str, inner: str = "") -> str:
    """A coded element."""
    attributes = f'code="{escape(value)}" displayName="{escape(label)}" codeSystem="{system}"'
    return f"<{tag} {attributes}>{inner}</{tag}>" if inner else f"<{tag} {attributes}/>"


@lru_cache(maxsize=16384)
def timestamp(moment: datetime) -> str:
    """An HL7 instant to the second, with its offset."""
    return moment.strftime("%Y%m%d%H%M%S%z")


def shown_day(day: str) -> str:
    """A date (`2019`, `2019-05` or `2019-05-03`) as a reader in France writes it."""
    return escape("/".join(reversed(day.split("-"))))


@cache
def templates(*roots: str) -> str:
    """Declarations of conformity; `root#version` gives the version of a model."""
    return "".join(_template(*root.partition("#")[::2]) for root in roots)


def _template(root: str, version: str) -> str:
    return f'<templateId root="{root}" extension="{version}"/>' if version else f'<templateId root="{root}"/>'


def original_text(anchor: str) -> str:
    """The place of the narrative that a code stands for."""
    return f'<originalText><reference value="#{anchor}"/></originalText>'


class EntryIds:
    """Gives the entries of a document identifiers of their own, always the same for the same document."""

    def __init__(self, uid: str) -> None:
        arc = uid.removeprefix("2.25.")
        # An OID of arc 2.25 is a number drawn at random; another identifier gives one.
        drawn = arc != uid and arc.isascii() and arc.isdigit()
        number = int(arc) if drawn else int.from_bytes(blake2b(uid.encode(), digest_size=15).digest(), "big")
        self._base = number % (1 << 120) << 8
        self._next = 0

    def __call__(self) -> str:
        self._next += 1
        h = f"{self._base + self._next:032X}"
        return f'<id root="{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"/>'


def section(inside: str) -> str:
    """A section of a structured body, from its templates to its entries."""
    return f"<component><section>{inside}</section></component>"


def structured(sections: str) -> str:
    """A body of sections."""
    return f"<component><structuredBody>{sections}</structuredBody></component>"


def scanned(content: bytes, media_type: str = "application/pdf") -> str:
    """A body that is a file."""
    return (
        f'<component><nonXMLBody><text mediaType="{media_type}" representation="B64">'
        f"{base64(content)}</text></nonXMLBody></component>"
    )


def paragraphs(*texts: str) -> str:
    """A narrative of paragraphs."""
    return f"<text>{''.join(f'<paragraph>{escape(text)}</paragraph>' for text in texts)}</text>"


def table(header: tuple[str, ...], rows: str) -> str:
    """A narrative that is one table; `rows` are written already."""
    heads = "".join(f"<th>{escape(name)}</th>" for name in header)
    return f'<text><table border="0"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></text>'


def pdf_copy(pdf: bytes, ids: EntryIds) -> str:
    """The section that carries the page as people read it."""
    return section(
        f"{templates(f'{FR}.2.243')}{ids()}{code('code', '55108-5', 'Copie du document', LOINC)}"
        "<title>Copie du document</title>"
        '<text><content ID="copy">Copie au format PDF</content><renderMultiMedia referencedObject="pdf"/></text>'
        f'<entry><organizer classCode="CLUSTER" moodCode="EVN">{templates(f"{FR}.3.18")}{ids()}'
        f"{code('code', '55107-7', 'Document attaché', LOINC)}"
        '<statusCode code="completed"/><component><observation classCode="OBS" moodCode="EVN">'
        f"{templates(f'{PCC}.4.13', f'{FR}.3.48', f'{FR}.3.48.18')}{ids()}"
        f"{code('code', '69764-9', 'Type de document', LOINC)}"
        '<text><reference value="#copy"/></text><statusCode code="completed"/><effectiveTime nullFlavor="NA"/>'
        '<value xsi:type="CD" code="55108-5" displayName="Copie du document" codeSystem="2.16.840.1.113883.6.1"/>'
        '</observation></component><component><observationMedia classCode="OBS" moodCode="EVN" ID="pdf">'
        f'<value mediaType="application/pdf" representation="B64">{base64(pdf)}</value>'
        "</observationMedia></component></organizer></entry>"
    )


def base64(content: bytes) -> str:
    """Base64 without line breaks."""
    return pybase64.b64encode(content).decode("ascii")
