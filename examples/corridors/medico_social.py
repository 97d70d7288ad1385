"""Medico-social: sends the sheet of a resident who goes to hospital (CDA DLU-FLUDT) in an XDM zip
(ITI-32), and takes it back as one.

python examples/corridors/medico_social.py [ADDRESS]
"""

import io
import sys
import zipfile
from pathlib import Path

from header import Header
from metadata import submit_objects
from sign_on import sign_on
from space import Space, checked, require_same

RPPS = "99700000328"
FOLDER, FILE = "IHE_XDM/SUBSET01", "DOC0001.XML"
DOCUMENT = Path(__file__).parent / "documents/liaison.xml"


def main(address: str = "http://localhost:8080") -> None:
    content = DOCUMENT.read_bytes()
    header = Header.of(content)
    with Space(sign_on(address, RPPS)) as space:
        print("patient", space.patient(header.ins)["id"])
        answer = checked(
            space.http.post(
                "DocumentReference/$import-xdm",
                content=packed(header, content),
                headers={"content-type": "application/zip"},
            )
        )
        said = next(one for one in answer.json()["parameter"][0]["part"] if one["name"] == "document")
        reference = next(one for one in said["part"] if one["name"] == "reference")["valueReference"]["reference"]
        print("filed as", reference)
        given = checked(
            space.http.get("DocumentReference/$export-xdm", params={"_id": reference.partition("/")[2]})
        ).content
        with zipfile.ZipFile(io.BytesIO(given)) as files:
            require_same(files.read(f"{FOLDER}/{FILE}"), content)
        print("taken back byte for byte")
        print("facts that it gives to FHIR:", len(space.facts(header.unique_id)))


def packed(header: Header, content: bytes) -> bytes:
    """The zip: an index for people, the metadata for software, the document."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("INDEX.HTM", f'<html><body><a href="{FOLDER}/{FILE}">{header.title}</a></body></html>')
        files.writestr("README.TXT", "Documents de sante, IHE XDM.")
        files.writestr(f"{FOLDER}/METADATA.XML", submit_objects(header, content, uri=FILE))
        files.writestr(f"{FOLDER}/{FILE}", content)
    return out.getvalue()


if __name__ == "__main__":
    main(*(one.rstrip("/") for one in sys.argv[1:]))
