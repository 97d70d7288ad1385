"""The symbol: a square DataMatrix ECC 200 (ISO/IEC 16022), drawn as SVG or PNG, and found in a picture."""

import io
import re
import warnings
from typing import Any, Final

import zxingcpp
from PIL import Image, UnidentifiedImageError

from ambroise.kernel.errors import Kind, Refusal

CAPTION: Final = "INS à scanner"
MAX_BYTES: Final = 8 * 1024 * 1024
_MAX_PIXELS: Final = 40_000_000
_READ: Final = ("PNG", "JPEG", "GIF", "WEBP", "TIFF")
_UNREADABLE: Final = (UnidentifiedImageError, OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError)
_SIZE: Final = re.compile(r'<svg width="(\d+)" height="(\d+)"')
_PATH: Final = re.compile(r'<path d="([^"]+)"')


def svg(content: str, *, module_mm: float = 0.6) -> str:
    """The symbol as an SVG image with its quiet zone of one module; no script, no style, its size in millimetres."""
    drawn: str = _barcode(content).to_svg(scale=1, add_quiet_zones=True)
    size, path = _SIZE.search(drawn), _PATH.search(drawn)
    if size is None or path is None:
        raise RuntimeError("the drawing library wrote an SVG of another shape")
    side = f"{int(size[1]) * module_mm:.1f}mm"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" viewBox="0 0 {size[1]} {size[2]}" '
        f'role="img" aria-label="{CAPTION}" shape-rendering="crispEdges"><rect width="100%" height="100%" fill="#fff"/>'
        f'<path d="{path[1]}" fill="#000"/></svg>'
    )


def png(content: str, *, scale: int = 6) -> bytes:
    """The symbol as a PNG image, `scale` pixels a module, quiet zone included."""
    drawn: Any = memoryview(_barcode(content).to_image(scale=scale, add_quiet_zones=True))
    height, width = drawn.shape
    picture = io.BytesIO()
    Image.frombytes("L", (width, height), drawn.tobytes()).save(picture, "PNG", optimize=True)
    return picture.getvalue()


def contents(picture: bytes) -> list[str]:
    """The contents of the DataMatrix symbols of a picture, in the order found.

    Raises Refusal IMAGE_UNREADABLE, or IMAGE_TOO_LARGE over 8 MB or 40 million pixels.
    """
    if len(picture) > MAX_BYTES:
        raise _too_large()
    try:
        with warnings.catch_warnings():
            # Pillow warns before it refuses; the size is checked here before a pixel is decoded.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(picture), formats=_READ) as image:
                if image.width * image.height > _MAX_PIXELS:
                    raise _too_large()
                grey = image.convert("L")
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except (*_UNREADABLE, MemoryError, RuntimeError) as error:
        text = "the picture cannot be opened; take it again, or send a PNG or JPEG"
        raise Refusal(Kind.UNPROCESSABLE, "IMAGE_UNREADABLE", text) from error
    wanted: Any = zxingcpp.BarcodeFormat.DataMatrix
    found = zxingcpp.read_barcodes(grey, formats=wanted)
    return [bytes(one.bytes).decode("latin-1") for one in found]


def _barcode(content: str) -> Any:
    create: Any = zxingcpp.create_barcode  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return create(content, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)


def _too_large() -> Refusal:
    return Refusal(Kind.TOO_LARGE, "IMAGE_TOO_LARGE", "the picture is larger than 8 MB or 40 million pixels")
