"""One message from its bytes to its acknowledgements: the one place where refusals become ACK and ERR."""

from __future__ import annotations

import asyncio
from typing import Final

from ambroise.interfaces.hl7v2.acknowledging import Outcome, acknowledgements, failed, refused
from ambroise.interfaces.hl7v2.choices import EVENTS, Choices
from ambroise.interfaces.hl7v2.deposits import Deposits
from ambroise.interfaces.hl7v2.failures import failure
from ambroise.interfaces.hl7v2.framing import Broken, Framed, TooLarge
from ambroise.interfaces.hl7v2.message import Message, Segment, read, read_header
from ambroise.interfaces.hl7v2.profile import check_header
from ambroise.interfaces.hl7v2.sender import Peer
from ambroise.interfaces.services import Services
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger

_log = logger(__name__)

_LARGE: Final = 1_000_000
_EVENTS: Final = {"ORU": {"R01"}, "MDM": {"T02", "T04", "T10"}, "ADT": EVENTS}


class Exchange:
    """Answers messages."""

    def __init__(self, services: Services, limit: int) -> None:
        self._services = services
        self._limit = limit
        self._deposits = Deposits(services)
        self._choices = Choices(services)

    async def answer(self, peer: Peer | Refusal, framed: Framed) -> list[bytes]:
        """What is sent back for what arrived, whatever it is; for an unknown peer, why it is unknown."""
        if isinstance(framed, Broken):
            return self._said(None, refused(_broken(framed)), peer)
        if isinstance(framed, TooLarge):
            return self._said(read_header(framed.head), refused(self._too_large()), peer)
        header = read_header(framed.content)
        try:
            outcome = await self._taken(peer, framed.content)
        except Refusal as refusal:
            outcome = refused(refusal)
        except Exception:
            _log.exception("hl7_message_failed")
            outcome = failed()
        return self._said(header, outcome, peer)

    async def _taken(self, peer: Peer | Refusal, content: bytes) -> Outcome:
        if isinstance(peer, Refusal):
            raise peer
        message = await asyncio.to_thread(read, content) if len(content) > _LARGE else read(content)
        kind = check_header(message, demonstration=self._services.demonstration)
        _check_event(message, kind)
        taker = self._choices if kind == "ADT" else self._deposits
        return await taker.take(peer, message)

    def _too_large(self) -> Refusal:
        text = f"The message has more than {self._limit} bytes: send fewer documents in each."
        return Refusal(Kind.TOO_LARGE, "HL7_TOO_LARGE", text)

    def _said(self, header: Segment | None, outcome: Outcome, peer: Peer | Refusal) -> list[bytes]:
        """The acknowledgements, once a line of the log says what became of the message; never whom it is about."""
        kind = "^".join(header.text(9, part) for part in (1, 2)) if header is not None else ""
        codes = [note.ours for note in outcome.notes]
        structure = None if isinstance(peer, Refusal) else peer.structure
        _log.info("hl7_message", kind=kind[:20], outcome=outcome.letter, codes=codes, structure=structure)
        return acknowledgements(header, outcome, self._services.clock.now())


def _check_event(message: Message, kind: str) -> None:
    event = message.header.text(9, 2)
    if kind not in _EVENTS:
        text = f"Messages {kind[:10] or 'of no type'} are not taken: send {', '.join(_EVENTS)}."
        raise failure("HL7_MESSAGE_TYPE", text, message.header.at(9))
    if event not in _EVENTS[kind]:
        text = f"{kind}^{event[:10]} is not taken: send {', '.join(sorted(_EVENTS[kind]))}."
        raise failure("HL7_EVENT", text, message.header.at(9))


def _broken(framed: Broken) -> Refusal:
    text = f"These bytes are no MLLP frame ({framed.why}): the connection is closed, send the message again."
    return failure("HL7_FRAMING", text)
