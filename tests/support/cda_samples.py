"""Where the public sample documents are, and those that the tests use."""

import os
import re
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("AMBROISE_SAMPLES") or Path(__file__).resolve().parents[2].parent / "shared/samples")

# Another kind of identity than the test identity ending in 989.
OTHER_IDENTITIES = frozenset(
    {"CSE-CS8_2025.01.xml", "CSE-MDE_2023.01.xml", "OBP-SNM_2024.01.xml", "eDISP-MED_2024.01.xml"}
)


def cda_names() -> list[str]:
    """The names of the sample CDA documents, sorted; empty where the samples are not installed."""
    return sorted(path.name for path in (FOLDER / "cda").glob("*.xml"))


def cda(name: str) -> bytes:
    """The bytes of one sample CDA document."""
    return (FOLDER / "cda" / name).read_bytes()


def mended(name: str) -> bytes:
    """One sample document about the public test identity: some are published about another."""
    content = cda(name)
    if name not in OTHER_IDENTITIES:
        return content
    theirs, ours = _RECORD_TARGET.search(content), _RECORD_TARGET.search(cda("VAC-NOTE_2023.01.xml"))
    assert theirs
    assert ours
    return content.replace(theirs[0], ours[0])


_RECORD_TARGET = re.compile(rb"<recordTarget.*?</recordTarget>", re.DOTALL)

needs_samples = pytest.mark.skipif(
    not cda_names() and os.environ.get("CI") != "true",
    reason="no sample documents: set AMBROISE_SAMPLES to their folder",
)
