"""What an IHE XDM zip holds (ITI-32): its SubmissionSets, each with the documents that its metadata name."""

from __future__ import annotations

import hashlib
from typing import Final

from msgspec import Struct

from ambroise.interfaces.soap import Malformed, read_element
from ambroise.interfaces.xdm.archive import Archive, is_inside, joined, shown
from ambroise.interfaces.xds.ebrim import RegistryObject
from ambroise.interfaces.xds.names import LCM, tag
from ambroise.interfaces.xds.packages import Package, read_package
from ambroise.kernel.errors import Kind, Refusal

_ROOT: Final = "ihe_xdm"
_METADATA: Final = "metadata.xml"
_SUBMIT: Final = tag(LCM, "SubmitObjectsRequest")


class Subset(Struct, frozen=True):
    """One SubmissionSet of a zip: its folder, its metadata, its files by the id of their entry, what signs it too."""

    folder: str
    package: Package
    contents: dict[str, bytes]
    files: tuple[str, ...]
    """The file of each document, in the order of the package; what signs is none of them."""


def folders(archive: Archive) -> list[str]:
    """The folders that hold a SubmissionSet, in order. Refuses XDM_EMPTY."""
    found: list[str] = []
    for name in archive.names:
        parts = name.split("/")
        if len(parts) == 3 and parts[0].casefold() == _ROOT and parts[2].casefold() == _METADATA:
            found.append("/".join(parts[:2]))
    if not found:
        text = "There is no IHE_XDM/SUBSETnn/METADATA.XML in this zip: it is not an IHE XDM export (ITI-32)."
        raise Refusal(Kind.UNPROCESSABLE, "XDM_EMPTY", text)
    return sorted(found)


def read_subset(archive: Archive, folder: str) -> Subset:
    """One SubmissionSet, with every document checked against its hash and its size. Refuses XDM_…, METADATA_INVALID."""
    metadata = joined(folder, "METADATA.XML")
    try:
        package = read_package(read_element(archive.read(metadata), _SUBMIT))
    except Malformed as problem:
        text = f"{shown(metadata)} is not the metadata of a submission: {problem}."
        raise Refusal(Kind.UNPROCESSABLE, "METADATA_INVALID", text) from None
    except Refusal as refusal:
        refusal.diagnostics = f"{shown(metadata)}: {refusal.diagnostics}"
        raise
    contents: dict[str, bytes] = {}
    files: list[str] = []
    documents = package.documents
    for sent in package.entries:
        path = joined(folder, _uri(sent, metadata))
        if path not in archive:
            text = f"{shown(path)} is missing: {shown(metadata)} names it. Make the zip again, with it."
            raise Refusal(Kind.UNPROCESSABLE, "XDM_FILE_MISSING", text)
        content = archive.read(path)
        _check(sent, content, path)
        contents[sent.id] = content
        if sent in documents:
            files.append(path)
    return Subset(folder, package, contents, tuple(files))


def _uri(sent: RegistryObject, metadata: str) -> str:
    """Where the document is, beside its metadata; a long one comes in numbered pieces (IHE ITI TF-3, 4.2.3.2.27)."""
    pieces = [value.partition("|") for value in sent.slots.get("URI", ())]
    if len(pieces) > 1 and all(number.isdigit() and bar for number, bar, _ in pieces):
        written = "".join(piece for _, _, piece in sorted(pieces, key=lambda one: int(one[0])))
    else:
        written = "".join(part for piece in pieces[:1] for part in piece)
    if not written:
        text = f"{shown(metadata)} does not say in which file {shown(sent.id)} is (slot URI)."
        raise Refusal(Kind.UNPROCESSABLE, "XDM_FILE_MISSING", text)
    if not is_inside(written):
        text = f"{shown(metadata)} names a file outside of its folder: {shown(written)}."
        raise Refusal(Kind.UNPROCESSABLE, "ZIP_UNSAFE", text)
    return written


def _check(sent: RegistryObject, content: bytes, path: str) -> None:
    """Both are required in XDM (IHE ITI TF-3, table 4.2.3.1.7-2): a file that changed on its way is seen."""
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    hash_, size = (sent.slot("hash") or "").lower(), sent.slot("size") or ""
    if not hash_ or not size:
        text = f"The metadata of {shown(path)} have no hash or no size, which XDM requires."
        raise Refusal(Kind.UNPROCESSABLE, "XDM_HASH_MISSING", text)
    if hash_ != digest or size != str(len(content)):
        what = "size" if size != str(len(content)) else "hash"
        text = f"{shown(path)} is not what its metadata describe: the {what} differs. Make the zip again."
        raise Refusal(Kind.UNPROCESSABLE, "HASH_MISMATCH", text)
