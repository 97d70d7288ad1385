"""Radiology: files a report (CDA CR-IMG) by XDS.b, with the assertion (VIHF) of the radiologist's own card.

python examples/corridors/radiology.py [ADDRESS]
"""

import sys
from pathlib import Path

import xds
from header import Header
from space import assertion, require_same

RPPS = "99700000138"
DOCUMENT = Path(__file__).parent / "documents/imaging.xml"


def main(address: str = "http://localhost:8080", *, vihf: xds.Assertion = lambda: assertion(RPPS)) -> None:
    content = DOCUMENT.read_bytes()
    header = Header.of(content)
    print("documents that I may see:", len(xds.find(address, vihf, header.ins)))
    xds.provide(address, vihf, content)
    print("filed", header.unique_id)
    mine = next(one for one in xds.find(address, vihf, header.ins) if one["unique id"] == header.unique_id)
    require_same(xds.retrieve(address, vihf, header.unique_id, mine["repository"]), content)
    print("read back byte for byte:", mine["title"])


if __name__ == "__main__":
    main(*(one.rstrip("/") for one in sys.argv[1:]))
