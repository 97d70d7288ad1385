"""Who sees a document as it is masked, withheld, replaced, withdrawn; and what follows it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg.sql import SQL, Identifier

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.modules.notification.api import notices
from ambroise.modules.record.api import Desk, Handlers, Incoming, Outcome, ReportKind, Submission, reports
from ambroise.trust.context import Citizen, Context, System
from tests.integration.record.conftest import World, patient_resource
from tests.integration.record.test_feed_checks import LETTER, ROOT, renumbered, said

BIOLOGY = (ROOT / "examples" / "documents" / "biology.xml").read_bytes()
FLAG = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"


def flagged(code: str) -> dict[str, Any]:
    return said(securityLabel=[{"coding": [{"system": FLAG, "code": code}]}])


async def sees(world: World, ctx: Context, id: UUID, type: str = "DocumentReference") -> bool:
    async with world.database.reader() as reader:
        try:
            await world.gateway.read(reader, ctx, type, str(id))
        except Refusal as refusal:
            if refusal.kind is not Kind.NOT_FOUND:
                raise
            return False
    return True


async def found(world: World, ctx: Context, type: str) -> int:
    async with world.database.reader() as reader:
        query = parse(type, [("patient", f"Patient/{world.patient}")])
        return len((await world.gateway.search(reader, ctx, query)).entries)


async def test_masking_hides_a_document_and_all_that_it_says_from_professionals(world: World) -> None:
    reader = world.professional()
    await world.authorise(reader)
    filed = (await world.submit(world.system, BIOLOGY)).documents[0]
    assert filed.extracted > 0
    seen = await found(world, reader, "Observation")
    assert seen == filed.extracted
    async with world.database.transaction() as tx:
        masked = await world.record.mask(tx, world.citizen, str(filed.document))
    assert masked.version == 2
    assert await found(world, reader, "Observation") == 0
    assert await found(world, reader, "DocumentReference") == 0
    assert await found(world, reader, "List") == 0
    assert not await sees(world, reader, filed.document)
    assert not await sees(world, reader, filed.binary, "Binary")
    assert await sees(world, world.citizen, filed.document)
    async with world.database.transaction() as tx:
        await world.record.unmask(tx, world.citizen, str(filed.document))
    assert await found(world, reader, "Observation") == seen


async def test_each_version_of_the_metadata_has_its_own_entry_uuid_under_one_id(world: World) -> None:
    filed = (await world.submit(world.author, LETTER)).documents[0]
    async with world.database.transaction() as tx:
        after = await world.record.mask(tx, world.citizen, str(filed.document))
    assert filed.stored is not None

    def entry_uuid(body: bytes) -> str:
        identifiers = decode(body)["identifier"]
        return next(one["value"] for one in identifiers if "entryUUID" in str(one.get("type")))

    assert entry_uuid(filed.stored.body) != entry_uuid(after.body)
    assert decode(after.body)["masterIdentifier"] == decode(filed.stored.body)["masterIdentifier"]


async def deliver(world: World) -> None:
    subscriptions = Subscriptions()
    for event, handler in Handlers(world.record, world.clock).table().items():
        subscriptions.on(event, handler)
    delivery = Delivery(world.database, subscriptions, world.clock)
    await delivery.deliver_all()


async def codes(world: World) -> list[str]:
    async with world.database.reader() as reader:
        return [notice.code for notice in await notices(reader, world.citizen)]


async def test_a_withheld_document_is_told_of_after_two_weeks_and_visible_after_a_month(world: World) -> None:
    filed = (await world.submit(world.author, LETTER, flagged("INVISIBLE_PATIENT"))).documents[0]
    assert not await sees(world, world.citizen, filed.document)
    assert await codes(world) == []
    world.clock.move(timedelta(days=13))
    await deliver(world)
    assert await codes(world) == []
    world.clock.move(timedelta(days=1, minutes=1))
    await deliver(world)
    assert await codes(world) == ["DOC_INVISIBLE_PATIENT"]
    assert not await sees(world, world.citizen, filed.document)
    world.clock.move(timedelta(days=17))
    await deliver(world)
    assert await codes(world) == ["REMISE_VISIBILITE_AUTO", "DOC_INVISIBLE_PATIENT"]
    assert await sees(world, world.citizen, filed.document)


async def test_the_end_of_withholding_tells_representatives_nothing_of_what_is_kept_from_them(world: World) -> None:
    both = ("INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX")
    flags = said(securityLabel=[{"coding": [{"system": FLAG, "code": one}]} for one in both])
    await world.submit(world.author, LETTER, flags)
    world.clock.move(timedelta(days=32))
    await deliver(world)
    assert "REMISE_VISIBILITE_AUTO" in await codes(world)
    acting = world.context(Citizen(UUID(int=7), "Parent"), acting_for=world.patient, relation="representative")
    async with world.database.reader() as reader:
        assert await notices(reader, acting) == []


async def test_a_disclosure_visit_stops_the_timers(world: World) -> None:
    filed = (await world.submit(world.author, LETTER, flagged("INVISIBLE_PATIENT"))).documents[0]
    async with world.database.transaction() as tx:
        await world.record.disclose(tx, world.author, str(filed.document))
    assert await sees(world, world.citizen, filed.document)
    world.clock.move(timedelta(days=60))
    await deliver(world)
    assert "REMISE_VISIBILITE_AUTO" not in await codes(world)


async def test_a_representative_does_not_see_what_is_withheld_from_representatives(world: World) -> None:
    async with world.database.transaction() as tx:
        parent = await world.gateway.create(tx, world.system, patient_resource("124018852493334"))
        await world.gateway.rights.set_relation(tx, world.system, world.patient, parent.key, "representative")
    acting = world.context(Citizen(parent.key, "Parent"), acting_for=world.patient, relation="representative")
    secret = (await world.submit(world.author, LETTER, flagged("INVISIBLE_REPRESENTANTS_LEGAUX"))).documents[0]
    plain = (await world.submit(world.author, renumbered(LETTER, b"77"))).documents[0]
    assert await sees(world, acting, plain.document)
    assert not await sees(world, acting, secret.document)
    assert await sees(world, world.citizen, secret.document)


async def test_a_replacement_supersedes_the_old_document(world: World) -> None:
    old = (await world.submit(world.author, LETTER)).documents[0]
    link = said(relatesTo=[{"code": "replaces", "target": {"reference": f"DocumentReference/{old.document}"}}])
    new = (await world.submit(world.author, renumbered(LETTER, b"2"), link)).documents[0]
    async with world.database.reader() as reader:
        before = decode((await world.gateway.read(reader, world.citizen, "DocumentReference", str(old.document))).body)
        after = decode((await world.gateway.read(reader, world.citizen, "DocumentReference", str(new.document))).body)
    assert before["status"] == "superseded"
    assert after["relatesTo"][0]["target"]["reference"] == f"DocumentReference/{old.document}"
    with pytest.raises(Refusal) as refused:
        await world.submit(world.author, renumbered(LETTER, b"3"), link)
    assert refused.value.code == "REPLACED_ALREADY"


async def test_a_document_of_another_patient_is_not_replaced(world: World) -> None:
    async with world.database.transaction() as tx:
        elsewhere = await world.gateway.create(tx, world.system, patient_resource("124018852493334"))
    other = LETTER.replace(b"279035121518989", b"124018852493334")
    theirs = (await world.submit(world.author, other)).documents[0]
    link = said(relatesTo=[{"code": "replaces", "target": {"reference": f"DocumentReference/{theirs.document}"}}])
    with pytest.raises(Refusal) as refused:
        await world.submit(world.author, renumbered(LETTER, b"2"), link)
    assert (refused.value.code, theirs.patient) == ("REPLACEMENT_OTHER_PATIENT", elsewhere.key)
    async with world.database.reader() as reader:
        kept = decode((await world.gateway.read(reader, world.author, "DocumentReference", str(theirs.document))).body)
    assert kept["status"] == "current"


async def test_a_document_may_replace_one_that_is_unknown_here(world: World) -> None:
    unknown = f"DocumentReference/{world.patient}"
    link = said(relatesTo=[{"code": "replaces", "target": {"reference": unknown}}])
    filed = (await world.submit(world.author, LETTER, link)).documents[0]
    async with world.database.reader() as reader:
        kept = decode((await world.gateway.read(reader, world.author, "DocumentReference", str(filed.document))).body)
    assert kept["relatesTo"][0]["target"]["reference"] == unknown


async def test_only_the_author_withdraws_and_then_nobody_sees(world: World) -> None:
    other = world.professional()
    await world.authorise(other)
    filed = (await world.submit(world.author, LETTER)).documents[0]
    async with world.database.transaction() as tx:
        with pytest.raises(Refusal) as refused:
            await world.record.withdraw(tx, other, str(filed.document))
    assert refused.value.kind is Kind.FORBIDDEN
    async with world.database.transaction() as tx:
        await world.record.withdraw(tx, world.author, str(filed.document))
    for ctx in (other, world.author, world.citizen):
        assert not await sees(world, ctx, filed.document)


async def test_a_list_of_several_documents_is_as_hidden_as_the_most_hidden(world: World) -> None:
    reader = world.professional()
    await world.authorise(reader)
    async with world.database.transaction() as tx:
        both = Submission((Incoming(LETTER), Incoming(BIOLOGY)))
        submitted = await world.record.submit(tx, world.system, both)
    assert submitted.submission_set is not None
    listed = submitted.submission_set.key
    assert await sees(world, reader, listed, "List")
    async with world.database.transaction() as tx:
        await world.record.mask(tx, world.citizen, str(submitted.documents[0].document))
    assert not await sees(world, reader, listed, "List")
    async with world.database.transaction() as tx:
        await world.record.unmask(tx, world.citizen, str(submitted.documents[0].document))
    assert await sees(world, reader, listed, "List")


async def test_a_misfiled_document_is_taken_out_and_its_unique_id_is_free_again(world: World) -> None:
    filed = (await world.submit(world.author, LETTER)).documents[0]
    async with world.database.transaction() as tx:
        made = await reports.report(tx, world.citizen, world.patient, ReportKind.MISFILED_DOCUMENT, str(filed.document))
    desk = Desk(world.record, world.gateway)
    async with world.database.transaction() as tx:
        await reports.take(tx, world.operator, made.id)
        await desk.end(tx, world.operator, made.id, Outcome.MOVED_OUT, "Autre personne")
    assert not await sees(world, world.citizen, filed.document)
    assert "REPONSE_SUPPORT" in await codes(world)
    again = (await world.submit(world.author, LETTER)).documents[0]
    assert again.document != filed.document
    async with world.database.reader() as reader:
        events = {
            row[0] for row in await reader.fetch_all("select event from trace where patient = %s", (world.patient,))
        }
    assert {"report_made", "withdrawn", "report_closed"} <= events


async def test_a_changed_ins_leads_to_the_same_space(world: World) -> None:
    async with world.database.transaction() as tx:
        made = await reports.report(
            tx,
            world.operator,
            world.patient,
            ReportKind.CHANGED_INS,
            str(world.patient),
            {"matricule": "255081416802538"},
        )
        await Desk(world.record, world.gateway).end(tx, world.operator, made.id, Outcome.INS_CHANGED, "")
    renamed = LETTER.replace(b"279035121518989", b"255081416802538")
    assert (await world.submit(world.author, renamed)).documents[0].patient == world.patient
    former = renumbered(LETTER, b"4")
    assert (await world.submit(world.author, former)).documents[0].patient == world.patient


async def test_a_duplicate_identity_leads_to_the_space_that_is_kept(world: World) -> None:
    async with world.database.transaction() as tx:
        double = await world.gateway.create(tx, world.system, patient_resource("255081416802538"))
        made = await reports.report(tx, world.operator, double.key, ReportKind.DUPLICATE_IDENTITY, str(world.patient))
        await Desk(world.record, world.gateway).end(tx, world.operator, made.id, Outcome.MERGED, "")
    sent = LETTER.replace(b"279035121518989", b"255081416802538")
    assert (await world.submit(world.author, sent)).documents[0].patient == world.patient


async def test_a_purge_erases_everything_of_a_space_but_its_trace(world: World) -> None:
    kept = await world.create_space("255081416802538")
    await world.submit(world.system, LETTER)
    await world.submit(world.system, LETTER_OF_ANOTHER)
    job = world.context(System("retention"), channel="job")
    async with world.database.transaction() as tx:
        await world.record.purge(tx, job, world.patient)
    async with world.database.reader() as reader:
        for table in _TABLES_OF_A_SPACE:
            query = SQL("select count(*) from {} where patient = %s").format(Identifier(table))
            assert await reader.fetch_value(query, (world.patient,)) == 0, table
            assert await reader.fetch_value(query, (kept,)) > 0 or table == "notification", table
        assert await reader.fetch_value(
            "select bool_and(wrapped is null) from data_key where patient = %s", (world.patient,)
        )
        assert await reader.fetch_value("select count(*) from trace where patient = %s", (world.patient,)) > 0
    with pytest.raises(Refusal) as refused:
        await world.submit(world.system, renumbered(LETTER, b"5"))
    assert refused.value.code == "DMP_NOT_FOUND"


LETTER_OF_ANOTHER = renumbered(LETTER, b"6").replace(b"279035121518989", b"255081416802538")
_TABLES_OF_A_SPACE = ("resource", "blob", "identity_registry", "identity_matricule", "record_unique_id", "notification")
