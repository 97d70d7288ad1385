"""Text as searches compare it: without case, accents and doubled spaces."""

import unicodedata

# Letters that Unicode does not decompose and that readers take for two or for their base.
_SPELT_OUT = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "’": "'", "\x00": " "})


def fold(text: str) -> str:
    """The comparable form of `text`: `Crème  BRÛLÉE ` gives `creme brulee`."""
    if text.isascii():
        return " ".join(text.lower().replace("\x00", " ").split())
    spread = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(character for character in spread if not unicodedata.combining(character))
    return " ".join(bare.translate(_SPELT_OUT).split())
