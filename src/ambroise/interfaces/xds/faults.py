"""Refusals as SOAP faults: what concerns the envelope, its addressing, and who calls."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from lxml import etree

from ambroise.interfaces import soap
from ambroise.interfaces.xds.names import WSSE
from ambroise.kernel.errors import Kind, Refusal

_ACTION: Final = "http://www.w3.org/2005/08/addressing/soap/fault"
_OURS: Final = "urn:ambroise:xds"
_SUBCODES: Final = {
    "VIHF_MISSING": "wsse:InvalidSecurity",
    "VIHF_MALFORMED": "wsse:InvalidSecurityToken",
    "VIHF_SIGNATURE": "wsse:FailedCheck",
    "VIHF_EXPIRED": "wsse:MessageExpired",
    "VIHF_NOT_YET": "wsse:MessageExpired",
    "VIHF_REPLAYED": "wsse:MessageExpired",
    "XDS_ACTION": "wsa:ActionNotSupported",
    "XDS_ADDRESSING": "wsa:MessageAddressingHeaderRequired",
    "XDS_NOT_UNDERSTOOD": "amb:NotUnderstood",
}
_HTTP: Final = {Kind.UNAUTHENTICATED: 401, Kind.TOO_LARGE: 413, Kind.UNAVAILABLE: 503, Kind.THROTTLED: 429}


def fault(refusal: Refusal, relates_to: str | None) -> tuple[int, bytes]:
    """The HTTP status and the envelope of a fault; our code stands in its detail."""
    status = _HTTP.get(refusal.kind, 400)
    code = "MustUnderstand" if refusal.code == "XDS_NOT_UNDERSTOOD" else "Receiver" if status == 503 else "Sender"
    usual = "wsse:FailedAuthentication" if refusal.kind is Kind.UNAUTHENTICATED else "amb:Refused"
    return status, _written(code, _SUBCODES.get(refusal.code, usual), refusal.code, refusal.diagnostics, relates_to)


def broken(relates_to: str | None) -> tuple[int, bytes]:
    """The fault that is ours."""
    text = "Something went wrong on our side; nothing was changed."
    return 500, _written("Receiver", "amb:Internal", "INTERNAL_ERROR", text, relates_to)


def _written(code: str, subcode: str, ours: str, text: str, relates_to: str | None) -> bytes:
    envelope, body = soap.new_envelope(_ACTION, relates_to, f"urn:uuid:{uuid4()}")
    detail = soap.add_fault(body, code, subcode, text, language="en", prefixes={"wsse": WSSE, "amb": _OURS})
    error = etree.SubElement(detail, f"{{{_OURS}}}Error")
    error.set("code", ours)
    error.text = text
    return soap.to_bytes(envelope)
