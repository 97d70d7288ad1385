"""XDM zips for tests, written apart from the code that reads them."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lxml import etree

from ambroise.interfaces.xdm.filing import Zips
from ambroise.interfaces.xds.signing import Signing
from ambroise.kernel.crypto.certificates import Authorities, Revocations
from tests.support.xds import Entry, submission

LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"


def zips_of(world: Any) -> Zips:
    """The use case over a record alone, where nobody's signature is believed."""
    return Zips(world.database, world.gateway, world.record, Signing(Authorities(None), Revocations(None)))


def metadata(*entries: Entry, set_id: str | None = None) -> bytes:
    """A METADATA.XML; a document is in the file that its slot URI names, `ID.XML` unless the entry says another."""
    named = [
        one if "URI" in one.slots else replace(one, slots={**one.slots, "URI": f"{one.id}.XML"}) for one in entries
    ]
    body = etree.fromstring(submission(*named, documents="", set_id=set_id))
    found = body.find(f"{{{LCM}}}SubmitObjectsRequest")
    assert found is not None
    return etree.tostring(found)


def xdm(*sets: tuple[Entry, ...], **files: Any) -> bytes:
    """A zip with one folder for each set; `files` are put beside, or in the place of those (None: left out)."""
    made: dict[str, bytes] = {"INDEX.HTM": b"<html></html>", "README.TXT": b"Lisez"}
    for number, entries in enumerate(sets, start=1):
        folder = f"IHE_XDM/SUBSET{number:02}"
        made[f"{folder}/METADATA.XML"] = metadata(*entries)
        for one in entries:
            made[f"{folder}/{one.slots.get('URI') or f'{one.id}.XML'}"] = one.content
    made |= files.pop("files", {})
    return zipped({name: content for name, content in made.items() if content is not None})


def zipped(files: Mapping[str, bytes], *, attributes: Mapping[str, int] | None = None) -> bytes:
    """A zip of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (attributes or {}).get(name, 0o100644) << 16
            written.writestr(entry, content)
    return out.getvalue()


def unzipped(content: bytes) -> dict[str, bytes]:
    """The files of a zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as read:
        return {name: read.read(name) for name in read.namelist()}
