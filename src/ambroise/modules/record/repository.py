"""The SQL of the record's own tables: unique ids, withheld documents, reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from ambroise.kernel.db import Answer, Reader, Row, Transaction, json_rows
from ambroise.kernel.ids import SHARDS, hash64, shard_of
from ambroise.modules.record.model import Outcome, Report, ReportKind, ReportState

_WAIT_TO_INDEX = json_rows("""
insert into record_to_index (shard, patient, document, attempts)
select x.shard, x.patient, x.document, x.attempts
from json_to_recordset(%s::json) as x (shard smallint, patient uuid, document uuid, attempts integer)
on conflict do nothing
""")


class Known(Struct, frozen=True):
    """A unique id already used: by which document of which space, and the hash of its bytes."""

    patient: UUID
    document: UUID
    binary: UUID
    sha256: bytes


def _unique_id_shard(unique_id: str) -> int:
    return hash64(unique_id) % SHARDS


async def known_unique_id(reader: Reader, unique_id: str) -> Known | None:
    """Who holds a unique id."""
    row = await reader.fetch_one(
        "select patient, document, binary_id, sha256 from record_unique_id where shard = %s and unique_id = %s",
        (_unique_id_shard(unique_id), unique_id),
    )
    return Known(row[0], row[1], row[2], bytes(row[3])) if row else None


def take_unique_id(tx: Transaction, unique_id: str, known: Known) -> Answer:
    """Reserve a unique id: one row is touched if it was free, with the next statement.

    A concurrent submission of the same id waits for the first to end.
    """
    return tx.ask(
        """
        insert into record_unique_id (shard, unique_id, patient, document, binary_id, sha256)
        values (%s, %s, %s, %s, %s, %s)
        on conflict do nothing
        """,
        (_unique_id_shard(unique_id), unique_id, known.patient, known.document, known.binary, known.sha256),
    )


async def with_same_bytes(reader: Reader, patient: UUID, document: UUID) -> list[UUID]:
    """The other documents of a patient whose bytes are those of this one."""
    rows = await reader.fetch_all(
        """
        select o.document
        from record_unique_id d
        join record_unique_id o on o.patient = d.patient and o.sha256 = d.sha256 and o.document <> d.document
        where d.patient = %s
          and d.document = %s
        order by o.document
        limit 20
        """,
        (patient, document),
    )
    return [row[0] for row in rows]


async def free_unique_id(tx: Transaction, patient: UUID, document: UUID) -> None:
    """Let the unique id of a document taken out of a space be used again, in the right one."""
    await tx.execute("delete from record_unique_id where patient = %s and document = %s", (patient, document))


async def withhold(
    tx: Transaction, patient: UUID, document: UUID, since: datetime, notice_at: datetime, visible_at: datetime
) -> None:
    """Start the two timers of a document withheld from the patient."""
    tx.enqueue(
        """
        insert into record_withheld (shard, patient, document, since, notice_at, visible_at)
        values (%s, %s, %s, %s, %s, %s)
        """,
        (shard_of(patient), patient, document, since, notice_at, visible_at),
    )


async def end_withholding(tx: Transaction, patient: UUID, document: UUID, at: datetime) -> bool:
    """Stop the timers of a document; whether they still ran."""
    ended = await tx.execute(
        """
        update record_withheld
        set ended_at = %s
        where shard = %s
          and patient = %s
          and document = %s
          and ended_at is null
        """,
        (at, shard_of(patient), patient, document),
    )
    return ended == 1


async def still_withheld(reader: Reader, patient: UUID, document: UUID) -> bool:
    """Whether the timers of a document still run."""
    return bool(
        await reader.fetch_value(
            """
            select true
            from record_withheld
            where shard = %s
              and patient = %s
              and document = %s
              and ended_at is null
            """,
            (shard_of(patient), patient, document),
        )
    )


async def remember_submission(tx: Transaction, patient: UUID, list: UUID, documents: Sequence[UUID]) -> None:
    """Write which documents the List of a submission names."""
    await tx.execute_many(
        "insert into record_submission (shard, patient, list, document) values (%s, %s, %s, %s)",
        [(shard_of(patient), patient, list, document) for document in documents],
    )


async def companions(reader: Reader, patient: UUID, document: UUID) -> dict[UUID, list[UUID]]:
    """The Lists that name a document, each with all the documents that it names."""
    rows = await reader.fetch_all(
        """
        select list, document
        from record_submission
        where shard = %(shard)s
          and patient = %(patient)s
          and list in (
            select list
            from record_submission
            where shard = %(shard)s and patient = %(patient)s and document = %(document)s
          )
        order by list, document
        """,
        {"shard": shard_of(patient), "patient": patient, "document": document},
    )
    found: dict[UUID, list[UUID]] = {}
    for list_, named in rows:
        found.setdefault(list_, []).append(named)
    return found


_OF_A_SPACE = (
    "record_withheld",
    "record_submission",
    "record_to_index",
    "record_text",
    "record_shelf",
    "record_folder",
)

_REPORT = """
  id, patient, kind, state, subject, reported_by, reported_at, details,
  taken_by, outcome, outcome_note, closed_by, closed_at
"""


async def insert_report(tx: Transaction, report: Report) -> None:
    """Write a new report."""
    await tx.execute(
        """
        insert into record_report (shard, patient, id, kind, state, subject, details, reported_by, reported_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            shard_of(report.patient),
            report.patient,
            report.id,
            report.kind.value,
            report.state.value,
            report.subject,
            Jsonb(dict(report.details)),
            report.reported_by,
            report.reported_at,
        ),
    )


async def hold_subject(tx: Transaction, patient: UUID, kind: ReportKind, subject: str) -> None:
    """Let one report at a time be made of the same thing."""
    await tx.execute("select pg_advisory_xact_lock(%s)", (hash64(f"report/{patient}/{kind.value}/{subject}"),))


async def report_of(tx: Transaction, id: UUID) -> Report | None:
    """One report, locked until the transaction ends so that two operators cannot close it at once."""
    row = await tx.fetch_one(
        f"select {_REPORT} from record_report where shard = %s and id = %s for update", (shard_of(id), id)
    )
    return _report(row) if row else None


async def reports(
    reader: Reader, states: Sequence[ReportState], kinds: Sequence[ReportKind], count: int, offset: int
) -> list[Report]:
    """The reports of a queue, oldest first."""
    rows = await reader.fetch_all(
        f"""
        select {_REPORT}
        from record_report
        where state = any(%s)
          and kind = any(%s)
        order by reported_at, id
        limit %s
        offset %s
        """,
        ([state.value for state in states], [kind.value for kind in kinds], count, offset),
    )
    return [_report(row) for row in rows]


async def reports_of(reader: Reader, patient: UUID) -> list[Report]:
    """The reports about one space, newest first."""
    rows = await reader.fetch_all(
        f"""
        select {_REPORT}
        from record_report
        where shard = %s
          and patient = %s
        order by reported_at desc, id
        """,
        (shard_of(patient), patient),
    )
    return [_report(row) for row in rows]


async def count_by_queue(reader: Reader) -> dict[tuple[ReportKind, ReportState], int]:
    """How many reports stand in each queue."""
    rows = await reader.fetch_all(
        "select kind, state, count(*) from record_report group by kind, state order by kind, state"
    )
    return {(ReportKind(kind), ReportState(state)): count for kind, state, count in rows}


async def update_report(tx: Transaction, report: Report) -> None:
    """Write where a report stands and how it ended."""
    await tx.execute(
        """
        update record_report
        set state = %s, taken_by = %s, outcome = %s, outcome_note = %s, closed_by = %s, closed_at = %s
        where shard = %s
          and patient = %s
          and id = %s
        """,
        (
            report.state.value,
            report.taken_by,
            report.outcome.value if report.outcome else None,
            report.outcome_note,
            report.closed_by,
            report.closed_at,
            shard_of(report.patient),
            report.patient,
            report.id,
        ),
    )


async def wait_to_index(tx: Transaction, patient: UUID, documents: Sequence[UUID], attempts: int = 0) -> None:
    """Have the words of documents indexed by the worker."""
    for document in documents:
        row = {"shard": shard_of(patient), "patient": patient, "document": document, "attempts": attempts}
        tx.write_last(_WAIT_TO_INDEX, row)


async def wait_to_index_all(tx: Transaction, documents: Sequence[tuple[UUID, UUID]]) -> None:
    """The same of the documents of several patients, given as (patient, document)."""
    await tx.execute_many(
        "insert into record_to_index (shard, patient, document) values (%s, %s, %s) on conflict do nothing",
        [(shard_of(patient), patient, document) for patient, document in documents],
    )


async def next_to_index(tx: Transaction, patient: UUID | None) -> tuple[UUID, UUID, int] | None:
    """Take one document that waits, of one patient or of any: the patient, the document, how often it was tried."""
    row = await tx.fetch_one(
        """
        delete from record_to_index
        where (shard, patient, document) = (
          select shard, patient, document
          from record_to_index
          where %(patient)s::uuid is null or (shard = %(shard)s and patient = %(patient)s)
          order by shard, patient, document
          limit 1
          for update skip locked
        )
        returning patient, document, attempts
        """,
        {"patient": patient, "shard": shard_of(patient) if patient else None},
    )
    return (row[0], row[1], row[2]) if row else None


async def documents_after(reader: Reader, after: UUID | None, *, limit: int) -> list[tuple[UUID, UUID]]:
    """Some of the documents of the instance, as (patient, document), in the order of their ids."""
    rows = await reader.fetch_all(
        """
        select patient, document
        from record_unique_id
        where %(after)s::uuid is null or document > %(after)s
        order by document
        limit %(limit)s
        """,
        {"after": after, "limit": limit},
    )
    return [(row[0], row[1]) for row in rows]


async def stems_of(reader: Reader, words: str) -> list[str]:
    """The stems of French words, those that say nothing left out."""
    rows = await reader.fetch_all("select unnest(tsvector_to_array(to_tsvector('french', %s)))", (words,))
    return [row[0] for row in rows]


async def keep_terms(
    tx: Transaction, patient: UUID, document: UUID, text_id: UUID, terms: Sequence[int]
) -> UUID | None:
    """Write what a document is found by; the text that this replaces, if any."""
    former = await forget_terms(tx, patient, document)
    await tx.execute(
        "insert into record_text (shard, patient, document, text_id, terms) values (%s, %s, %s, %s, %s)",
        (shard_of(patient), patient, document, text_id, list(terms)),
    )
    return former


async def forget_terms(tx: Transaction, patient: UUID, document: UUID) -> UUID | None:
    """Remove what a document is found by, also when it still waits; its text, if any."""
    key = (shard_of(patient), patient, document)
    await tx.flush()
    tx.enqueue("delete from record_to_index where shard = %s and patient = %s and document = %s", key)
    return await tx.fetch_value(
        "delete from record_text where shard = %s and patient = %s and document = %s returning text_id", key
    )


async def with_terms(reader: Reader, patient: UUID, terms: Sequence[int], *, limit: int) -> list[tuple[UUID, UUID]]:
    """The documents of a record that have all these terms, the newest first, each with its text."""
    rows = await reader.fetch_all(
        """
        select document, text_id
        from record_text
        where shard = %s
          and patient = %s
          and terms @> %s::bigint[]
        order by document desc
        limit %s
        """,
        (shard_of(patient), patient, list(terms), limit),
    )
    return [(row[0], row[1]) for row in rows]


async def erase(tx: Transaction, patient: UUID) -> None:
    """Remove what the record keeps beside the store for a space that is purged; reports stay, as their trace does."""
    await tx.execute("delete from record_unique_id where patient = %s", (patient,))
    for table in _OF_A_SPACE:
        await tx.execute(
            SQL("delete from {} where shard = %s and patient = %s").format(Identifier(table)),
            (shard_of(patient), patient),
        )


def _report(row: Row) -> Report:
    outcome = Outcome(row[9]) if row[9] else None
    return Report(
        id=row[0],
        patient=row[1],
        kind=ReportKind(row[2]),
        state=ReportState(row[3]),
        subject=row[4],
        reported_by=row[5],
        reported_at=row[6],
        details=row[7],
        taken_by=row[8],
        outcome=outcome,
        outcome_note=row[10],
        closed_by=row[11],
        closed_at=row[12],
    )
