"""City doctor: signs on by phone (CIBA), files a prescription of medicines (CDA eP-MED-DM) by FHIR (MHD, ITI-65).

python examples/corridors/city_doctor.py [ADDRESS]

`sign_on.py` says how the software proves who it is: a secret, a key, a certificate. The doctor approves on the phone
(`ambroise ecps approve --as professional:01234567897`); without a client the token is that of the command line.
"""

import sys
from pathlib import Path

from header import Header
from sign_on import sign_on
from space import INS_SYSTEM, Space, base64_of, checked, require_same, sha1, urn

RPPS = "01234567897"
DOCUMENT = Path(__file__).parent / "documents/prescription.xml"
MHD = "https://profiles.ihe.net/ITI/MHD"


def main(address: str = "http://localhost:8080") -> None:
    content = DOCUMENT.read_bytes()
    header = Header.of(content)
    with Space(sign_on(address, RPPS)) as space:
        patient = space.patient(header.ins)
        print("patient", patient["id"], "documents that I may see:", len(space.documents(header.ins)))
        checked(space.http.post("", json=bundle(header, content)))
        print("filed", header.unique_id)
        require_same(space.read_back(header.unique_id), content)
        print("read back byte for byte")
        print("medicines prescribed that it gives to FHIR:", len(space.facts(header.unique_id)))


def bundle(header: Header, content: bytes) -> dict:
    """The submission: its List, the metadata of the document, its bytes."""
    urls = [urn(), urn(), urn()]
    subject = {"identifier": {"system": INS_SYSTEM, "value": header.ins}}
    submission = {
        "resourceType": "List",
        "extension": [
            {
                "url": f"{MHD}/StructureDefinition/ihe-sourceId",
                "valueIdentifier": {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.250.1.999.1"},
            }
        ],
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": urn()}],
        "status": "current",
        "mode": "working",
        "code": {"coding": [{"system": f"{MHD}/CodeSystem/MHDlistTypes", "code": "submissionset"}]},
        "subject": subject,
        "date": header.made.isoformat(),
        "entry": [{"item": {"reference": urls[1]}}],
    }
    binary = {"resourceType": "Binary", "contentType": "application/xml", "data": base64_of(content)}
    resources = (submission, reference(header, content, urls[2], subject), binary)
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": url, "resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
            for url, one in zip(urls, resources, strict=True)
        ],
    }


def reference(header: Header, content: bytes, url: str, subject: dict) -> dict:
    """The DocumentReference; it says what the header of the document says."""
    author = {
        "resourceType": "Practitioner",
        "id": "author",
        "identifier": [{"system": "urn:oid:1.2.250.1.71.4.2.1", "value": header.author}],
        "name": [{"family": header.family, "given": [header.given]}],
    }
    return {
        "resourceType": "DocumentReference",
        "contained": [author],
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:oid:{header.unique_id}"},
        "status": "current",
        "type": _coded("http://loinc.org", header.type),
        "category": [_coded("urn:oid:1.2.250.1.213.1.1.4.1", header.class_)],
        "subject": subject,
        "date": header.made.isoformat(),
        "author": [{"reference": "#author"}],
        "securityLabel": [_coded("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "N")],
        "content": [
            {
                "attachment": {
                    "contentType": "application/xml",
                    "language": "fr-FR",
                    "url": url,
                    "size": len(content),
                    "hash": base64_of(sha1(content)),
                    "title": header.title,
                },
                "format": {
                    "system": "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
                    "code": header.format,
                },
            }
        ],
        "context": {
            "period": {"start": header.started.isoformat()},
            "facilityType": _coded("urn:oid:1.2.250.1.71.4.2.4", header.facility),
            "practiceSetting": _coded("urn:oid:1.2.250.1.213.1.1.4.9", header.setting),
        },
    }


def _coded(system: str, code: str) -> dict:
    return {"coding": [{"system": system, "code": code}]}


if __name__ == "__main__":
    main(*(one.rstrip("/") for one in sys.argv[1:]))
