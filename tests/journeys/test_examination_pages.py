"""What was examined already is found before it is ordered again, and an image made twice is pointed out."""

import re

from ambroise.modules.profile.api import Code, Draft, Profile, Section
from tests.journeys.support.visitors import Visitors
from tests.support.cda_samples import cda, needs_samples

SCAN = "IMG_CR_IMG_2024.01.xml"


def later(content: bytes, day: bytes, number: int) -> bytes:
    """The report of another examination of the same sort, made on another day."""
    made = content.replace(b"20210108", day)
    return re.sub(
        rb"(<id root=\"[0-9.]+)(\"\s*(?:extension=\"[^\"]*\")?\s*/>)", rb"\g<1>.%d\g<2>" % number, made, count=1
    )


@needs_samples
async def test_examinations_are_found_with_their_day_and_an_image_made_twice_is_pointed_out(visitors: Visitors) -> None:
    world = visitors.world
    today = world.clock.now()
    for content in (cda("BIO-CR-BIO_2024.01_Electrophorese.xml"), cda(SCAN)):
        await world.submit(world.system, content)
    again = later(cda(SCAN), f"{today:%Y%m%d}".encode(), 7)
    second = (await world.submit(world.system, again)).documents[0].document
    blood = Draft(Section.BLOOD, "A positif", Code("http://snomed.info/sct", "278149003"))
    async with world.database.transaction() as tx:
        await Profile(world.database, world.gateway).add(tx, world.citizen, world.patient, blood)
    await world.authorise(world.author)
    doctor = await visitors.enter("Charles Muller")
    await doctor.get(f"{visitors.record}/examens")
    assert doctor.words.count("Scanographie du thorax") == 1, "the last time of each"
    assert "Amoxicilline+clavulanate - CMI Escherichia coli" in doctor.words
    assert "A positif" not in doctor.words, "what the person says is no examination"
    await doctor.press("Chercher", mots="scanographie tete")
    assert "Scanographie du crâne" in doctor.words
    assert "Récent" in doctor.words
    assert "aujourd’hui" in doctor.words
    assert "Amoxicilline" not in doctor.words
    await doctor.press("Chercher", mots="ferritine")
    await doctor.click("Chercher dans les documents")
    await doctor.get(f"{visitors.record}/documents/{second}")
    assert "Le même examen avait déjà été fait" not in doctor.words, "five years ago is not lately"
    third = (await world.submit(world.system, later(again, b"20210108", 8))).documents[0].document
    await doctor.get(f"{visitors.record}/documents/{third}")
    assert "Le même examen avait déjà été fait :" in doctor.words
    citizen = await visitors.enter("Dominique Fictive")
    await citizen.get(f"/documents/{third}")
    assert "Le même examen avait déjà été fait :" in citizen.words
    async with world.database.transaction() as tx:
        await world.record.mask(tx, world.citizen, str(second))
        await world.record.mask(tx, world.citizen, str(third))
    await doctor.get(f"{visitors.record}/examens?mots=scanographie")
    assert "aujourd’hui" not in doctor.words, "what is masked is not told by the back door"
    assert "il y a 5 ans" in doctor.words or "il y a 4 ans" in doctor.words
