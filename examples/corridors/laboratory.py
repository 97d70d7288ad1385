"""Laboratory: drops a report of results (CDA CR-BIO, structured) into a folder that Ambroise watches.

ambroise watch arrivees --as professional:99700000112          once, in another terminal
python examples/corridors/laboratory.py arrivees [ADDRESS]
"""

import os
import sys
import time
from pathlib import Path

from header import Header
from sign_on import sign_on
from space import Space, require_same

RPPS = "99700000112"
DOCUMENT = Path(__file__).parent / "documents/laboratory.xml"


def main(folder: str, address: str = "http://localhost:8080", *, patience: float = 60) -> None:
    content = DOCUMENT.read_bytes()
    header = Header.of(content)
    with Space(sign_on(address, RPPS)) as space:
        print("patient", space.patient(header.ins)["id"])
        name = drop(Path(folder), content)
        print(outcome(Path(folder), name, patience))
        require_same(space.read_back(header.unique_id), content)
        print("read back byte for byte")
        print("results that it gives to FHIR:", len(space.facts(header.unique_id)))


def drop(folder: Path, content: bytes) -> str:
    """Write under another name, then rename: the watcher never sees half a file."""
    name = f"cr-bio-{time.time_ns()}.xml"
    part = folder / f".{name}.part"
    part.write_bytes(content)
    os.replace(part, folder / name)
    return name


def outcome(folder: Path, name: str, patience: float) -> str:
    """The report that Ambroise writes beside the file, once it is done."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        for place in ("done", "refused"):
            report = folder / place / f"{name}.txt"
            if report.exists() and (folder / place / name).exists():
                if place == "refused":
                    raise SystemExit(report.read_text())
                return report.read_text()
        time.sleep(0.2)
    raise SystemExit("Nobody took the file: is `ambroise watch` running?")


if __name__ == "__main__":
    main(*sys.argv[1:])
