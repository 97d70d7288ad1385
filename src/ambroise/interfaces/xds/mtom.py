"""Answers in parts (MTOM/XOP): the envelope first, then each document, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import uuid4

from lxml import etree

from ambroise.interfaces.soap import MEDIA, Element
from ambroise.interfaces.xds.names import XOP, tag

_ROOT: Final = "envelope@ambroise"


def include(holder: Element, name: str) -> None:
    """Say that the content of an element is the part of this name."""
    etree.SubElement(holder, tag(XOP, "Include"), nsmap={"xop": XOP}).set("href", f"cid:{name}")


def multipart(envelope: bytes, parts: Mapping[str, bytes]) -> tuple[str, Sequence[bytes]]:
    """The media type of an answer in parts, and its bytes; the documents are not copied."""
    boundary = f"ambroise-{uuid4().hex}"
    media_type = (
        f'multipart/related; type="application/xop+xml"; start="<{_ROOT}>"; start-info="{MEDIA}"; boundary="{boundary}"'
    )
    chunks: list[bytes] = []
    chunks.append(_opening(boundary, f'application/xop+xml; charset=utf-8; type="{MEDIA}"', _ROOT, first=True))
    chunks.append(envelope)
    for name, content in parts.items():
        chunks += [_opening(boundary, "application/octet-stream", name), content]
    chunks.append(f"\r\n--{boundary}--\r\n".encode())
    return media_type, chunks


def _opening(boundary: str, media_type: str, name: str, *, first: bool = False) -> bytes:
    start = "" if first else "\r\n"
    return (
        f"{start}--{boundary}\r\nContent-Type: {media_type}\r\n"
        f"Content-Transfer-Encoding: binary\r\nContent-ID: <{name}>\r\n\r\n"
    ).encode()
