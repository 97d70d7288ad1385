"""Active content in XML: what a browser, or a style sheet that turns a CDA into a page, would run or fetch.

A CDA has no place for any of it: its narrative has its own vocabulary (StrucDoc), and files are joined as base64. So
the elements of languages that browsers run are refused whole, not sorted into good and bad.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ambroise.kernel.errors import Refusal
from ambroise.modules.record.cda.nodes import HL7, Element
from ambroise.modules.record.cda.source import Source, read_xml

_RUN: Final = {
    "http://www.w3.org/1999/xhtml": "XHTML",
    "http://www.w3.org/2000/svg": "SVG",
    "http://www.w3.org/1998/Math/MathML": "MathML",
    "http://www.w3.org/1999/XSL/Transform": "XSLT",
    "http://www.w3.org/TR/WD-xsl": "XSLT",
    "http://www.w3.org/2001/xml-events": "XML Events",
    "http://www.mozilla.org/xbl": "XBL",
    "http://www.mozilla.org/keymaster/gatekeeper/there.is.only.xul": "XUL",
    "http://www.w3.org/2002/xforms": "XForms",
    "http://www.wapforum.org/2001/wml": "WML",
}
"""The languages that browsers run, by namespace."""
_ACTING: Final = frozenset(
    {"script", "iframe", "frame", "object", "embed", "applet", "foreignobject", "handler", "listener", "meta", "base"}
)
"""Elements that act in a page, in no namespace that says so: a style sheet copies them."""
_PLAIN: Final = frozenset(
    {
        b"urn:hl7-org:v3",
        b"urn:hl7-org:sdtc",
        b"urn:ihe:pharm:medication",
        b"urn:oid:1.3.6.1.4.1.19376.1.3.2",
        b"http://www.w3.org/2001/XMLSchema-instance",
    }
)
"""The namespaces of a CDA: what declares no other has no element of a language that browsers run."""
_DECLARED: Final = re.compile(rb"""xmlns(?::[\w.-]+)?\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_TEXT: Final = f"{{{HL7}}}text"
_NOT_IN_SCHEMES: Final = re.compile(r"[\x00-\x20]+")
_SCHEMES: Final = ("javascript:", "vbscript:", "livescript:", "data:text/", "data:image/svg", "data:application/x")
_INSTRUCTION: Final = b"<?xml-stylesheet"
_ADDRESS: Final = re.compile(rb"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_BESIDE: Final = re.compile(rb"[\w.-][\w. /-]{0,200}\.(?:xslt?|css)", re.IGNORECASE)
"""A style sheet in a folder of the reader's own, as the examples of the CI-SIS name it: nobody sends it along."""


def active_markup(source: Source) -> tuple[str, ...]:
    """The sorts of active content in a parsed text (XHTML, script, onclick, xml-stylesheet…), empty when none."""
    text = source.without_payloads
    found = set(_instructions(text))
    if not _is_plain(source.root, text):
        found.update(_elements(source.root))
    return tuple(sorted(found))


def may_act(content: bytes) -> bool:
    """Whether XML opened from a disk by a browser could run or fetch something; true of what cannot be read."""
    try:
        return bool(active_markup(read_xml(content)))
    except Refusal:
        return True


def _is_plain(root: Element, text: bytes) -> bool:
    """Whether nothing here could act: no narrative, no namespace but those of a CDA, no address of a script.

    So are the many documents that are a header around one file: they pay next to nothing.
    """
    # A character reference could hide the letters looked for below; without this sign there is none.
    if any(map(len, root.iter(_TEXT))) or b"#" in text:
        return False
    place = text.find(b"xmlns")
    while place >= 0:
        declared = _DECLARED.match(text, place)
        if declared is None or (declared[1] or declared[2]) not in _PLAIN:
            return False
        place = text.find(b"xmlns", declared.end())
    # Few colons stand in a header: looking before each costs less than the small letters of the whole text.
    place = text.find(b":")
    while place >= 0:
        if text[max(0, place - 6) : place].lower().endswith((b"script", b"data")):
            return False
        place = text.find(b":", place + 1)
    return True


def _instructions(text: bytes) -> Iterator[str]:
    """The parser drops them, a browser follows them: a style sheet from elsewhere makes any page of the document."""
    place = text.find(_INSTRUCTION)
    while place >= 0:
        end = text.find(b"?>", place)
        if end < 0:
            return
        for found in _ADDRESS.finditer(text, place, end):
            if not _BESIDE.fullmatch(found[1] if found[1] is not None else found[2]):
                yield "xml-stylesheet"
        place = text.find(_INSTRUCTION, end)


def _elements(root: Element) -> Iterator[str]:
    tags: set[str] = set()
    names: set[str] = set()
    for element in root.iter():
        tags.add(element.tag)
        for name, value in element.items():
            names.add(name)
            # Browsers pass over blanks in an address; one that is written as such has become a space.
            if ":" in value and _NOT_IN_SCHEMES.sub("", value).lower().startswith(_SCHEMES):
                yield "script address"
    for tag in tags:
        namespace, name = _split(tag)
        if namespace in _RUN:
            yield _RUN[namespace]
        elif name.lower() in _ACTING:
            yield name
    for attribute in names:
        namespace, name = _split(attribute)
        if namespace in _RUN:
            yield _RUN[namespace]
        elif name[:2].lower() == "on":
            yield name


def _split(name: str) -> tuple[str, str]:
    namespace, _, local = name.rpartition("}")
    return namespace[1:], local
