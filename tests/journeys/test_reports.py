"""Reports that citizens and professionals send from their pages, and how they reach the desk, on a real record."""

from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from ambroise.interfaces.web import portals
from ambroise.interfaces.web.citizen.record import CitizenRecord
from ambroise.interfaces.web.desk.record import DeskRecord
from ambroise.interfaces.web.professional.record import ProfessionalRecord
from ambroise.interfaces.web.records import Records
from ambroise.kernel.crypto.application import ApplicationSecret
from ambroise.modules.identity.api import AccountKind, Identity, NewAccount, Situation
from ambroise.modules.identity.sealing import KeySealer
from ambroise.modules.record.api import Desk, Report, ReportKind, reports
from tests.integration.record.conftest import World
from tests.integration.record.test_feed_checks import LETTER, renumbered
from tests.journeys.support.portal import Portal
from tests.journeys.support.sample import _id
from tests.journeys.support.strict import StrictClient

OTHER_INS, UNKNOWN_INS = "255081416802538", "283093726199821"


@dataclass(frozen=True)
class Visitors:
    """A real record under its portals, with a document in it."""

    world: World
    application: Starlette
    document: UUID

    async def enter(self, name: str) -> StrictClient:
        transport = httpx.ASGITransport(self.application)
        visitor = StrictClient(httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000"))
        await visitor.get("/etre")
        return await visitor.press("Entrer : " + name)

    async def waiting(self) -> list[Report]:
        async with self.world.database.reader() as reader:
            return await reports.queue(reader, self.world.operator)

    async def traced(self) -> int:
        async with self.world.database.reader() as reader:
            query = "select count(*) from trace where patient = %s and event = 'report_made'"
            return await reader.fetch_value(query, (self.world.patient,))

    @property
    def record(self) -> str:
        return f"/pro/patients/{self.world.patient}"


@pytest.fixture
async def visitors(world: World) -> Visitors:
    document = (await world.submit(world.author, LETTER)).documents[0].document
    await world.authorise(world.author)
    identity = Identity(world.database, world.clock, KeySealer(ApplicationSecret(b"s" * 32)), demonstration=True)
    work = Situation("10", specialty="SM54", organization="1750803447", organization_name="Cabinet")
    people = (
        NewAccount(AccountKind.CITIZEN, "d@exemple.fr", "Dominique Fictive", patient=world.patient, demonstration=True),
        NewAccount(
            AccountKind.PROFESSIONAL,
            "801234567897",
            "Charles Muller",
            professional="801234567897",
            situations=(work,),
            demonstration=True,
        ),
        NewAccount(
            AccountKind.OPERATOR,
            "guichet",
            "Nadia Inventée",
            duties=frozenset({"support", "rectification"}),
            demonstration=True,
        ),
    )
    async with world.database.transaction() as tx:
        for one in people:
            await identity.create_account(tx, one)
    records = Records(world.database, world.gateway)
    pages = portals(
        identity,
        CitizenRecord(records, world.record),
        ProfessionalRecord(records, world.record),
        DeskRecord(world.database, Desk(world.record, world.gateway)),
    )
    return Visitors(world, Starlette(routes=pages), document)


async def test_a_citizen_reports_a_document_that_the_desk_takes_out(visitors: Visitors) -> None:
    citizen = await (await visitors.enter("Dominique Fictive")).get(f"/documents/{visitors.document}")
    await citizen.click("Ce document n’est pas à moi")
    assert citizen.address == f"/documents/{visitors.document}/signaler"
    await citizen.press("Envoyer le signalement", pourquoi=" ")
    assert citizen.status == 422
    assert "Dites en quelques mots pourquoi ce document n’est pas à vous" in citizen.words
    await citizen.press("Envoyer le signalement", pourquoi="Il porte un autre nom")
    assert citizen.address == f"/documents/{visitors.document}"
    assert "Signalement envoyé." in citizen.words
    [made] = await visitors.waiting()
    assert (made.kind, made.subject) == (ReportKind.MISFILED_DOCUMENT, str(visitors.document))
    assert await visitors.traced() == 1

    desk = await (await visitors.enter("Nadia Inventée")).get(f"/guichet?dossier={made.id}")
    assert "« Il porte un autre nom »" in desk.words
    assert str(visitors.document) in desk.words
    await desk.press("Terminer ce signalement", issue="moved_out", note="Il a quitté votre dossier.")
    assert await visitors.waiting() == []
    await citizen.get(f"/documents/{visitors.document}")
    assert citizen.status == 404


async def test_one_s_own_document_is_deleted_not_reported(portal: Portal) -> None:
    alice = await (await portal.as_person("Alice Fictive")).get(f"/documents/{_id('carnet')}")
    assert "Ce document n’est pas à moi" not in alice.words


async def test_a_professional_reports_a_document_of_somebody_else(visitors: Visitors) -> None:
    doctor = await (await visitors.enter("Charles Muller")).get(f"{visitors.record}/documents/{visitors.document}")
    await doctor.click("Ce document concerne quelqu’un d’autre")
    await doctor.press("Envoyer le signalement")
    assert "Dites en quelques mots ce qui montre l’erreur" in doctor.words
    await doctor.press("Envoyer le signalement", pourquoi="La date de naissance est une autre")
    assert doctor.address == f"{visitors.record}/documents/{visitors.document}"
    assert "Signalement envoyé au guichet." in doctor.words
    [made] = await visitors.waiting()
    assert made.kind is ReportKind.MISFILED_DOCUMENT
    assert made.reported_by == "professional:801234567897"
    assert made.details == {"words": "La date de naissance est une autre"}


async def test_a_professional_reports_a_duplicate_and_the_desk_keeps_either_record(visitors: Visitors) -> None:
    other = await visitors.world.create_space(OTHER_INS)
    doctor = await (await visitors.enter("Charles Muller")).get(visitors.record)
    await doctor.click("Signaler un doublon ou un changement d’INS")
    await doctor.press("Envoyer le signalement", probleme="doublon", matricule=UNKNOWN_INS)
    assert doctor.status == 422
    assert "Aucun dossier n’a cet INS." in doctor.words
    await doctor.press("Envoyer le signalement", probleme="doublon", matricule="2 79 03 51 215 189 89")
    assert "Cet INS est celui du même dossier." in doctor.words
    await doctor.press("Envoyer le signalement", probleme="doublon", matricule="2 55 08 14 168 025 38")
    assert doctor.address == visitors.record
    [made] = await visitors.waiting()
    assert (made.kind, made.subject) == (ReportKind.DUPLICATE_IDENTITY, str(other))

    desk = await (await visitors.enter("Nadia Inventée")).get(f"/guichet?dossier={made.id}")
    assert desk.page.cssselect("#autre")[0].get("value") == str(other)
    kept = str(visitors.world.patient)
    assert kept in desk.words, "either record may be kept"
    await desk.press("Terminer ce signalement", issue="merged", autre=kept, note="Vos dossiers sont réunis.")
    assert await visitors.waiting() == []
    sent = renumbered(LETTER.replace(b"279035121518989", OTHER_INS.encode()), b"2")
    filed = (await visitors.world.submit(visitors.world.author, sent)).documents[0]
    assert filed.patient == visitors.world.patient, "what comes under the other INS goes to the record that is kept"


async def test_a_professional_reports_a_changed_ins_that_the_desk_records(visitors: Visitors) -> None:
    doctor = await (await visitors.enter("Charles Muller")).get(f"{visitors.record}/signaler")
    await doctor.press("Envoyer le signalement", probleme="ins", matricule="255081416802539")
    assert "Ce matricule INS n’est pas valable." in doctor.words
    await doctor.press("Envoyer le signalement", probleme="ins", matricule="279035121518989")
    assert "C’est déjà l’INS de ce dossier." in doctor.words
    await doctor.press("Envoyer le signalement", probleme="ins", matricule=OTHER_INS, precisions="Carte Vitale lue")
    [made] = await visitors.waiting()
    assert made.details == {"words": "Carte Vitale lue", "matricule": OTHER_INS}
    assert await visitors.traced() == 1

    desk = await (await visitors.enter("Nadia Inventée")).get(f"/guichet?dossier={made.id}")
    assert desk.page.cssselect("#autre")[0].get("value") == OTHER_INS
    await desk.press("Terminer ce signalement", issue="ins_changed", note="C’est fait.")
    await doctor.get(f"/pro/patients?q={OTHER_INS}")
    assert doctor.address == visitors.record
