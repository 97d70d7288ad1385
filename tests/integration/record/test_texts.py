"""Searching inside documents: French words, within one record, for who may see the document, until it goes."""

import asyncio
import time
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ambroise.interfaces.demonstration.pdf_writer import Letter, write
from ambroise.kernel.errors import Refusal
from ambroise.modules.record.api import Indexer, Texts, index_again
from ambroise.modules.record.content.words import folded, words_of
from ambroise.modules.record.indexing import share_beside
from ambroise.trust.context import Context
from tests.integration.record.conftest import World
from tests.integration.record.test_feed_checks import LETTER

MOMENT = datetime(2026, 3, 4, tzinfo=UTC)


async def titles(texts: Texts, ctx: Context, world: World, words: str) -> list[str]:
    return [hit.document.title for hit in await texts.search(ctx, world.patient, words)]


async def count(world: World, table: str) -> int:
    async with world.database.reader() as reader:
        return await reader.fetch_value(f"select count(*) from {table}")  # pyright: ignore[reportArgumentType]


async def test_words_are_found_inside_by_who_sees_the_document_and_by_nobody_else(world: World, samples: Path) -> None:
    texts, doctor, stranger = Texts(world.database, world.gateway), world.professional(1), world.professional(2)
    await world.authorise(doctor)
    summary = (await world.submit(world.system, (samples / "cda" / "VSM_1.4_2022.01.xml").read_bytes())).documents[0]
    await world.submit(world.system, LETTER)
    # Accents, capitals and plurals are no matter; every word must be there; the table cells are apart.
    for words in (
        "Angine de poitrine",
        "ANGINES poitrines",
        "pyélonéphrite aiguë",
        "pyelonephrites aigues",
        "d’endoprothèses",
    ):
        assert await titles(texts, world.citizen, world, words) == ["Synthèse Médicale"], words
    assert await titles(texts, world.citizen, world, "cannabis zzz") == []
    assert await titles(texts, world.citizen, world, "le la des") == []
    (hit,) = await texts.search(world.citizen, world.patient, "pyelonephrites")
    assert "pyelonephrite" in [folded(piece.text) for piece in hit.extract if piece.found]
    assert len("".join(piece.text for piece in hit.extract)) < 400
    assert await titles(texts, doctor, world, "cannabis") == ["Synthèse Médicale"]
    assert await titles(texts, stranger, world, "cannabis") == []
    # Nothing is left of a masked document for a professional, not even a count; nor of one that was withdrawn.
    async with world.database.transaction() as tx:
        await world.record.mask(tx, world.citizen, str(summary.document))
    assert await titles(texts, doctor, world, "cannabis") == []
    assert await titles(texts, world.citizen, world, "cannabis") == ["Synthèse Médicale"]
    assert await count(world, "record_text") == 2
    async with world.database.transaction() as tx:
        await world.record.withdraw(tx, world.system, str(summary.document))
    assert await titles(texts, world.citizen, world, "cannabis") == []
    assert await count(world, "record_text") == 1


async def test_a_purge_takes_the_index_and_the_texts_and_a_store_from_before_is_indexed_again(world: World) -> None:
    texts = Texts(world.database, world.gateway)
    await world.submit(world.system, LETTER)
    assert await texts.work(world.clock, seconds=5) == 1
    assert await texts.work(world.clock, seconds=5) == 0
    assert await index_again(world.database) == 1
    blobs = await count(world, "blob")
    assert await texts.work(world.clock, seconds=5) == 1
    assert (await count(world, "record_text"), await count(world, "blob")) == (1, blobs), "made anew, once"
    async with world.database.reader() as reader:
        row = await reader.fetch_one("select terms::text from record_text")
    assert row is not None
    assert "consult" not in row[0]
    async with world.database.transaction() as tx:
        await world.record.purge(tx, world.context(world.system.actor, channel="job"), world.patient)
    assert [await count(world, table) for table in ("record_text", "record_to_index", "blob")] == [0, 0, 0]


async def test_what_is_filed_is_indexed_without_being_sought_for(world: World) -> None:
    await world.submit(world.system, LETTER)
    working = asyncio.create_task(Indexer(Texts(world.database, world.gateway), world.clock).run())
    try:
        for _ in range(200):
            if await count(world, "record_text"):
                break
            await asyncio.sleep(0.1)
    finally:
        working.cancel()
    assert (await count(world, "record_text"), await count(world, "record_to_index")) == (1, 0)


@pytest.mark.parametrize(("busy", "share"), [(0.0, 0.5), (0.3, 0.5), (0.7, 0.3), (0.95, 0.1), (1.4, 0.1)])
def test_indexing_takes_what_requests_leave(busy: float, share: float) -> None:
    assert share_beside(busy) == pytest.approx(share)


async def test_nobody_but_the_instance_takes_contents_without_a_trace(world: World) -> None:
    filed = (await world.submit(world.system, LETTER)).documents[0]
    for ctx in (world.citizen, world.author, world.operator):
        with pytest.raises(Refusal) as refused:
            async with world.database.reader() as reader:
                await world.gateway.content_to_index(reader, ctx, filed.document)
        assert refused.value.code == "INDEXING_RESERVED"


def test_the_words_of_each_sort_of_file_are_read() -> None:
    letter = Letter("Échographie", ("Cabinet",), ("Dominique",), "Tours", ("Lésion du ménisque.",), ("Dr",), MOMENT)
    assert "Lésion du ménisque" in words_of(write(letter))
    assert words_of("Œdème\u00a0léger".encode()) == "Œdème léger"
    assert folded("Œdème l\u2019ÉTÉ") == "oedeme l'ete"
    rtf = rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0\b Fi\'e8vre\b0  et toux}"
    assert words_of(rtf) == "Fièvre et toux"
    assert words_of(b"\xff\xd8\xff\xe0") == words_of(b"%PDF-1.4 broken") == words_of(b"<ClinicalDocument") == ""


def pdf(content: bytes, forms: Sequence[bytes] = ()) -> bytes:
    """A PDF of one page and its forms, each of which may show the next one."""

    def stream(data: bytes, more: bytes = b"") -> bytes:
        packed = zlib.compress(data, 9)
        return b"<</Length %d/Filter/FlateDecode%s>>stream\n%s\nendstream" % (len(packed), more, packed)

    def resources(number: int) -> bytes:
        shown = b"/XObject<</F%d %d 0 R>>" % (number, 6 + number) if number < len(forms) else b""
        return b"/Resources<</Font<</A 4 0 R>>%s>>" % shown

    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[5 0 R]/Count 1>>",
        stream(content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 3 0 R%s>>" % resources(0),
        *(
            stream(form, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]" + resources(number))
            for number, form in enumerate(forms, 1)
        ),
    ]
    written, places = b"%PDF-1.7\n", b""
    for number, one in enumerate(objects, 1):
        places += b"%010d 00000 n \n" % len(written)
        written += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + places
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(written))
    return written + table + trailer


def test_a_pdf_made_to_be_read_for_ever_is_given_up() -> None:
    words = b"BT /A 1 Tf (words) Tj ET "
    assert words_of(pdf(words)) == "words"
    assert words_of(pdf(b"/F0 Do ", [words])) == "words"
    each_shows_the_next = [b"/F%d Do " % number * 8 for number in range(1, 12)]
    for hostile in (pdf(words * 400_000), pdf(b"/F0 Do " * 8, [*each_shows_the_next, words])):
        assert len(hostile) < 50_000
        began = time.process_time()
        words_of(hostile)
        assert time.process_time() - began < 8
