"""Send a CDA document to a demonstration instance, find it in the patient's record and download it again.

python examples/clients/send.py [FILE] [ADDRESS]

Needs httpx, and a bearer token in AMBROISE_TOKEN (`ambroise token --as professional:01234567897`).
"""

import os
import sys
from pathlib import Path

import httpx

INS = "urn:oid:1.2.250.1.213.1.4.10|279035121518989"


def send(client: httpx.Client, content: bytes) -> str:
    """File a CDA; the address of its metadata."""
    answer = client.post(
        "DocumentReference/$generate-metadata", content=content, headers={"Content-Type": "application/xml"}
    )
    if answer.is_error:
        raise SystemExit(reasons(answer.json()))
    return answer.headers["location"]


def reasons(outcome: dict) -> str:
    """What an OperationOutcome says, one line for each issue: our code, then what to do."""
    lines = []
    for issue in outcome["issue"]:
        codings = issue.get("details", {}).get("coding", [{}])
        lines.append(f"{codings[0].get('code', issue['code'])}: {issue.get('diagnostics', '')}")
    return "\n".join(lines)


def newest(client: httpx.Client, count: int = 5) -> list[dict]:
    """The newest documents of the patient that the caller may see."""
    found = client.get(
        "DocumentReference", params={"patient.identifier": INS, "status": "current", "_sort": "-date", "_count": count}
    )
    found.raise_for_status()
    return [entry["resource"] for entry in found.json().get("entry", []) if entry["search"]["mode"] == "match"]


def download(client: httpx.Client, document: dict) -> bytes:
    """The bytes of a document, as they were filed."""
    attachment = document["content"][0]["attachment"]
    answer = client.get(attachment["url"], headers={"Accept": attachment["contentType"]})
    answer.raise_for_status()
    return answer.content


def main(file: str = "examples/documents/letter.xml", address: str = "http://localhost:8080") -> None:
    content = Path(file).read_bytes()
    headers = {"Authorization": f"Bearer {os.environ['AMBROISE_TOKEN']}"}
    with httpx.Client(base_url=f"{address}/fhir/", headers=headers, timeout=30) as client:
        location = send(client, content)
        print("filed as", location)
        same = download(client, client.get(location).raise_for_status().json()) == content
        print("read back byte for byte" if same else "read back, and it differs")
        for document in newest(client):
            print(document["date"], document["content"][0]["attachment"]["title"])


if __name__ == "__main__":
    main(*sys.argv[1:])
