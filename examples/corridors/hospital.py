"""Hospital: its information system sends the letter of a patient who leaves (CDA LDL-SES) by HL7 v2 over MLLP and TLS,
with the certificate of the hospital, then reads it back by XDS.b, with an assertion (VIHF) that the hospital seals.

ambroise pki issue SIH --structure "Centre hospitalier" --structure-id 1990000192 --out keys
python examples/corridors/hospital.py keys [ADDRESS] [HL7 PORT]
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import xds
from header import Header
from space import assertion, require_same

sys.path.append(str(Path(__file__).parents[1] / "hl7v2"))
from send import connect, exchange, message_of

RPPS = "99700000294"
DOCUMENT = Path(__file__).parent / "documents/discharge.xml"


def main(keys: str, address: str = "http://localhost:8080", port: str = "2575") -> None:
    content = DOCUMENT.read_bytes()
    header = Header.of(content)
    print("documents that we may see:", len(xds.find(address, vihf, header.ins)))
    with connect(urlsplit(address).hostname or "localhost", int(port), Path(keys)) as connection:
        answer = exchange(connection, message_of(content).encode()).decode()
    if "MSA|AA|" not in answer:
        raise SystemExit(answer.replace("\r", "\n"))
    print("filed", header.unique_id)
    mine = next(one for one in xds.find(address, vihf, header.ins) if one["unique id"] == header.unique_id)
    require_same(xds.retrieve(address, vihf, header.unique_id, mine["repository"]), content)
    print("read back byte for byte:", mine["title"])


def vihf() -> str:
    """An assertion for one request."""
    return assertion(RPPS, seal=True)


if __name__ == "__main__":
    main(sys.argv[1], *(one.rstrip("/") for one in sys.argv[2:]))
