"""The words of a document, to be searched: the narrative of a CDA, the text of a PDF, a plain text."""

from __future__ import annotations

import io
import re
import time
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

from ambroise.kernel.errors import Refusal
from ambroise.kernel.log import logger
from ambroise.modules.record.cda.model import ClinicalDocument, Level
from ambroise.modules.record.cda.nodes import Element, many, text
from ambroise.modules.record.cda.parse import BODY, attachment
from ambroise.modules.record.cda.parse import read as read_cda
from ambroise.modules.record.content.sniff import Sort, sniff

if TYPE_CHECKING:
    from pypdf import PageObject

_log = logger(__name__)

LONGEST = 200_000
"""How many characters of a document are searched."""
_MOST_PAGES = 60
_SECONDS = 5.0
"""How much of a processor one PDF may take: a few kilobytes can be written to take for ever."""
_MOST_UNPACKED = 16_000_000
_RTF_GROUPS = re.compile(rb"\{\\\*?\\?(?:fonttbl|colortbl|stylesheet|info|pict)[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
_RTF_SIGNS = re.compile(rb"\\'([0-9a-fA-F]{2})|\\[a-zA-Z]+-?\d* ?|[{}]|\\[^a-zA-Z]")
_SECTION = "{urn:hl7-org:v3}section"


def words_of(content: bytes) -> str:
    """The words of a file, spaces collapsed; empty for a picture, or for what cannot be read. Takes processor time."""
    try:
        found = " ".join(_raw(content).split())
    except Exception:
        # One file that makes its reader stumble must not keep all those after it from being read.
        _log.exception("words_not_read")
        return ""
    return found[:LONGEST].replace("\x00", "")


def folded(words: str) -> str:
    """Words without capitals and accents, apostrophes straight: what is compared."""
    plain = unicodedata.normalize("NFKD", words.casefold().replace("\u2019", "'").replace("œ", "oe"))
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def _raw(content: bytes) -> str:
    match sniff(content):
        case Sort.XML:
            try:
                return _of_cda(read_cda(content))
            except Refusal:
                return ""
        case Sort.PDF:
            return _of_pdf(content)
        case Sort.TEXT:
            return content.decode("utf-8", "replace")
        case Sort.RTF:
            return _of_rtf(content)
        case _:
            return ""


def _of_cda(document: ClinicalDocument) -> str:
    parts = [document.title]
    if document.level is Level.UNSTRUCTURED:
        body = attachment(document, BODY)
        return " ".join((*parts, _raw(body.content) if body and sniff(body.content) is not Sort.XML else ""))
    for section in document.source.root.iter(_SECTION):
        parts += (text(section, "title") or "", *(_spaced(one) for one in many(section, "text")))
    return " ".join(parts)


def _spaced(element: Element) -> str:
    """The words of a narrative; a cell ends the word before it."""
    return " ".join(element.itertext())


def _of_pdf(content: bytes) -> str:
    # The library is loaded by the first PDF that is read.
    from pypdf import PdfReader, apply_configuration

    found: list[str] = []
    end = time.thread_time() + _SECONDS

    def check_time(*_: object) -> None:
        if time.thread_time() > end:
            raise _OutOfTime

    try:
        with apply_configuration(
            zlib_maximum_output_length=_MOST_UNPACKED,
            lzw_maximum_output_length=_MOST_UNPACKED,
            run_length_maximum_output_length=_MOST_UNPACKED,
            stream_parsing_work_maximum_count=200_000,
            xform_maximum_invocations_per_extraction=500,
        ):
            pages = PdfReader(io.BytesIO(content)).pages
            for number in range(min(len(pages), _MOST_PAGES)):
                check_time()
                found.append(_of_page(pages[number], check_time))
    except (_OutOfTime, Exception):
        # What its pages said until then is searched.
        _log.info("pdf_not_read_whole", pages=len(found))
    return " ".join(found)


def _of_page(page: PageObject, check_time: Callable[..., None]) -> str:
    try:
        return page.extract_text(visitor_operand_before=check_time)
    except Exception:
        # A page that its reader shows may still be one whose text cannot be taken out.
        return ""


class _OutOfTime(BaseException):
    """A PDF took too long. The library takes any other exception for a form that cannot be read, and goes on."""


def _of_rtf(content: bytes) -> str:
    def sign(found: re.Match[bytes]) -> bytes:
        return bytes.fromhex(found[1].decode()) if found[1] else b" "

    return _RTF_SIGNS.sub(sign, _RTF_GROUPS.sub(b" ", content)).decode("cp1252", "replace")
