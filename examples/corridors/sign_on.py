"""How software signs on: as a client of its structure, for one professional who approves on the phone (CIBA).

The environment says how the software proves who it is:

AMBROISE_TOKEN          a token that was had elsewhere: nothing is asked
AMBROISE_CLIENT         the id of the client, or id:secret
AMBROISE_CLIENT_KEY     private_key_jwt (RFC 7523): the file of its private key, in PEM, on the curve P-256
AMBROISE_CERTIFICATE    mTLS (RFC 8705): a folder with client.pem, client.key and ca.pem; the token works with it alone

With none of them, the token is that of the command line, beside a demonstration (`ambroise token`).

python examples/corridors/sign_on.py key FILE       makes a key, and prints its public part, to register with --jwks
python examples/corridors/sign_on.py try [ADDRESS]  has a token of the software alone, to see that the proof is right
"""

import json
import os
import ssl
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import httpx

DISCOVERY = "/auth/realms/esante-wallet/.well-known/openid-configuration"
CIBA = "urn:openid:params:grant-type:ciba"
SIGNED = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
NUMBER = "42"


@dataclass
class SignedOn:
    """A token, where it is good, and the certificate that it is bound to, if it is."""

    address: str
    token: str
    certificate: ssl.SSLContext | None = None

    def client(self) -> httpx.Client:
        """A client of `/fhir`."""
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.Client(
            base_url=f"{self.address}/fhir/", headers=headers, timeout=60, verify=self.certificate or True
        )


def sign_on(address: str, rpps: str) -> SignedOn:
    """Sign one professional on, by what the environment says."""
    given, client = os.environ.get("AMBROISE_TOKEN"), os.environ.get("AMBROISE_CLIENT")
    if given or not client:
        return SignedOn(address, given or from_command_line(rpps))
    folder = os.environ.get("AMBROISE_CERTIFICATE")
    certificate = certificate_in(Path(folder)) if folder else None
    with httpx.Client(timeout=30, verify=certificate or True) as http:
        known = http.get(address + DISCOVERY).raise_for_status().json()
        places = known["mtls_endpoint_aliases"] if certificate else known
        token = approved(http, places, known["issuer"], client, rpps)
    secure = places["token_endpoint"].partition("/auth/")[0]
    return SignedOn(secure if certificate else address, token, certificate)


def approved(http: httpx.Client, places: dict, issuer: str, client: str, rpps: str) -> str:
    """Ask the professional, who reads the number on the phone, and wait for the token."""
    asked = {
        "scope": "openid scope_all",
        "acr_values": "eidas1",
        "login_hint": f"8{rpps}",
        "binding_message": NUMBER,
    }
    print("number to read on the phone:", NUMBER)
    begun = said(http.post(places["backchannel_authentication_endpoint"], data=asked | proof(client, issuer)))
    for _ in range(begun["expires_in"] // begun["interval"]):
        time.sleep(begun["interval"])
        wanted = {"grant_type": CIBA, "auth_req_id": begun["auth_req_id"]}
        answer = http.post(places["token_endpoint"], data=wanted | proof(client, issuer))
        if answer.is_success:
            return answer.json()["access_token"]
        if answer.json().get("error") not in ("authorization_pending", "slow_down"):
            said(answer)
    raise SystemExit("Nobody answered on the phone.")


def machine(address: str) -> SignedOn:
    """A token of the software alone (client_credentials): it is of nobody, and opens nothing that is somebody's."""
    client, folder = os.environ["AMBROISE_CLIENT"], os.environ.get("AMBROISE_CERTIFICATE")
    certificate = certificate_in(Path(folder)) if folder else None
    with httpx.Client(timeout=30, verify=certificate or True) as http:
        known = http.get(address + DISCOVERY).raise_for_status().json()
        place = (known["mtls_endpoint_aliases"] if certificate else known)["token_endpoint"]
        wanted = {"grant_type": "client_credentials"}
        token = said(http.post(place, data=wanted | proof(client, known["issuer"])))["access_token"]
    return SignedOn(place.partition("/auth/")[0], token, certificate)


def proof(client: str, issuer: str) -> dict[str, str]:
    """What proves who the software is, in one request; a certificate proves it by itself."""
    id_, _, secret = client.partition(":")
    key = os.environ.get("AMBROISE_CLIENT_KEY")
    if key:
        return {"client_id": id_, "client_assertion_type": SIGNED, "client_assertion": signed(id_, issuer, Path(key))}
    return {"client_id": id_, "client_secret": secret} if secret else {"client_id": id_}


def signed(client: str, issuer: str, key: Path) -> str:
    """An assertion of the client, for this provider, good once, for a minute."""
    from joserfc import jwt
    from joserfc.jwk import ECKey

    now = int(time.time())
    claims = {"iss": client, "sub": client, "aud": issuer, "iat": now, "exp": now + 60, "jti": uuid.uuid4().hex}
    return jwt.encode({"alg": "ES256"}, claims, ECKey.import_key(key.read_text()))


def make_key(file: Path) -> dict:
    """Make a key of a client and keep it; its public part, as a JWK set."""
    from joserfc.jwk import ECKey

    key = ECKey.generate_key("P-256", private=True)
    file.touch(mode=0o600)
    file.write_bytes(key.as_pem(private=True))
    return {"keys": [key.as_dict(private=False)]}


def certificate_in(folder: Path) -> ssl.SSLContext:
    """What shows the certificate of a folder made by `ambroise pki issue`, and trusts its authority alone."""
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.load_cert_chain(folder / "client.pem", folder / "client.key")
    return context


def from_command_line(rpps: str) -> str:
    """A token for one professional, made beside a demonstration."""
    command = ["ambroise", "token", "--as", f"professional:{rpps}"]
    return subprocess.check_output(command, text=True).strip()


def said(answer: httpx.Response) -> dict:
    """The answer of the provider, or what it refuses."""
    if answer.is_error:
        told = answer.json() if "json" in answer.headers.get("content-type", "") else {"error": answer.text[:500]}
        raise SystemExit(f"{told['error']}: {told.get('error_description', '')}")
    return answer.json()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["key", file]:
            print(json.dumps(make_key(Path(file))))
        case ["try", *address]:
            machine((address or ["http://localhost:8080"])[0].rstrip("/"))
            print("the software is who it says")
        case _:
            sys.exit(__doc__)
