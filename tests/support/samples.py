"""Real documents to test against, which are not part of the repository."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of sample documents; without it the test is skipped, and in continuous integration it fails."""
    named = os.environ.get("AMBROISE_SAMPLES")
    folder = Path(named) if named else Path(__file__).parents[3] / "shared" / "samples"
    if folder.is_dir():
        return folder
    message = "no sample documents: set AMBROISE_SAMPLES to their folder"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
