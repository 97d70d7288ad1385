"""Whole documents from a header and a body: a file inside (level 1), or titled sections of words (level 2)."""

from __future__ import annotations

from msgspec import Struct

from ambroise.modules.record.cda.write.header import Header, coded
from ambroise.modules.record.cda.write.model import Coded, Head
from ambroise.modules.record.cda.write.pieces import (
    EntryIds,
    escape,
    paragraphs,
    scanned,
    section,
    structured,
    templates,
)

SCANNED = templates("1.3.6.1.4.1.19376.1.2.20")
"""The model that a document with a file inside declares."""


MEDICAL = templates("1.3.6.1.4.1.19376.1.5.3.1.1.1")
"""The general model of IHE PCC (Medical Documents), for sections that follow no model of their own."""


class Words(Struct, frozen=True):
    """A section of plain words: its LOINC code, its title, its paragraphs."""

    code: Coded
    title: str
    texts: tuple[str, ...]


def file_document(header: Header, head: Head, content: bytes, media_type: str = "application/pdf") -> bytes:
    """A document that carries one file, such as the PDF of a letter."""
    return assembled(header, head, SCANNED, scanned(content, media_type))


def letter(header: Header, head: Head, sections: tuple[Words, ...]) -> bytes:
    """A letter or a report written as titled sections."""
    ids = EntryIds(head.uid)
    body = "".join(
        section(f"{ids()}{coded('code', one.code)}<title>{escape(one.title)}</title>{paragraphs(*one.texts)}")
        for one in sections
    )
    return assembled(header, head, MEDICAL, structured(body))


def assembled(header: Header, head: Head, models: str, body: str, *, closing: str = "") -> bytes:
    """The bytes of a document from its models (see `templates`) and its body.

    `closing` is what stands between the authenticator and the body when the default of `Header.close` does not fit.
    """
    return f"{header.open(head, models)}{closing or header.close(head)}{body}</ClinicalDocument>\n".encode()
