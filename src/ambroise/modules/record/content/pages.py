"""Photos of the pages of one paper document, bound into one PDF."""

import io
from collections.abc import Sequence

from msgspec import Struct
from PIL import Image

from ambroise.kernel.errors import Kind, Refusal

MOST_PAGES = 12

_A4 = (595, 842)
# 190 points per inch on A4: small print stays legible, and ten pages hold in a few megabytes.
_LONGEST = 2200
_QUALITY = 80


class _Page(Struct, frozen=True):
    content: bytes
    width: int
    height: int
    colours: str


def bound(photos: Sequence[bytes]) -> bytes:
    """One PDF with a page for each photo, in their order. `photos`: cleaned already, so that no page tells its place.

    Raises Refusal TOO_MANY_PAGES over `MOST_PAGES`.
    """
    pages = [page for photo in photos for page in _pages(photo)]
    if len(pages) > MOST_PAGES:
        raise Refusal(Kind.TOO_LARGE, "TOO_MANY_PAGES", f"at most {MOST_PAGES} pages in one document; send two")
    # Loaded for the first PDF that is made.
    import pikepdf

    with pikepdf.new() as paper:
        for page in pages:
            picture = pikepdf.Stream(
                paper, page.content, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=page.width,
                Height=page.height, ColorSpace=pikepdf.Name("/" + page.colours), BitsPerComponent=8,
                Filter=pikepdf.Name.DCTDecode,
            )  # fmt: skip
            across, down = _A4 if page.height >= page.width else _A4[::-1]
            scale = min(across / page.width, down / page.height)
            width, height = page.width * scale, page.height * scale
            left, bottom = (across - width) / 2, (down - height) / 2
            drawn = f"q {width:.2f} 0 0 {height:.2f} {left:.2f} {bottom:.2f} cm /Photo Do Q".encode()
            resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Photo=picture))
            paper.pages.append(
                pikepdf.Page(
                    pikepdf.Dictionary(
                        Type=pikepdf.Name.Page, MediaBox=[0, 0, across, down], Resources=resources,
                        Contents=pikepdf.Stream(paper, drawn),
                    )
                )
            )  # fmt: skip
        written = io.BytesIO()
        paper.save(written, deterministic_id=True)
    return written.getvalue()


def _pages(photo: bytes) -> list[_Page]:
    with Image.open(io.BytesIO(photo)) as image:
        count = min(getattr(image, "n_frames", 1), MOST_PAGES + 1) if image.format == "TIFF" else 1
        pages: list[_Page] = []
        for number in range(count):
            image.seek(number)
            pages.append(_page(image, photo))
    return pages


def _page(image: Image.Image, photo: bytes) -> _Page:
    """A page as JPEG: the very bytes of a photo that is small enough, a smaller picture of any other."""
    if image.format == "JPEG" and image.mode in ("L", "RGB") and max(image.size) <= _LONGEST:
        return _Page(photo, *image.size, "DeviceGray" if image.mode == "L" else "DeviceRGB")
    small = image.convert("RGB")
    small.thumbnail((_LONGEST, _LONGEST))
    written = io.BytesIO()
    small.save(written, "JPEG", quality=_QUALITY)
    return _Page(written.getvalue(), *small.size, "DeviceRGB")
