"""What a mail that came to a return path says: a report of delivery (RFC 3464), or the words of an older server.

It comes from a stranger. It is cut along its boundary once, at most so many parts and lines of it are read, and nothing
of it is kept but a status.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

LARGEST: Final = 256 * 1024
"""Bytes of a bounce: a server that returns the whole of one of our mails sends less."""
_MOST_PARTS: Final = 8
_MOST_HEAD: Final = 64 * 1024
_MOST_FIELD: Final = 2_000
_MOST_WORDS: Final = 16 * 1024

_BOUNDARY: Final = re.compile(r'boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_STATUS: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY: Final = re.compile(r"(?<![\d.#-])([45])[0-5]\d(?= |-|\)|:)")
_DAEMON: Final = re.compile(r"(?<![\w.-])(?:mailer-daemon|postmaster|mail-daemon|mdaemon)@", re.IGNORECASE)
_NOBODY: Final = re.compile(
    r"user unknown|unknown user|no such (?:user|mailbox|recipient|address)|(?:user|mailbox|address|recipient) (?:does "
    r"not exist|not found|unknown|disabled)|n'existe pas|utilisateur inconnu|destinataire inconnu",
    re.IGNORECASE,
)
_NO_ADDRESS: Final = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"})
"""Statuses that say that nobody reads an address (RFC 3463, 3): bad mailbox, bad system, moved, disabled, no route."""


class Said(StrEnum):
    """What a mail at a return path is."""

    GONE = "gone"
    """Nobody reads the address, and nobody will."""
    LOST = "lost"
    """This mail did not come in: a full box, a server away for days, a refusal of its content."""
    NOTHING = "nothing"
    """No failure: a delay, a delivery, an answer of an absent person, a letter of somebody."""


class Reading(Struct, frozen=True):
    """What came back says. `status`: of RFC 3463 (`5.1.1`), empty where nobody gave one."""

    said: Said
    status: str = ""


_NOTHING: Final = Reading(Said.NOTHING)


def read(content: bytes) -> Reading:
    """Read one mail. Words count only from a mail server: an absent person's programme also writes to return paths."""
    head, body = _split(content[:LARGEST])
    fields = _fields(head)
    kind = fields.get("content-type", "").lower()
    if kind.startswith("multipart/report"):
        report = "delivery-status" in kind
        return _reported(fields, body) if report else _NOTHING
    if fields.get("auto-submitted", "no").lower().startswith("auto-replied"):
        return _NOTHING
    if "x-failed-recipients" not in fields and not _DAEMON.search(fields.get("from", "")):
        return _NOTHING
    return _told(_words(fields, body))


def answered(words: str) -> Reading:
    """What a server says when it refuses a recipient there and then (RFC 5321, 4.2): nothing but that nobody reads it.

    Any other refusal may be ours to mend, and says nothing of the address.
    """
    found = _told(words[:_MOST_WORDS])
    return found if found.said is Said.GONE else _NOTHING


def _reported(fields: Mapping[str, str], body: bytes) -> Reading:
    """The first recipient of a report whose delivery failed: our mails have one."""
    for head, part in _parts(fields, body):
        if not head.get("content-type", "").lower().startswith("message/delivery-status"):
            continue
        for block in re.split(rb"\r?\n\r?\n", part[:_MOST_HEAD]):
            said = _fields(block)
            if said.get("action", "").strip().lower() == "failed":
                return _failed(said)
        return _NOTHING
    return _told(_words(fields, body))


def _failed(said: Mapping[str, str]) -> Reading:
    diagnostic = said.get("diagnostic-code", "")
    status = _status(said.get("status", ""))
    if not status or status.endswith(".0.0"):
        # A server that only knows that it failed often quotes another one, which knew why.
        status = _status(diagnostic) or status
    if not status or status == "5.0.0":
        return _judged(status, diagnostic)
    return Reading(Said.GONE if status in _NO_ADDRESS else Said.LOST, status)


def _told(words: str) -> Reading:
    """What an older server wrote to people; nothing where it names no failure."""
    status = _status(words)
    if status.startswith("2") or not (status or _REPLY.search(words) or _NOBODY.search(words)):
        return _NOTHING
    if status and status != "5.0.0":
        return Reading(Said.GONE if status in _NO_ADDRESS else Said.LOST, status)
    return _judged(status, words)


def _judged(status: str, words: str) -> Reading:
    """By its words, where no status says it."""
    return Reading(Said.GONE if _NOBODY.search(words) else Said.LOST, status)


def _status(text: str) -> str:
    found = _STATUS.search(text)
    return found[0] if found else ""


def _words(fields: Mapping[str, str], body: bytes) -> str:
    """The first text of a mail, decoded, as far as it is read."""
    for head, part in _parts(fields, body):
        if head.get("content-type", "text/plain").lower().startswith("text/"):
            return _decoded(head, part[: 2 * _MOST_WORDS])[:_MOST_WORDS]
    return ""


def _decoded(head: Mapping[str, str], part: bytes) -> str:
    match head.get("content-transfer-encoding", "").strip().lower():
        case "base64":
            kept = re.sub(rb"[^A-Za-z0-9+/]", b"", part)
            try:
                part = base64.b64decode(kept[: len(kept) // 4 * 4])
            except binascii.Error:
                return ""
        case "quoted-printable":
            part = quopri.decodestring(part)
        case _:
            pass
    return part.decode("utf-8", "replace").replace("\u2019", "'")


def _parts(fields: Mapping[str, str], body: bytes) -> Iterator[tuple[Mapping[str, str], bytes]]:
    """The parts of a mail, each with its fields; itself where it has none. Parts within parts are not opened."""
    kind = fields.get("content-type", "")
    found = _BOUNDARY.search(kind) if kind.lower().startswith("multipart/") else None
    if found is None:
        yield fields, body
        return
    boundary = b"\n--" + (found[1] or found[2]).encode()
    for part in (b"\n" + body).split(boundary, _MOST_PARTS + 1)[1 : _MOST_PARTS + 1]:
        if part.startswith(b"--"):
            return
        head, inner = _split(part.lstrip(b" \t").removeprefix(b"\r").removeprefix(b"\n"))
        yield _fields(head), inner


def _split(content: bytes) -> tuple[bytes, bytes]:
    """The fields and what follows the first empty line."""
    if content.startswith((b"\n", b"\r\n")):
        return b"", content.lstrip(b"\r\n")
    ends = [(at, len(mark)) for mark in (b"\n\n", b"\n\r\n") if (at := content.find(mark)) >= 0]
    if not ends:
        return content[:_MOST_HEAD], b""
    at, size = min(ends)
    return content[: min(at, _MOST_HEAD)], content[at + size :]


def _fields(block: bytes) -> dict[str, str]:
    """The fields of a block (RFC 5322, 2.2), unfolded; the first of a name counts, and none is endless."""
    found: dict[str, str] = {}
    name = ""
    for line in block.decode("latin-1").replace("\r\n", "\n").split("\n"):
        if line[:1] in (" ", "\t"):
            if name and len(found[name]) < _MOST_FIELD:
                found[name] += " " + line.strip()[:_MOST_FIELD]
            continue
        before, colon, after = line.partition(":")
        name = before.strip().lower() if colon and len(before) < 80 else ""
        if name in found:
            name = ""
        elif name:
            found[name] = after.strip()[:_MOST_FIELD]
    return found
