"""Names as people read them: registries write them in capitals."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+")


def proper(name: str) -> str:
    """« Dr Camille Témoin » for « DR Camille TÉMOIN »; a word that is not all in capitals stays as it is."""
    return _WORD.sub(
        lambda found: found[0].capitalize() if len(found[0]) > 1 and found[0].isupper() else found[0], name
    )
