"""The face of letters: write one, send it, read the letter box of a demonstration."""

from __future__ import annotations

from ambroise.modules.letters.model import Attachment, Channel, Kind, Letter
from ambroise.modules.letters.service import LETTER_WRITTEN, Letters
from ambroise.modules.letters.smtp import Smtp

__all__ = ["LETTER_WRITTEN", "Attachment", "Channel", "Kind", "Letter", "Letters", "Smtp"]
