"""What the clients of the six corridors share: finding the patient, reading back over FHIR; `sign_on.py` signs on."""

import base64
import hashlib
import subprocess
import uuid

import httpx
from sign_on import SignedOn

INS_SYSTEM = "urn:oid:1.2.250.1.213.1.4.10"
TEST_INS = "279035121518989"


def assertion(rpps: str, *, seal: bool = False) -> str:
    """A VIHF of one professional, signed by his card or by the seal of his structure; it opens one request."""
    command = ["ambroise", "vihf", "--as", f"professional:{rpps}", *(["--seal"] if seal else [])]
    return subprocess.check_output(command, text=True).strip()


class Space:
    """A patient's space as one professional reaches it over FHIR."""

    def __init__(self, signed_on: SignedOn) -> None:
        self.http = signed_on.client()

    def __enter__(self) -> "Space":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def patient(self, ins: str) -> dict:
        """The identity of the one person who has this INS, whom any professional may look up."""
        found = self._get("Patient", {"identifier": f"{INS_SYSTEM}|{ins}"}).get("entry", [])
        if not found:
            raise SystemExit(f"Nobody has a space under the INS {ins}: check it, keep the document in your own system.")
        return found[0]["resource"]

    def documents(self, ins: str) -> list[dict]:
        """The documents of this person that the caller may see: his own, and the others once the person agrees."""
        query = {"patient.identifier": f"{INS_SYSTEM}|{ins}", "status": "current", "_sort": "-date", "_count": "50"}
        entries = self._get("DocumentReference", query).get("entry", [])
        return [one["resource"] for one in entries if one["search"]["mode"] == "match"]

    def read_back(self, unique_id: str) -> bytes:
        """The bytes of a document that the caller filed, by its unique id (an OID)."""
        query = {"identifier": f"urn:ietf:rfc:3986|urn:oid:{unique_id}"}
        reference = self._get("DocumentReference", query)["entry"][0]["resource"]
        attachment = reference["content"][0]["attachment"]
        answer = self.http.get(attachment["url"], headers={"accept": attachment["contentType"]})
        return checked(answer).content

    def facts(self, unique_id: str) -> list[dict]:
        """What was read out of a structured document (results, medicines…): resources that follow it everywhere."""
        query = {"identifier": f"urn:ietf:rfc:3986|urn:oid:{unique_id}"}
        reference = self._get("DocumentReference", query)["entry"][0]["resource"]
        said = {"entity": f"DocumentReference/{reference['id']}", "_include": "Provenance:target"}
        entries = self._get("Provenance", said).get("entry", [])
        return [one["resource"] for one in entries if one["search"]["mode"] == "include"]

    def _get(self, path: str, query: dict) -> dict:
        return checked(self.http.get(path, params=query)).json()


def checked(answer: httpx.Response) -> httpx.Response:
    """The answer, or what its OperationOutcome says: our code, then what to do."""
    if answer.is_error:
        issues = answer.json().get("issue", []) if "json" in answer.headers.get("content-type", "") else []
        said = [f"{one['details']['coding'][0]['code']}: {one.get('diagnostics', '')}" for one in issues]
        raise SystemExit("\n".join(said) or f"{answer.status_code} {answer.text[:500]}")
    return answer


def require_same(given: bytes, sent: bytes) -> None:
    """What comes back is what was sent, byte for byte."""
    if given != sent:
        raise SystemExit("What comes back is not what was sent.")


def sha1(content: bytes) -> bytes:
    return hashlib.sha1(content, usedforsecurity=False).digest()


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def urn() -> str:
    return uuid.uuid4().urn
