"""Safety of contents: what a file really is, whether it carries active content or malware, and what a photo tells."""

from ambroise.modules.record.content.check import check_content, check_document
from ambroise.modules.record.content.malware import ClamAv, NoScanner, Scanner, Verdict, eicar
from ambroise.modules.record.content.pdf import active_content
from ambroise.modules.record.content.photo import clean_photo
from ambroise.modules.record.content.sniff import Sort, sniff

__all__ = [
    "ClamAv",
    "NoScanner",
    "Scanner",
    "Sort",
    "Verdict",
    "active_content",
    "check_content",
    "check_document",
    "clean_photo",
    "eicar",
    "sniff",
]
