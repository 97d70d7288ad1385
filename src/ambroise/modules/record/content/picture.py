"""Pictures: write one again without what it tells besides what it shows."""

import io
import warnings

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.content.jpeg import without_marks

MAX_PIXELS = 60_000_000
MAX_PAGES = 40

_FORMATS = ("JPEG", "PNG", "TIFF")
_ORIENTATION = 0x0112
_UNREADABLE = (UnidentifiedImageError, OSError, SyntaxError, ValueError, TypeError, LookupError, OverflowError)


def cleaned(content: bytes) -> bytes:
    """What `clean_photo` promises."""
    # The library that prints has half a picture do for a whole one, everywhere in the process.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            # Pillow warns before it refuses; the sizes are checked here before a pixel is decoded.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                return _as_it_is(image, content) or _rewritten(image)
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except (*_UNREADABLE, MemoryError, RuntimeError, EOFError) as error:
        raise Refusal(
            Kind.UNPROCESSABLE, "IMAGE_UNREADABLE", f"the image cannot be opened ({error}); save it again"
        ) from error


def _as_it_is(image: Image.Image, content: bytes) -> bytes | None:
    """A JPEG that stands upright, its pixels untouched: only what is told beside them goes. None for any other."""
    if image.format != "JPEG" or image.getexif().get(_ORIENTATION, 1) != 1:
        return None
    if image.width * image.height > MAX_PIXELS:
        raise _too_large()
    # What cannot be decoded whole is refused, as it is when pixels are written again.
    image.load()
    return without_marks(content)


def _rewritten(image: Image.Image) -> bytes:
    kind = image.format or "PNG"
    pages: list[Image.Image] = []
    pixels = 0
    for number in range(min(getattr(image, "n_frames", 1), MAX_PAGES + 1)):
        image.seek(number)
        pixels += image.width * image.height
        if pixels > MAX_PIXELS or number == MAX_PAGES:
            raise _too_large()
        page = ImageOps.exif_transpose(image)
        # A new image carries the pixels and nothing of what came with them.
        bare = Image.frombytes(page.mode, page.size, page.tobytes())
        if page.mode == "P" and (palette := page.getpalette("RGB")):
            bare.putpalette(palette)
        pages.append(bare)
    written = io.BytesIO()
    match kind:
        case "JPEG":
            profile = image.info.get("icc_profile")
            pages[0].save(written, "JPEG", quality=92, subsampling="4:2:0", icc_profile=profile)
        case "TIFF":
            pages[0].save(written, "TIFF", compression="tiff_deflate", save_all=True, append_images=pages[1:])
        case _:
            pages[0].save(written, "PNG")
    return written.getvalue()


def _too_large() -> Refusal:
    return Refusal(
        Kind.TOO_LARGE,
        "IMAGE_TOO_LARGE",
        f"the image has more than {MAX_PIXELS} pixels or {MAX_PAGES} pages; reduce it",
    )
