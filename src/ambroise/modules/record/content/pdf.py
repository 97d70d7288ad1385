"""Active content in a PDF: scripts, program launches, form submissions, executables joined to it."""

import re

# Without any of these in clear there is nothing to look for: neither a hidden object, nor an escaped name, nor a
# subject of this module. A stream's dictionary is always in clear.
_SUSPECT = re.compile(
    rb"/(?:ObjStm|XRef|Encrypt|JS|JavaScript|Launch|SubmitForm|EF|EmbeddedFile|XFA|URI|Rendition"
    rb"|[^\s/<>()\[\]{}%#]{0,40}#[0-9A-Fa-f]{2})"
)


def active_content(content: bytes) -> tuple[str, ...]:
    """The sorts of active content in a PDF (JavaScript, Launch, SubmitForm, EmbeddedExecutable), empty when none.

    Raises Refusal PDF_ENCRYPTED or PDF_TOO_COMPLEX.
    """
    if _is_plain(content):
        return ()
    # Most documents are plain: the library that opens the others is loaded for the first of them.
    from ambroise.modules.record.content.pdf_objects import look

    return tuple(sorted(look(content)))


def _is_plain(content: bytes) -> bool:
    """Whether a file with a classic table of objects names nothing that could act."""
    # A trailer stands at the end: looked for from there, it is found at once.
    classic = b"startxref" in content[-2048:] and content.rfind(b"trailer") >= 0
    return classic and not _SUSPECT.search(content)
