"""List our components (CycloneDX 1.5) from requirements.lock: `python tools/sbom.py [FILE]`. No network."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def components(lock: str) -> list[dict[str, Any]]:
    """One component for each pinned package, with the hashes of the files that may be installed."""
    found: list[dict[str, Any]] = []
    for line in lock.splitlines():
        if pinned := _PINNED.match(line):
            name, version = re.sub(r"[-_.]+", "-", pinned[1]).lower(), pinned[2]
            purl = f"pkg:pypi/{name}@{version}"
            found.append(
                {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, "hashes": []}
            )
        found_hash = _HASH.search(line)
        if found_hash and found:
            found[-1]["hashes"].append({"alg": "SHA-256", "content": found_hash[1]})
    return found


def sbom(lock: str) -> dict[str, Any]:
    """The whole list. Nothing in it depends on when or where it was made."""
    application = {"type": "application", "bom-ref": "ambroise", "name": "ambroise"}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": application},
        "components": components(lock),
    }


if __name__ == "__main__":
    written = json.dumps(sbom((ROOT / "requirements.lock").read_text(encoding="utf-8")), indent=2) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(written, encoding="utf-8")
    else:
        sys.stdout.write(written)
