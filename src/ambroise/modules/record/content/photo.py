"""Photos that a citizen adds: drop what they tell besides the picture (place, camera, owner), keep the picture."""

from collections.abc import Sequence


def clean_photo(content: bytes) -> bytes:
    """The same picture, upright, without EXIF, XMP, comments or thumbnails; same format, pages kept.

    The pixels of a JPEG that stands upright already are not encoded again.

    Raises Refusal IMAGE_UNREADABLE, or IMAGE_TOO_LARGE over 60 million pixels in all or 40 pages.
    """
    # The library that opens pictures is loaded for the first of them.
    from ambroise.modules.record.content.picture import cleaned

    return cleaned(content)


def bound_photos(photos: Sequence[bytes]) -> bytes:
    """One PDF with a page for each photo, in their order; the photos are cleaned ones.

    Raises Refusal TOO_MANY_PAGES over twelve.
    """
    from ambroise.modules.record.content.pages import bound

    return bound(photos)
