"""Compile the list of common passwords from the package `zxcvbn` (PyPI, MIT licence), which counted leaked passwords.

    pip install zxcvbn==4.5.0 && python tools/compile_common_passwords.py

Only the result is committed, with the licence of its source: the server needs no such package. What a person of France
tries first is written by hand in `data/common_passwords.txt`, beside it.
"""

from __future__ import annotations

import gzip
import unicodedata
from importlib.metadata import distribution
from pathlib import Path

SOURCE = "zxcvbn"
VERSION = "4.5.0"
SHORTEST = 4
DATA = Path(__file__).resolve().parent.parent / "src" / "ambroise" / "modules" / "identity" / "data"


def compiled(counted: list[str]) -> list[str]:
    """The passwords as they are compared: lower case, without accents; in order, so that they compress well."""
    plain = (unicodedata.normalize("NFKD", one).encode("ascii", "ignore").decode().casefold() for one in counted)
    return sorted({one for one in plain if len(one) >= SHORTEST})


def main() -> None:
    """Write the list and the licence of its source."""
    found = distribution(SOURCE)
    if found.version != VERSION:
        raise SystemExit(f"{SOURCE} {VERSION} is needed, {found.version} is here")
    lists: dict[str, list[str]] = __import__(f"{SOURCE}.frequency_lists", fromlist=["x"]).FREQUENCY_LISTS
    text = "\n".join(compiled(lists["passwords"])) + "\n"
    (DATA / "common_passwords.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    licence = found.read_text("LICENSE.txt") or found.read_text("licenses/LICENSE.txt")
    if not licence:
        raise SystemExit(f"{SOURCE} gives no licence")
    head = (
        f"common_passwords.gz was compiled from the passwords counted by {SOURCE} {VERSION} (PyPI), under this licence:"
    )
    (DATA / "common_passwords.LICENCE.txt").write_text(f"{head}\n\n{licence.strip()}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
