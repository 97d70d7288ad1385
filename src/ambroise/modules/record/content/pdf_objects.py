"""Looking for active content in a PDF, object by object.

Every object is looked at, compressed object streams included, since a reader opens them too. Damaged files are
repaired in memory as a reader would do. Of a file that cannot be opened at all the bytes are searched, streams
inflated; a file under password is refused, since nobody could say what is in it.
"""

import io
import re
import zlib
from collections.abc import Iterator

import pikepdf
from pikepdf import settings

from ambroise.kernel.errors import Kind, Refusal

MAX_OBJECTS = 300_000
MAX_NESTING = 80
MAX_DECODED = 128 * 1024 * 1024
# A PDF joined to a PDF joined to a PDF… has no clinical use.
MAX_ATTACHED = 3

# The limits of qpdf are those of the process; they hold for every use that we make of it.
settings.set_qpdf_limits(
    flate_max_memory=MAX_DECODED, run_length_max_memory=MAX_DECODED, png_max_memory=MAX_DECODED, doc_max_warnings=1000
)

_EXECUTABLE_NAME = re.compile(
    r"\.(?:exe|com|scr|pif|bat|cmd|msi|msp|dll|cpl|sys|jar|jse?|vb[se]|ws[fh]|hta|psm?1|lnk|reg|sh|bash|pyw?|pl|rb"
    r"|app|apk|deb|rpm|dmg|pkg|iso|scf|inf|chm|docm|xlsm|pptm)\s*\Z",
    re.IGNORECASE,
)
_EXECUTABLE_HEADS = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"#!")
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_HEX_SIGN = re.compile(rb"#([0-9A-Fa-f]{2})")
_ACTIONS = {"/JavaScript": "JavaScript", "/Launch": "Launch", "/SubmitForm": "SubmitForm"}


def look(content: bytes, attached: int = 0) -> set[str]:
    """The sorts of active content in a PDF that is inside `attached` others."""
    if attached > MAX_ATTACHED:
        raise _refuse("PDF_TOO_COMPLEX", "PDF files are joined to one another too deeply")
    limits_met = settings.qpdf_limit_errors()
    found: set[str] = set()
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as document:
            if len(document.objects) > MAX_OBJECTS:
                raise _refuse("PDF_TOO_COMPLEX", f"the PDF has more than {MAX_OBJECTS} objects")
            for top in document.objects:
                for dictionary in _dictionaries(top):
                    found |= _acts(dictionary, attached)
    except pikepdf.PasswordError as error:
        raise _refuse("PDF_ENCRYPTED", "the PDF asks for a password; remove the protection") from error
    except (pikepdf.PdfError, pikepdf.PikepdfError, ValueError, TypeError, LookupError, RuntimeError, MemoryError) as e:
        if settings.qpdf_limit_errors() > limits_met:
            raise _too_complex() from e
        found |= _look_at_wreck(content)
    if settings.qpdf_limit_errors() > limits_met:
        raise _too_complex()
    return found


def _look_at_wreck(content: bytes) -> set[str]:
    """Search the bytes of a file that no library opens, should some reader make sense of it all the same."""
    found: set[str] = set()
    left = MAX_DECODED
    for piece in (content, *(match[1] for match in _STREAM.finditer(content))):
        plain = piece if piece is content else _inflated(piece, left)
        left -= len(plain) if piece is not content else 0
        names = _HEX_SIGN.sub(lambda sign: bytes((int(sign[1], 16),)), plain)
        found |= {sort for name, sort in _ACTIONS.items() if re.search(name.encode() + rb"\b", names)}
        if re.search(rb"/JS\b", names):
            found.add("JavaScript")
    return found


def _inflated(piece: bytes, limit: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(piece, max(limit, 1))
    except zlib.error:
        return b""


def _too_complex() -> Refusal:
    return _refuse("PDF_TOO_COMPLEX", "the PDF is nested or compressed beyond any use; export it again")


def _dictionaries(top: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """The dictionaries written within one object; what it points to is looked at in its own turn."""
    waiting = [(top, 0)]
    while waiting:
        item, depth = waiting.pop()
        if depth > MAX_NESTING:
            raise _refuse("PDF_TOO_COMPLEX", f"the PDF nests values over {MAX_NESTING} levels")
        if isinstance(item, (pikepdf.Dictionary, pikepdf.Stream)):
            yield item
            inner = [item.get(key) for key in item.keys()]  # noqa: SIM118 - a PDF dictionary iterates otherwise.
        elif isinstance(item, pikepdf.Array):
            inner = list(item)
        else:
            continue
        for value in inner:
            if isinstance(value, pikepdf.Object) and not value.is_indirect:
                waiting.append((value, depth + 1))


def _acts(item: pikepdf.Object, attached: int) -> set[str]:
    found: set[str] = set()
    action = str(item.get("/S", "")) if "/S" in item else ""
    if action in _ACTIONS:
        found.add(_ACTIONS[action])
    if "/JS" in item or "/JavaScript" in item:
        found.add("JavaScript")
    if "/URI" in item and _is_script(item.get("/URI")):
        found.add("JavaScript")
    if "/XFA" in item and _has_script(item.get("/XFA")):
        found.add("JavaScript")
    if "/EF" in item:
        found |= _attachment(item, attached)
    return found


def _is_script(address: pikepdf.Object | None) -> bool:
    words = re.sub(r"[\s\x00]", "", str(address)) if isinstance(address, pikepdf.String) else ""
    return words.lower().startswith(("javascript:", "vbscript:", "data:text/html"))


def _has_script(form: pikepdf.Object | None) -> bool:
    parts = list(form) if isinstance(form, pikepdf.Array) else [form]
    streams = (part for part in parts if isinstance(part, pikepdf.Stream))
    return any(re.search(rb"<(?:\w+:)?script\b", _decoded(part)) for part in streams)


def _attachment(item: pikepdf.Object, attached: int) -> set[str]:
    names = [str(item.get(key)) for key in ("/F", "/UF", "/DOS", "/Mac", "/Unix") if key in item]
    found = {"EmbeddedExecutable" for name in names if _EXECUTABLE_NAME.search(name)}
    files = item.get("/EF")
    if isinstance(files, pikepdf.Dictionary):
        for key in files.keys():  # noqa: SIM118
            file = files.get(key)
            if isinstance(file, pikepdf.Stream):
                inside = _decoded(file)
                if inside.startswith(_EXECUTABLE_HEADS):
                    found.add("EmbeddedExecutable")
                elif b"%PDF-" in inside[:1024]:
                    found |= look(inside, attached + 1)
    return found


def _decoded(stream: pikepdf.Stream) -> bytes:
    """The bytes of a stream; none when they are damaged beyond what a reader could use."""
    try:
        return stream.read_bytes()
    except pikepdf.PdfError as error:
        if "limit" in str(error):
            raise _too_complex() from error
        return b""


def _refuse(code: str, diagnostics: str) -> Refusal:
    return Refusal(Kind.UNPROCESSABLE, code, diagnostics)
