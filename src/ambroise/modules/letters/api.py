"""The face of letters: write one, send it, read the letter box of a demonstration."""

from __future__ import annotations

from ambroise.modules.letters.model import Attachment, Channel, Kind, Letter, Mail, Outcome
from ambroise.modules.letters.service import LETTER_WRITTEN, Letters
from ambroise.modules.letters.smtp import NeverTaken, Smtp

__all__ = [
    "LETTER_WRITTEN",
    "Attachment",
    "Channel",
    "Kind",
    "Letter",
    "Letters",
    "Mail",
    "NeverTaken",
    "Outcome",
    "Smtp",
]
