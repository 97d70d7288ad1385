"""The versions of one document, as they come out of the record by each way."""

from __future__ import annotations

import io
import zipfile

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.interfaces.xdm.writing import Exports
from ambroise.modules.record.api import ClinicalDocument, read_cda, read_document
from tests.journeys.support.visitors import Visitors


async def follow_each_other(visitors: Visitors, type: str, count: int) -> None:
    """Ask that the documents of a type be versions 1, 2, 3… of one set, each replacing the one before it.

    As a reader of FHIR gets them, as software that knows the unique id does (ITI-43), and in a zip (XDM).
    """
    world = visitors.world
    pairs = [("patient", f"Patient/{world.patient}"), ("type", type), ("status", "current,superseded")]
    async with world.database.reader() as reader:
        page = await world.gateway.search(reader, world.author, parse("DocumentReference", pairs))
        documents = [read_document(decode(stored.body)) for stored, _ in page.entries]
        by_id = [(await world.gateway.document_content(reader, world.author, one.id))[1] for one in documents]
        by_name = [(await world.record.content_under(reader, world.author, one.unique_id))[1] for one in documents]
    zipped = await Exports(world.database, world.gateway, "2.25.1").of(world.author, [one.id for one in documents])
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        papers = [archive.read(name) for name in archive.namelist() if name.startswith("IHE_XDM/")]
    in_zip = [one for one in papers if b"<ClinicalDocument" in one]
    for way in (by_id, by_name, in_zip):
        read = sorted((read_cda(one) for one in way), key=lambda one: one.version or 0)
        assert [one.version for one in read] == list(range(1, count + 1))
        assert {one.set_id for one in read} == {read[0].identifier}, "the set bears the name of the first"
        former: list[ClinicalDocument | None] = [None, *read]
        for one, before in zip(read, former, strict=False):
            assert one.replaces == ((before.identifier,) if before else ())
