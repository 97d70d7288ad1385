"""Who sends: the structure, by the certificate of its software, and the professional, by the message.

This is the indirect authentication of the DMP: the structure answers for who acts in it, and the directory says whether
that professional practises there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID
from msgspec import Struct

from ambroise.interfaces.hl7v2.failures import failure
from ambroise.interfaces.hl7v2.message import Field, Message
from ambroise.interfaces.services import Services
from ambroise.kernel.crypto.certificates import ClientCertificate
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import read_cda
from ambroise.trust.context import Context, Professional

_NATIONAL: Final = re.compile(r"8?([0-9]{11})")
_PROFESSIONALS: Final = "1.2.250.1.71.4.2.1"


class Peer(Struct, frozen=True):
    """Who is at the other end of a connection. `structure` is None on the plain port of a demonstration only."""

    structure: str | None
    software: str


def peer_of(certificate: ClientCertificate) -> Peer:
    """The structure and the software that a certificate names: OU and CN, with the structure's name in O."""
    name = x509.Name.from_rfc4514_string(certificate.subject)
    unit, common, organization = (
        [str(one.value) for one in name.get_attributes_for_oid(oid)]
        for oid in (NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    )
    if len(unit) != 1 or len(common) != 1 or not organization or name.get_attributes_for_oid(NameOID.SURNAME):
        raise Refusal(
            Kind.UNAUTHENTICATED,
            "CERTIFICATE_NOT_OF_A_STRUCTURE",
            "Show the certificate of a structure's software: O its name, OU its identifier, CN the software.",
        )
    return Peer(unit[0], common[0])


def senders_of_documents(message: Message) -> list[tuple[str, str | None]]:
    """Who may be the author of documents: the sender (PRT of SB), then who authenticated them (TXA-22)."""
    found: list[tuple[str, str | None]] = []
    for part in message.all("PRT"):
        if part.text(4) == "SB" and part.text(5):
            found.append((part.text(5), part.text(8, 10) or None))
    found += [(txa.text(22), None) for txa in message.all("TXA") if txa.text(22)]
    return found


def author_of(content: bytes) -> list[tuple[str, str | None]]:
    """The authors that a CDA names, for messages that name nobody."""
    named = (one for author in read_cda(content).authors for one in author.actor.identifiers)
    return [(one.extension, None) for one in named if one.root == _PROFESSIONALS and one.extension]


def in_charge(message: Message) -> list[tuple[str, str | None]]:
    """Who may have collected a consent: the doctors of the stay (PV1-7 attending, PV1-17 admitting)."""
    visit = message.first("PV1")
    fields: Sequence[Field] = [one for place in (7, 17) for one in visit.field(place).each()] if visit else ()
    return [(one.part(1), None) for one in fields if one.part(1)]


async def context_of(services: Services, peer: Peer, named: Sequence[tuple[str, str | None]], place: str) -> Context:
    """The context of a message: the first professional of the directory who practises in the structure.

    Raises HL7_SENDER_MISSING, HL7_STRUCTURE_MISMATCH, PROFESSIONAL_UNKNOWN.
    """
    if not named:
        raise failure("HL7_SENDER_MISSING", "The message names no professional: give one with a RPPS.", place)
    for said, structure in named:
        actor = await _professional(services, said, _structure(peer, structure, place))
        if actor is not None:
            return Context(
                actor,
                services.clock,
                channel="hl7",
                software=peer.software,
                demonstration=services.demonstration,
            )
    raise Refusal(
        Kind.NOT_FOUND,
        "PROFESSIONAL_UNKNOWN",
        f"The directory knows none of {', '.join(said[:20] for said, _ in named[:5])} in the structure that sends.",
        element=place,
    )


def _structure(peer: Peer, said: str | None, place: str) -> str | None:
    """The structure that counts: that of the certificate, which the message may repeat but not change."""
    if peer.structure is None or said is None:
        return peer.structure or said
    if said not in (peer.structure, peer.structure[1:]):
        text = f"The certificate is of structure {peer.structure}, the message says {said[:20]}: they are the same one."
        raise Refusal(Kind.FORBIDDEN, "HL7_STRUCTURE_MISMATCH", text, element=place)
    return peer.structure


async def _professional(services: Services, said: str, structure: str | None) -> Professional | None:
    national = _NATIONAL.fullmatch(said)
    if national is None:
        return None
    return await services.authenticator.professional(national[1], structure)
