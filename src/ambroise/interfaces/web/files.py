"""Files as they come and go: what they are, how they are kept, under which name they are given."""

from __future__ import annotations

import asyncio
import io
import mimetypes
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import Sort, bound_photos, clean_photo, may_act, sniff

XML = ("application/xml", "text/xml")
IMAGES = ("image/jpeg", "image/png")
# The brands of a HEIF file, which the national formats do not have.
_APPLE = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif"})
_AT_ONCE: Final = ThreadPoolExecutor(2, "photos")
"""Sixty million pixels of one colour come in kilobytes, and take a gigabyte once opened: few are open at a time."""
_SHOWN = (*IMAGES, "application/pdf", "text/plain")


async def fileable(content: bytes) -> bytes:
    """A file as the record takes it: photos without what they tell of their place and camera, and PNG as JPEG, since
    the national formats have no PNG. Refuses PHOTO_HEIC, IMAGE_UNREADABLE, IMAGE_TOO_LARGE."""
    return await asyncio.get_running_loop().run_in_executor(_AT_ONCE, _fileable, content)


async def one_document(contents: Sequence[bytes]) -> bytes:
    """What was chosen as one document: a file as it is; several photos as the pages of one PDF, in their order.

    Refuses PAGES_NOT_PHOTOS, TOO_MANY_PAGES, and what `fileable` refuses.
    """
    if len(contents) == 1:
        return contents[0]
    return await asyncio.get_running_loop().run_in_executor(_AT_ONCE, _bound, contents)


def _bound(contents: Sequence[bytes]) -> bytes:
    photos = [_fileable(content) for content in contents]
    if any(sniff(photo) not in (Sort.JPEG, Sort.TIFF) for photo in photos):
        raise Refusal(
            Kind.UNPROCESSABLE, "PAGES_NOT_PHOTOS", "Only photos are bound into one document: send other files alone."
        )
    return bound_photos(photos)


def _fileable(content: bytes) -> bytes:
    if content[4:8] == b"ftyp" and content[8:12] in _APPLE:
        raise Refusal(
            Kind.UNSUPPORTED_MEDIA, "PHOTO_HEIC", "HEIC photos are not taken: save the photo as JPEG, then send it."
        )
    sort = sniff(content)
    if sort not in (Sort.JPEG, Sort.PNG, Sort.TIFF):
        return content
    cleaned = clean_photo(content)
    if sort is not Sort.PNG:
        return cleaned
    from PIL import Image

    with Image.open(io.BytesIO(cleaned)) as picture:
        ground = Image.new("RGB", picture.size, "white")
        ground.paste(picture.convert("RGBA"), mask=picture.convert("RGBA").getchannel("A"))
    out = io.BytesIO()
    ground.save(out, "JPEG", quality=92)
    return out.getvalue()


def sniffed(content: bytes) -> str:
    """The media type of a file, from its bytes alone."""
    sort = sniff(content)
    return "application/octet-stream" if sort is Sort.UNKNOWN else sort.value


def shown_inline(media_type: str) -> bool:
    """Whether a browser may show this sort of content in our page; anything else is only downloaded."""
    return media_type in _SHOWN


def file_name(title: str, media_type: str, content: bytes) -> str:
    """The name under which a file is kept on a disk: XML that could act in a browser opens there as a text."""
    extension = mimetypes.guess_extension(media_type) or ""
    if media_type in XML:
        extension = ".xml.txt" if may_act(content) else ".xml"
    return re.sub(r"[\\/:*?\"<>|\x00-\x1f]+", " ", title).strip()[:100] + extension
