"""Hospital: files the letter of a patient who leaves (CDA LDL-SES) by XDS.b, with an assertion (VIHF) that is signed
by the seal of the hospital: its information system sends for its doctors.

python examples/corridors/hospital.py [ADDRESS]
"""

import sys
from pathlib import Path

import xds
from header import Header
from space import assertion, require_same

RPPS = "99700000294"
DOCUMENT = Path(__file__).parent / "documents/discharge.xml"


def main(address: str = "http://localhost:8080", *, vihf: xds.Assertion = lambda: assertion(RPPS, seal=True)) -> None:
    content = DOCUMENT.read_bytes()
    header = Header.of(content)
    print("documents that we may see:", len(xds.find(address, vihf, header.ins)))
    xds.provide(address, vihf, content)
    print("filed", header.unique_id)
    mine = next(one for one in xds.find(address, vihf, header.ins) if one["unique id"] == header.unique_id)
    require_same(xds.retrieve(address, vihf, header.unique_id, mine["repository"]), content)
    print("read back byte for byte:", mine["title"])


if __name__ == "__main__":
    main(*(one.rstrip("/") for one in sys.argv[1:]))
