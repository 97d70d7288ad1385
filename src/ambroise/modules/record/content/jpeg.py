"""The segments of a JPEG: what the picture is made of stays, what is told beside it goes, no pixel is encoded again."""

from __future__ import annotations

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_COMMENT = 0xFE
_APPLICATIONS = range(0xE0, 0xF0)
# What a reader needs to show the right colours: JFIF, the colour profile, the Adobe transform.
_KEPT = ((0xE0, b"JFIF\x00"), (0xE2, b"ICC_PROFILE\x00"), (0xEE, b"Adobe"))


def without_marks(content: bytes) -> bytes | None:
    """The same picture without EXIF, XMP, comments, thumbnails, nor what follows its end; None for no plain JPEG."""
    if not content.startswith(b"\xff\xd8"):
        return None
    kept, here = [content[:2]], 2
    while here + 4 <= len(content) and content[here] == 0xFF:
        marker = content[here + 1]
        if marker == 0xFF:
            here += 1
            continue
        if marker == _END:
            break
        stop = here + 2 + int.from_bytes(content[here + 2 : here + 4], "big")
        if marker == _SCAN:
            stop = _after_scan(content, stop)
        if stop > len(content) or stop < here + 4:
            return None
        if _is_picture(marker, content[here + 4 : here + 20]):
            kept.append(content[here:stop])
        here = stop
    return b"".join((*kept, b"\xff\xd9")) if content[here : here + 2] == b"\xff\xd9" else None


def _is_picture(marker: int, begins: bytes) -> bool:
    if marker in _APPLICATIONS:
        return any(marker == number and begins.startswith(name) for number, name in _KEPT)
    return marker != _COMMENT


def _after_scan(content: bytes, here: int) -> int:
    """Where the entropy-coded data of a scan end: at the next marker that is neither stuffing nor a restart."""
    while (here := content.find(b"\xff", here)) != -1 and here + 1 < len(content):
        following = content[here + 1]
        if following and not 0xD0 <= following <= 0xD7 and following != 0xFF:
            return here
        here += 1 if following == 0xFF else 2
    return len(content) + 1
