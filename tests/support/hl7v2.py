"""Messages for tests: the public samples, read where they are, with a real CDA inside and an identity of the tests."""

import base64
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hl7
from cryptography import x509
from hl7.mllp import open_hl7_connection

from ambroise.kernel.crypto.authority import DemonstrationAuthority
from tests.support.server import House

PLACEHOLDER = "RG9jdW1lbnQgbWVkY2lhbCBhdSBmb3JtYXQgQ0RBIG5pdmVhdSAx"
"""What the samples carry instead of a document."""
SENDER = "801234567897"


def mended(sample: Path, content: bytes, **changes: str) -> str:
    """A sample with a document, sent by the author of the examples, with the birth place that the registry holds.

    No rule bends for samples: those who sign them, and where, exist in no directory.
    """
    text = sample.read_text().replace("\n", "\r").replace(PLACEHOLDER, base64.b64encode(content).decode())
    for old, new in {"801234564895": SENDER, "801234567866": SENDER, "300017985": "750803447", **changes}.items():
        text = text.replace(old, new)
    return text.replace("^^^1120459876", "^^^1750803447").replace("120456789.71024000081", "")


@dataclass
class Ack:
    """An acknowledgement, as a library of others reads it."""

    message: Any

    @property
    def code(self) -> str:
        return str(self.message.segment("MSA")[1])

    @property
    def answered(self) -> str:
        return str(self.message.segment("MSA")[2])

    @property
    def notes(self) -> list[tuple[str, str, str]]:
        """(severity, HL7 code, ours) of each ERR."""
        return [(str(one[4]), str(one[3][0][0]), str(one[5][0][0])) for one in self._errors]

    @property
    def codes(self) -> list[str]:
        return [ours for _, _, ours in self.notes]

    @property
    def places(self) -> list[str]:
        return [str(one[2]) for one in self._errors]

    @property
    def documents(self) -> list[str]:
        """The logical ids told."""
        told = [str(one[8]) for one in self._errors]
        return [one.removeprefix("DocumentReference/") for one in told if one.startswith("DocumentReference/")]

    @property
    def texts(self) -> list[str]:
        return [str(one[8]) for one in self._errors]

    @property
    def _errors(self) -> list[Any]:
        return [one for one in self.message if str(one[0]) == "ERR"]


class Laboratory:
    """Software of a structure, over a connection of a third-party MLLP client."""

    def __init__(self, house: House, port: int, structure: str = "1750803447", **how: Any) -> None:
        self.house = house
        self._port = port
        self._structure = structure
        self._how = how

    async def send(self, *texts: str | bytes, answers: int = 1, encoding: str = "utf-8") -> list[Ack]:
        """Send messages over one connection, each once the one before was answered; every acknowledgement."""
        reader, writer = await open_hl7_connection("127.0.0.1", self._port, ssl=self.tls(), encoding=encoding)
        found: list[Ack] = []
        try:
            for text in texts:
                writer.writeblock(text.encode(encoding) if isinstance(text, str) else text)
                await writer.drain()
                for _ in range(answers):
                    found.append(Ack(await reader.readmessage()))
        finally:
            writer.close()
            await writer.wait_closed()
        return found

    async def one(self, text: str | bytes, encoding: str = "utf-8") -> Ack:
        """The acknowledgement of one message."""
        return (await self.send(text, encoding=encoding))[0]

    def keys(self, folder: Path) -> Path:
        """The files of the certificate as `ambroise pki issue` writes them."""
        self.tls()
        pki = self.house.services.settings.demonstration_pki
        for name, file in (("client.pem", "cert.pem"), ("client.key", "key.pem")):
            (folder / name).write_bytes((pki / f"test-{self._structure}" / file).read_bytes())
        (folder / "ca.pem").write_bytes((pki / "ca.pem").read_bytes())
        return folder

    def revoke(self) -> None:
        """Have the authority revoke the certificate."""
        authority = DemonstrationAuthority.open(self.house.services.settings.demonstration_pki)
        pem = (authority.folder / f"test-{self._structure}" / "cert.pem").read_bytes()
        assert authority.revoke(x509.load_pem_x509_certificate(pem).serial_number)

    def tls(self) -> ssl.SSLContext | None:
        """A context with a certificate of the structure; None for the plain port."""
        if self._how.get("plain"):
            return None
        authority = DemonstrationAuthority.open(self.house.services.settings.demonstration_pki)
        context = ssl.create_default_context(cafile=str(authority.certificate))
        folder = authority.folder / f"test-{self._structure}"
        if not folder.exists():
            issued = authority.issue("SIL", "Cabinet fictif", self._structure, days=self._how.get("days", 365))
            folder.mkdir()
            (folder / "cert.pem").write_bytes(issued.certificate)
            (folder / "key.pem").write_bytes(issued.key)
        if not self._how.get("anonymous"):
            context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        return context


def parsed(text: str) -> Any:
    """A message as the library reads it."""
    return hl7.parse(text)
