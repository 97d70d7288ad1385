"""Pharmacy: looks for prescriptions that it may see, files a dispensation (CDA eDISP-MED) as it is (FHIR, ITI-106).

python examples/corridors/pharmacy.py [ADDRESS]
"""

import sys
from pathlib import Path

from header import Header
from sign_on import sign_on
from space import Space, checked, require_same

RPPS = "99700000096"
PRESCRIPTION = "57833-6"
DOCUMENT = Path(__file__).parent / "documents/dispensation.xml"


def main(address: str = "http://localhost:8080") -> None:
    content = DOCUMENT.read_bytes()
    header = Header.of(content)
    with Space(sign_on(address, RPPS)) as space:
        print("patient", space.patient(header.ins)["id"])
        seen = [one for one in space.documents(header.ins) if one["type"]["coding"][0]["code"] == PRESCRIPTION]
        print("prescriptions that I may see:", len(seen))
        answer = checked(
            space.http.post(
                "DocumentReference/$generate-metadata", content=content, headers={"content-type": "application/xml"}
            )
        )
        print("filed as", answer.headers["location"])
        require_same(space.read_back(header.unique_id), content)
        print("read back byte for byte")
        print("medicines handed over that it gives to FHIR:", len(space.facts(header.unique_id)))


if __name__ == "__main__":
    main(*(one.rstrip("/") for one in sys.argv[1:]))
