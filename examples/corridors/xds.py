"""XDS.b as a client needs it: file one document (ITI-41), find those of a patient (ITI-18), retrieve one (ITI-43)."""

import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import httpx
from header import Header
from metadata import ENTRY, submit_objects

sys.path.append(str(Path(__file__).parents[1] / "xds"))
from find import document_of, find_request, found, request_of, retrieve_request

Assertion = Callable[[], str]
PROVIDE = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
SOAP = {"content-type": "application/soap+xml"}


def provide(address: str, assertion: Assertion, content: bytes) -> None:
    """File one CDA, in parts (MTOM/XOP)."""
    include = '<i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="cid:document@example"/>'
    body = (
        '<x:ProvideAndRegisterDocumentSetRequest xmlns:x="urn:ihe:iti:xds-b:2007">'
        + submit_objects(Header.of(content), content)
        + f'<x:Document id="{ENTRY}">{include}</x:Document></x:ProvideAndRegisterDocumentSetRequest>'
    )
    parts = (
        ('application/xop+xml; type="application/soap+xml"', "root@example", request_of(PROVIDE, body, assertion())),
        ("text/xml", "document@example", content),
    )
    sent = b""
    for media, name, part in parts:
        head = f"Content-Type: {media}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{name}>\r\n\r\n"
        sent += b"--boundary\r\n" + head.encode() + part + b"\r\n"
    media_type = 'multipart/related; boundary=boundary; type="application/xop+xml"; start="<root@example>"'
    answer = httpx.post(
        f"{address}/xds/repository", content=sent + b"--boundary--\r\n", headers={"content-type": media_type}
    )
    response = ElementTree.fromstring(answer.content)  # noqa: S314 - from our own server.
    if not any(one.get("status") == SUCCESS for one in response.iter()):
        raise SystemExit(answer.text)


def find(address: str, assertion: Assertion, ins: str) -> list[dict[str, str]]:
    """The documents of a patient that the caller may see."""
    answer = httpx.post(f"{address}/xds/registry", content=find_request(ins, assertion()), headers=SOAP)
    return found(answer.content)


def retrieve(address: str, assertion: Assertion, unique_id: str, repository: str) -> bytes:
    """The bytes of one document."""
    request = retrieve_request(unique_id, repository, assertion())
    answer = httpx.post(f"{address}/xds/repository", content=request, headers=SOAP)
    return document_of(answer.content, answer.headers["content-type"])


__all__ = ["find", "provide", "retrieve"]
