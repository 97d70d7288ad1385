import hashlib
import io
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import psycopg
import pytest
from obstore.store import MemoryStore

from ambroise.kernel.crypto import DataKeys, MasterKeys
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.kernel.objects import Blobs, open_store

SMALL = b"%PDF-1.7 a small document"
LARGE = bytes(range(256)) * 4 * 1024 * 3

PATIENT = new_id(17)


@pytest.fixture
def master(tmp_path: Path) -> MasterKeys:
    return MasterKeys.open(tmp_path / "master.key", create=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def blobs(master: MasterKeys, folder: Path) -> Blobs:
    return Blobs(DataKeys(master), open_store(f"file://{folder}"))


@pytest.fixture
async def kept(database: Database, blobs: Blobs) -> dict[bytes, UUID]:
    ids = {SMALL: new_id(shard_of(PATIENT)), LARGE: new_id(shard_of(PATIENT))}
    async with database.transaction() as tx:
        for content, id in ids.items():
            await blobs.put(tx, PATIENT, id, content, "application/pdf")
    return ids


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_document_comes_back_byte_for_byte(database: Database, blobs: Blobs, kept: dict[bytes, UUID]) -> None:
    async with database.reader() as reader:
        for content, id in kept.items():
            assert await blobs.get(reader, id) == content
            stream = await blobs.open_stream(reader, id)
            assert b"".join([chunk async for chunk in stream.chunks]) == content
            assert stream.info.sha256 == hashlib.sha256(content).digest()
            assert stream.info.sha1 == hashlib.sha1(content).digest()
            assert stream.info.size == len(content)
            assert stream.info.content_type == "application/pdf"
            assert await blobs.info(reader, id) == stream.info


async def test_only_a_large_document_goes_to_the_object_store(folder: Path, kept: dict[bytes, UUID]) -> None:
    assert len(files(folder)) == 1


async def test_a_document_given_as_a_file_is_the_same(database: Database, blobs: Blobs) -> None:
    async with database.transaction() as tx:
        for content in (SMALL, LARGE):
            source = io.BytesIO(b"skipped" + content)
            source.seek(7)
            id = new_id(17)
            await blobs.put(tx, PATIENT, id, source, "text/plain")
            assert await blobs.get(tx, id) == content


async def test_memory_stays_small_whatever_the_size_of_a_file(database: Database, blobs: Blobs, tmp_path: Path) -> None:
    size = 50 * 1024 * 1024
    source = tmp_path / "large"
    with source.open("wb") as file:
        file.truncate(size)
    id = new_id(17)
    tracemalloc.start()
    try:
        with source.open("rb") as file:
            async with database.transaction() as tx:
                await blobs.put(tx, PATIENT, id, file, "application/dicom")
        received = 0
        async with database.reader() as reader:
            stream = await blobs.open_stream(reader, id)
        async for chunk in stream.chunks:
            received += len(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert received == size
    assert peak < size / 4


async def test_a_remote_object_store_works_alike(database: Database, master: MasterKeys) -> None:
    blobs = Blobs(DataKeys(master), MemoryStore())
    id = new_id(17)
    async with database.transaction() as tx:
        await blobs.put(tx, PATIENT, id, LARGE, "text/plain")
    async with database.transaction() as tx:
        assert await blobs.get(tx, id) == LARGE
        await blobs.delete(tx, id)
    async with database.reader() as reader:
        with pytest.raises(Refusal, match="BLOB_UNKNOWN"):
            await blobs.get(reader, id)


async def test_nothing_is_readable_on_disk_or_in_the_database(
    fresh_database: object, database: Database, folder: Path, kept: dict[bytes, UUID]
) -> None:
    async with database.reader() as reader:
        stored = await reader.fetch_all("select data from blob_piece")
    assert stored
    assert all(SMALL not in data for (data,) in stored)
    assert all(LARGE[:64] not in file.read_bytes() for file in files(folder))


async def test_a_document_of_nobody_has_the_key_of_the_house(database: Database, blobs: Blobs) -> None:
    id = new_id()
    async with database.transaction() as tx:
        await blobs.put(tx, None, id, SMALL, "image/png")
        assert await blobs.get(tx, id) == SMALL


async def test_the_id_must_carry_the_citizens_shard(database: Database, blobs: Blobs) -> None:
    async with database.transaction() as tx:
        with pytest.raises(ValueError, match="shard"):
            await blobs.put(tx, PATIENT, new_id(18), SMALL, "image/png")


async def test_an_unknown_document_is_not_found(database: Database, blobs: Blobs) -> None:
    async with database.reader() as reader:
        with pytest.raises(Refusal) as refused:
            await blobs.get(reader, new_id(1))
    assert refused.value.kind is Kind.NOT_FOUND


async def test_a_document_moved_to_another_citizen_does_not_open(
    database: Database, blobs: Blobs, kept: dict[bytes, UUID]
) -> None:
    other = new_id(17)
    async with database.transaction() as tx:
        await blobs.put(tx, other, new_id(17), SMALL, "image/png")
        await tx.execute("update blob set patient = %s where id = %s", (other, kept[SMALL]))
        with pytest.raises(Exception, match="not what was sealed"):
            await blobs.get(tx, kept[SMALL])


async def test_a_content_said_to_be_of_another_form_does_not_open(
    database: Database, blobs: Blobs, kept: dict[bytes, UUID]
) -> None:
    async with database.transaction() as tx:
        await tx.execute("update blob set form = 1 where id = %s", (kept[SMALL],))
        with pytest.raises(Exception, match="not what was sealed"):
            await blobs.get(tx, kept[SMALL])


@pytest.mark.parametrize("missing", [0, 1, 4])
async def test_a_content_that_lost_a_piece_does_not_open(database: Database, blobs: Blobs, missing: int) -> None:
    content, id = Random(1).randbytes(40_000), new_id(17)
    async with database.transaction() as tx:
        await blobs.put(tx, PATIENT, id, content, "image/png")
        assert await tx.fetch_value("select count(*) from blob_piece where id = %s", (id,)) == 5
        assert await blobs.get(tx, id) == content
        await tx.execute("delete from blob_piece where id = %s and number = %s", (id, missing))
        with pytest.raises(Exception, match=r"not what was sealed|unknown envelope"):
            await blobs.get(tx, id)


async def test_a_piece_fills_a_page(database: Database, blobs: Blobs) -> None:
    async with database.transaction() as tx:
        await tx.execute("delete from blob_piece")
        await blobs.put(tx, PATIENT, new_id(17), Random(2).randbytes(8112 * 20 - 40), "image/png")
        pages = await tx.fetch_all("select (ctid::text::point)[0], count(*) from blob_piece group by 1")
    assert [count for _, count in pages] == [1] * 20


async def test_keeping_a_content_is_planned_once_whatever_its_length(database: Database, blobs: Blobs) -> None:
    for length in (100, 9_000, 200_000) * 5:
        async with database.transaction() as tx:
            await blobs.put(tx, PATIENT, new_id(17), Random(3).randbytes(length), "image/png")
    async with database.reader() as reader:
        # PostgreSQL plans a statement for its values five times before it settles on one plan.
        planned = "select statement, custom_plans from pg_prepared_statements where strpos(statement, 'blob') > 0"
        found = await reader.fetch_all(planned, prepare=False)
    assert found
    assert [statement for statement, plans in found if plans > 5] == []


async def test_a_purge_destroys_the_key_and_removes_everything(
    database: Database, blobs: Blobs, folder: Path, kept: dict[bytes, UUID]
) -> None:
    async with database.transaction() as tx:
        assert await blobs.purge(tx, PATIENT) == 2
    assert files(folder) == []
    async with database.transaction() as tx:
        wrapped = await tx.fetch_all("select wrapped, destroyed_at is not null from data_key")
        assert wrapped == [(None, True)]
        with pytest.raises(Refusal, match="KEY_DESTROYED"):
            await blobs.put(tx, PATIENT, new_id(17), SMALL, "image/png")


async def test_a_destroyed_key_makes_a_restored_row_unreadable(
    database: Database, blobs: Blobs, kept: dict[bytes, UUID]
) -> None:
    async with database.transaction() as tx:
        await tx.execute("create temporary table saved on commit drop as select * from blob")
        await tx.execute("create temporary table saved_pieces on commit drop as select * from blob_piece")
        await blobs.purge(tx, PATIENT)
        assert await tx.fetch_value("select count(*) from blob_piece") == 0
        await tx.execute("insert into blob select * from saved")
        await tx.execute("insert into blob_piece select * from saved_pieces")
        with pytest.raises(Refusal, match="KEY_DESTROYED"):
            await blobs.get(tx, kept[SMALL])


async def test_a_new_data_key_seals_everything_again(
    database: Database, blobs: Blobs, folder: Path, kept: dict[bytes, UUID]
) -> None:
    before = {file: file.read_bytes() for file in files(folder)}
    async with database.transaction() as tx:
        assert await blobs.rotate(tx, PATIENT) == 2
    assert len(files(folder)) == 1
    assert not before.keys() & set(files(folder))
    async with database.transaction() as tx:
        assert await tx.fetch_all(
            "select version, wrapped is null from data_key where patient = %s order by version", (PATIENT,)
        ) == [(1, True), (2, False)]
        for content, id in kept.items():
            assert await blobs.get(tx, id) == content
        await blobs.put(tx, PATIENT, new_id(17), SMALL, "image/png")


async def test_another_process_still_remembering_the_former_key_writes_with_the_new_one(
    database: Database, blobs: Blobs, master: MasterKeys, folder: Path, kept: dict[bytes, UUID]
) -> None:
    elsewhere = Blobs(DataKeys(master), open_store(f"file://{folder}"))
    async with database.transaction() as tx:
        await elsewhere.rotate(tx, PATIENT)
    id = new_id(17)
    async with database.transaction() as tx:
        await blobs.put(tx, PATIENT, id, LARGE, "image/png")
    async with database.reader() as reader:
        assert await elsewhere.get(reader, id) == LARGE


async def test_a_key_made_in_what_was_undone_is_made_again(database: Database, blobs: Blobs) -> None:
    patient, undone, kept = new_id(18), new_id(18), new_id(18)
    async with database.transaction() as tx:
        with pytest.raises(InterruptedError):
            async with tx.savepoint():
                await blobs.put(tx, patient, undone, SMALL, "application/pdf")
                raise InterruptedError
        await blobs.put(tx, patient, kept, SMALL, "application/pdf")
    async with database.reader() as reader:
        assert await blobs.get(reader, kept) == SMALL


async def test_a_new_master_key_wraps_every_data_key_again(
    database: Database, master: MasterKeys, folder: Path, blobs: Blobs, kept: dict[bytes, UUID]
) -> None:
    old = master.current
    keys = DataKeys(master)
    async with database.transaction() as tx:
        await keys.rotate_master(tx)
    async with database.transaction() as tx:
        assert await keys.rewrap(tx) == 1
        assert await keys.rewrap(tx) == 0
    master.forget(old)
    async with database.reader() as reader:
        assert await blobs.get(reader, kept[LARGE]) == LARGE


async def test_what_a_rolled_back_transaction_left_is_swept(
    database: Database, blobs: Blobs, folder: Path, kept: dict[bytes, UUID]
) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            await blobs.put(tx, PATIENT, new_id(17), LARGE, "image/png")
            raise RuntimeError
    assert len(files(folder)) == 2
    async with database.transaction() as tx:
        assert await blobs.sweep(tx, datetime.now(UTC)) == 0
        assert await blobs.sweep(tx, datetime.now(UTC) + timedelta(hours=2)) == 1
    assert len(files(folder)) == 1
    async with database.reader() as reader:
        assert await blobs.get(reader, kept[LARGE]) == LARGE


async def test_the_application_may_not_read_what_the_schema_hides(database: Database) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction() as tx:
            await tx.execute("delete from data_key")
