"""What a file is, from its own bytes; a name or a declared type is never believed."""

import re
from enum import Enum


class Sort(Enum):
    """The sorts of files that the record knows; the value is the media type."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"
    TIFF = "image/tiff"
    RTF = "text/rtf"
    XML = "text/xml"
    TEXT = "text/plain"
    DICOM = "application/dicom"
    UNKNOWN = "application/octet-stream"


_PDF_WINDOW = 1024
_TEXT_WINDOW = 4096
_XML = re.compile(r"\ufeff?\s*<(?:\?xml|!--|!DOCTYPE|[A-Za-z_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


def sniff(content: bytes | memoryview) -> Sort:
    """The sort of a file. Anything that is not recognised for certain is UNKNOWN."""
    head = bytes(content[:_TEXT_WINDOW])
    # Readers accept a PDF whose header comes a little late, so this one does too.
    if b"%PDF-" in head[:_PDF_WINDOW]:
        return Sort.PDF
    if head.startswith(b"\xff\xd8\xff"):
        return Sort.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Sort.PNG
    if head.startswith((b"II*\x00", b"MM\x00*")):
        return Sort.TIFF
    if head.startswith(b"{\\rtf"):
        return Sort.RTF
    if head[128:132] == b"DICM":
        return Sort.DICOM
    return _text(head, whole=len(head) == len(content))


def _text(head: bytes, *, whole: bool) -> Sort:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        words = head[: len(head) // 2 * 2].decode("utf-16", errors="replace")
    else:
        # A window may end within a character.
        for cut in range(1 if whole else 4):
            try:
                words = head[: len(head) - cut].decode("utf-8")
                break
            except UnicodeDecodeError:
                continue
        else:
            words = head.decode("cp1252", errors="replace")
            if "\ufffd" in words:
                return Sort.UNKNOWN
    if not words or _CONTROLS.search(words):
        return Sort.UNKNOWN
    return Sort.XML if _XML.match(words) else Sort.TEXT
