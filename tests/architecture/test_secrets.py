"""Nothing secret, and nothing of the machine it was written on, is in the repository."""

from __future__ import annotations

import re

import pytest

from tests.architecture.source import ROOT, tracked_files

SECRETS = re.compile(
    rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{40,}-----END"
    rb"|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{30,}"
    rb"|AKIA[0-9A-Z]{16}"
)
NEVER_TRACKED = re.compile(r"(^|/)(\.env|.*\.pem|.*\.key|master\.key|.*\.password|node_modules/.*|\.venv/.*|var/.*)$")


def test_no_private_key_nor_token_is_tracked() -> None:
    found = [
        str(path.relative_to(ROOT)) for path in tracked_files() if path.is_file() and SECRETS.search(path.read_bytes())
    ]
    assert found == []


def test_no_file_meant_for_secrets_is_tracked() -> None:
    found = [name for path in tracked_files() if NEVER_TRACKED.search(name := str(path.relative_to(ROOT)))]
    assert found == []


@pytest.mark.parametrize("name", ["requirements.lock", "package-lock.json", ".pre-commit-config.yaml"])
def test_pinned_files_name_no_index(name: str) -> None:
    file = ROOT / name
    if not file.exists():
        pytest.skip(f"there is no {name}")
    text = file.read_text(encoding="utf-8")
    assert "--index-url" not in text
    assert "--find-links" not in text
