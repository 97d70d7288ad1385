"""The list of components says what is pinned, whole."""

from __future__ import annotations

import importlib.util

from tests.architecture.source import ROOT


def test_every_pinned_package_is_listed_with_its_hashes() -> None:
    spec = importlib.util.spec_from_file_location("sbom", ROOT / "tools/sbom.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    listed = tool.sbom(lock)["components"]
    pinned = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(listed) == len(pinned)
    assert sum(len(one["hashes"]) for one in listed) == lock.count("--hash=sha256:")
    assert all(one["hashes"] for one in listed)
