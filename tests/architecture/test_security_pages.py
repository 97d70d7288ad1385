"""The pages of security name files and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

PAGES = sorted((ROOT / "docs/security").glob("*.md"))
NAMED = re.compile(r"`((?:src|tests|docs|deploy|tools)/[^`\s]+|[\w.-]+\.(?:lock|md))`")


def problem(name: str) -> str | None:
    """What is wrong with a file, or a test of it, that a page names."""
    file, _, test = name.partition("::")
    path = ROOT / file
    if not path.exists():
        return f"{file} does not exist"
    if test and not re.search(
        rf"^\s*(?:async )?def {re.escape(test)}\(", path.read_text(encoding="utf-8"), re.MULTILINE
    ):
        return f"{file} has no {test}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_of_security_names_what_exists(page: Path) -> None:
    names = NAMED.findall(page.read_text(encoding="utf-8"))
    assert names
    assert [found for name in names if (found := problem(name))] == []


def test_a_name_that_does_not_exist_is_found() -> None:
    assert problem("tests/architecture/test_security_pages.py::test_nothing_of_the_sort")
    assert problem("src/ambroise/nothing.py")
    assert problem("tests/architecture/test_security_pages.py::test_a_name_that_does_not_exist_is_found") is None
