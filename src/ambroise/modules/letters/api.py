"""The face of letters: write one, send it, read what comes back, read the letter box of a demonstration."""

from __future__ import annotations

from ambroise.modules.letters.model import Attachment, Channel, GivingBack, Kind, Letter, Mail, Outcome
from ambroise.modules.letters.returns.path import ReturnPath
from ambroise.modules.letters.returns.reading import LARGEST, Reading, Said, read
from ambroise.modules.letters.service import LETTER_RETURNED, LETTER_WRITTEN, Letters
from ambroise.modules.letters.smtp import NeverTaken, Smtp

__all__ = [
    "LARGEST",
    "LETTER_RETURNED",
    "LETTER_WRITTEN",
    "Attachment",
    "Channel",
    "GivingBack",
    "Kind",
    "Letter",
    "Letters",
    "Mail",
    "NeverTaken",
    "Outcome",
    "Reading",
    "ReturnPath",
    "Said",
    "Smtp",
    "read",
]
