"""Check a content before it is stored: sort, active content, malware; a CDA is checked with all that it carries."""

import asyncio

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.cda.model import ClinicalDocument
from ambroise.modules.record.cda.parse import attachments
from ambroise.modules.record.cda.source import read_xml
from ambroise.modules.record.content.malware import NoScanner, Scanner, refuse_malware
from ambroise.modules.record.content.markup import active_markup
from ambroise.modules.record.content.pdf import active_content
from ambroise.modules.record.content.sniff import Sort, sniff

_NO_SCANNER = NoScanner()
_LARGE = 1_000_000
_ACTIVE_MARKS = {b"MZ": "executable", b"\x7fELF": "executable", b"#!": "script"}


async def check_content(content: bytes, *, where: str = "content", scanner: Scanner = _NO_SCANNER) -> Sort:
    """Say what a file is, after having refused what it must not be.

    Raises Refusal ACTIVE_CONTENT (`data["found"]` names what), MALWARE, SCANNER_UNAVAILABLE, PDF_ENCRYPTED,
    PDF_TOO_COMPLEX, and those of `read_xml`: markup that we cannot read, a browser may still run. An unknown sort is
    returned, not refused: the caller knows which sorts it takes.
    """
    verdict = await scanner.scan(content)
    if verdict.malware:
        raise refuse_malware(verdict.malware, where)
    sort = sniff(content)
    # A large file takes long enough to be looked at beside the event loop.
    found = await asyncio.to_thread(_active, content, sort) if len(content) > _LARGE else _active(content, sort)
    _refuse_active(found, where)
    return sort


async def check_document(document: ClinicalDocument, content: bytes, *, scanner: Scanner = _NO_SCANNER) -> None:
    """Check a CDA: the document as it was sent, then every file inside it, decoded.

    Raises the refusals of `check_content`; `element` says which part is concerned.
    """
    verdict = await scanner.scan(content)
    if verdict.malware:
        raise refuse_malware(verdict.malware, "document")
    _refuse_active(active_markup(document.source), "document")
    for number, part in enumerate(attachments(document), start=1):
        where = part.identifier or f"attachment {number}"
        await check_content(part.content, where=where, scanner=scanner)


def _active(content: bytes, sort: Sort) -> tuple[str, ...]:
    if sort is Sort.PDF:
        return active_content(content)
    if sort is Sort.XML:
        return active_markup(read_xml(content))
    return tuple(sorted({name for mark, name in _ACTIVE_MARKS.items() if content.startswith(mark)}))


def _refuse_active(found: tuple[str, ...], where: str) -> None:
    if found:
        raise Refusal(
            Kind.UNPROCESSABLE,
            "ACTIVE_CONTENT",
            f"{where} carries active content ({', '.join(found)}): export it without scripts, actions or programs",
            element=where,
            data={"found": list(found)},
        )
