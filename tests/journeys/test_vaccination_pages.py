"""Vaccinations: told by the person, confirmed or entered by a professional, printed with who wrote each line."""

import io
from pathlib import Path

import pypdf
import pytest

from ambroise.kernel.errors import Refusal
from ambroise.modules.profile.api import Draft, Profile, Section, codes
from tests.journeys.support.browser import faults, needs_chromium
from tests.journeys.support.visitors import Visitors
from tests.journeys.test_synthesis_pages import qualified, told
from tests.support.schematron import check_cda

FLU = Draft(Section.VACCINATIONS, "Vaccin de la grippe", start="2024-10")
SECRET = Draft(Section.VACCINATIONS, "Vaccin caché", start="2023-02-01")


async def signed(visitors: Visitors, type: str) -> list[bytes]:
    world = visitors.world
    async with world.database.reader() as reader:
        profile = Profile(world.database, world.gateway)
        found = await profile.documents(reader, world.author, world.patient, type)
        return [(await world.gateway.document_content(reader, world.author, one.id))[1] for one in found]


async def test_a_vaccination_is_confirmed_or_entered_by_a_professional_and_stays_as_it_is(
    visitors: Visitors, tmp_path: Path
) -> None:
    world, measles = visitors.world, codes.published("vaccine")[1]
    mine = Draft(Section.VACCINATIONS, measles.label, measles, start="1991-05-02")
    await qualified(visitors)
    await told(visitors, FLU, SECRET, mine)
    profile = Profile(world.database, world.gateway)
    lines = (await profile.sheet(world.citizen, world.patient))[Section.VACCINATIONS].items
    line = {one.name: one for one in lines}
    async with world.database.transaction() as tx:
        await profile.hide(tx, world.citizen, world.patient, line[SECRET.name].reference, hidden=True)

    doctor = await visitors.enter("Charles Muller")
    await doctor.get(f"{visitors.record}/synthese")
    await doctor.click("Vaccinations")
    assert "Vaccin de la grippe octobre 2024 Noté par le patient" in doctor.words
    assert SECRET.name not in doctor.words
    hidden = await visitors.enter("Charles Muller")
    await hidden.get(f"{visitors.record}/vaccinations/{line[SECRET.name].id}")
    assert hidden.status == 404, "what is hidden is not confirmed, for the document would show it"

    for name, how in ((FLU.name, "preuve"), (measles.label, "moi")):
        await doctor.get(f"{visitors.record}/vaccinations/{line[name].id}")
        await doctor.press("Signer", signe="y", qui=how, lot="A7", rang="2")
        assert "/depose/" in doctor.address, doctor.words
        async with world.database.transaction() as tx:
            with pytest.raises(Refusal, match="PROFILE_CONFIRMED"):
                await profile.remove(tx, world.citizen, world.patient, line[name].reference)
    for content in await signed(visitors, "11369-6"):
        assert [str(one) for one in check_cda(content, "CI-SIS_VAC_2023.01.sch")] == []

    medicines = tmp_path / "CIS_bdpm.txt"
    medicines.write_text("60886387\tVACCIN RABIQUE PASTEUR\n", "latin-1")
    async with world.database.transaction() as tx:
        await codes.bring(tx, medicines, "bdpm", world.clock.now())
    await doctor.get(f"{visitors.record}/vaccinations/noter")
    await doctor.press("Signer", vaccin="Vaccin rabique Pasteur", jour="2999-01-01", signe="y")
    assert doctor.status == 422
    await doctor.press("Signer", jour="2025-06-01", protege=measles.code, voie="20035000", lot="B8", signe="y")
    assert "/depose/" in doctor.address, doctor.words
    (content,) = await signed(visitors, "87273-9")
    assert [str(one) for one in check_cda(content, "CI-SIS_VAC-NOTE_2023.01.sch")] == []
    async with world.database.reader() as reader:
        query = "select count(*) from notification where patient = %s and code = 'AJOUT_VACCINATION'"
        told_of = await reader.fetch_value(query, (world.patient,))
    assert told_of == 3

    citizen = await visitors.enter("Dominique Fictive")
    await citizen.get("/profil/vaccinations")
    assert "Certificat (PDF)" in citizen.words
    answer = await citizen.http.get("/profil/vaccinations/certificat.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    paper = " ".join(
        " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages).split()
    )
    assert "Vaccin rabique Pasteur" in paper
    assert "Lu dans « Note de vaccination »" in paper
    assert SECRET.name not in paper


@needs_chromium
async def test_vaccinations_are_accessible_and_fit(visitors: Visitors) -> None:
    await told(visitors, FLU)
    profile = Profile(visitors.world.database, visitors.world.gateway)
    (line,) = (await profile.sheet(visitors.world.citizen, visitors.world.patient))[Section.VACCINATIONS].items
    places = [f"{visitors.record}/vaccinations{place}" for place in ("", "/noter", f"/{line.id}")]
    assert await faults(visitors.application, "Charles Muller", places) == []
