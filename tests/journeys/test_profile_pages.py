"""The medical profile in its pages: lines that go together, measures, for the person and for who cares for them."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from ambroise.kernel.errors import Refusal
from ambroise.modules.directory import api as directory
from ambroise.modules.prevention.api import Prevention
from ambroise.modules.profile.api import Code, Draft, Profile, Section, codes
from ambroise.trust.context import Context, System
from tests.journeys.support.visitors import Visitors
from tests.journeys.test_synthesis_pages import qualified, told
from tests.support.cda_samples import mended, needs_samples


@needs_samples
async def test_lines_that_go_together_and_computed_measures_are_shown_to_the_person_and_to_the_doctor(
    visitors: Visitors,
) -> None:
    await qualified(visitors)
    await told(visitors, Draft(Section.ILLNESSES, "Diabète", start="2015"))
    citizen = await visitors.enter("Dominique Fictive")
    await citizen.get("/profil/traitements/ajouter")
    (tick,) = (one for one in citizen.page.iter("input") if one.get("name") == "links")
    await citizen.press("Enregistrer", name="Metformine", start="2016", links=[tick.get("value")])
    assert "Pour : Diabète" in citizen.words
    await citizen.get("/profil/maladies")
    assert "Traitement : Metformine" in citizen.words
    await citizen.get("/profil/traitements")
    await citizen.click("Metformine")
    (tick,) = (one for one in citizen.page.iter("input") if one.get("name") == "links")
    assert tick.get("checked") is not None, "what was linked stays ticked"
    for measure, value in (("WEIGHT", "70"), ("HEIGHT", "1,75")):
        await citizen.get("/profil/mesures/ajouter")
        await citizen.press("Enregistrer", measure=measure, value=value, start="01/03/2024")
    computed = "Indice de masse corporelle 22,9 kg/m² · 1er mars 2024 Calculé avec le poids et la taille"
    assert computed in citizen.words
    assert not re.search(r'href="/profil/mesures/"', citizen.text), "nobody changes what is computed"

    world = visitors.world
    stay = {
        "resourceType": "Encounter",
        "status": "planned",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "type": [{"text": "Prothèse de hanche"}],
        "subject": {"reference": f"Patient/{world.patient}"},
        "period": {"start": "2099-05-03"},
    }
    now = world.clock.now().date().isoformat()
    order = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Apixaban 5 mg"},
        "subject": {"reference": f"Patient/{world.patient}"},
        "authoredOn": now,
        "requester": {"display": "Dr Charles Muller"},
        "dosageInstruction": [{"text": "1 matin et soir"}],
    }
    async with world.database.transaction() as tx:
        await world.gateway.create(tx, world.author, order)
        await world.gateway.create(tx, world.author, {**order, "medicationCodeableConcept": {"text": "Metformine"}})
        await world.gateway.create(tx, world.author, stay)
        await Prevention(world.gateway).install(tx, world.system)
    doctor = await visitors.enter("Charles Muller")
    await doctor.get(f"{visitors.record}/synthese")
    assert "À venir Prothèse de hanche 3 mai 2099 Hospitalisation prévue" in doctor.words
    assert re.search(r"À venir .*(À faire|À rattraper)", doctor.words), "what prevention asks for"
    assert "Traitement : Metformine" in doctor.words
    assert "Pour : Diabète" in doctor.words
    assert "Prescrit, en cours Apixaban 5 mg · 1 matin et soir" in doctor.words, "nobody typed it"
    assert doctor.words.count("Metformine ·") == 1, "what the person tells is not said twice"
    await doctor.click("Courbes et toutes les mesures")
    assert "Indice de masse corporelle22,9 kg/m²Calculé avec le poids et la taille" in doctor.words
    await world.submit(world.system, mended("LDL-SES_2022.01.xml"))
    await doctor.get(f"{visitors.record}/synthese")
    assert re.search(r"Hospitalisations et actes .*D’après les documents", doctor.words), doctor.words
    stranger = await visitors.enter("Julie Martin")
    await stranger.get(f"{visitors.record}/mesures")
    assert "Indice de masse corporelle" not in stranger.words
    await stranger.get(f"{visitors.record}/synthese")
    assert "Apixaban" not in stranger.words


async def test_the_emergency_code_opens_what_was_chosen_and_calls_who_is_to_be_told(visitors: Visitors) -> None:
    await qualified(visitors)
    kept = {"first": "Karim", "last": "Modèle", "contact": "EMERGENCY_CONTACT", "kinship": "SPOUSE"}
    contact = {**kept, "mobile": "0600000000", "postal": "35000", "city": "Rennes"}
    await told(
        visitors,
        Draft(Section.CONTACTS, "Karim Modèle", details=contact),
        Draft(Section.ILLNESSES, "Épilepsie", start="2015"),
    )
    citizen = await (await visitors.enter("Dominique Fictive")).get("/profil/urgence")
    await citizen.press("Faire mon code", rubriques=["contacts"])
    found = re.search(r"/urgence/[\w-]{40,}", citizen.text)
    assert found is not None
    stranger = await visitors.enter("Julie Martin")
    await stranger.get(found[0])
    assert "Karim" not in stranger.words, "a preview of the link shows nothing"
    await stranger.press("Ouvrir")
    assert "Appeler le 06 00 00 00 00" in stranger.words.replace("\xa0", " ")
    assert 'href="tel:0600000000"' in stranger.text
    assert "Épilepsie" not in stranger.words


async def test_a_box_of_vaccine_fills_what_its_code_says_and_an_unknown_one_says_what_to_do(
    visitors: Visitors, tmp_path: Path
) -> None:
    medicines, boxes = tmp_path / "CIS_bdpm.txt", tmp_path / "CIS_CIP_bdpm.txt"
    medicines.write_bytes("60000001\tVACCIN FICTIF, suspension injectable\n".encode("latin-1"))
    boxes.write_bytes(b"60000001\t3802220\t1 seringue\tPresentation active\tx\tx\t3400938022209\toui\n")
    world = visitors.world
    with pytest.raises(Refusal, match="CODES_MEDICINES_FIRST"):
        async with world.database.transaction() as tx:
            await codes.bring(tx, boxes, "cip", world.clock.now())
    async with world.database.transaction() as tx:
        assert await codes.bring(tx, medicines, "bdpm", world.clock.now()) == 1
        assert await codes.bring(tx, boxes, "cip", world.clock.now()) == 1
    citizen = await visitors.enter("Dominique Fictive")
    await citizen.get("/profil/vaccinations")
    await citizen.click("Scanner une boîte")
    await citizen.press("Lire le code", files={"image": ("boite.png", drawn("(01)03400938022209(17)991231(10)AB123"))})
    assert "Lu sur la boîte" in citizen.words
    await citizen.press("Enregistrer")
    assert citizen.address == "/profil/vaccinations"
    (line,) = (await Profile(world.database, world.gateway).sheet(world.citizen, world.patient))[
        Section.VACCINATIONS
    ].items
    assert (line.name, line.details["lot"], line.details["expires"], line.start) == (
        "VACCIN FICTIF, suspension injectable",
        "AB123",
        "2099-12-31",
        world.clock.now().date().isoformat(),
    )
    assert line.code == Code("urn:oid:1.2.250.1.213.2.3.2", "3400938022209", line.name)

    for content, says in (("(01)03400930000014(10)Z9", "Recopiez le nom"), ("3400938022208", "Reprenez la photo")):
        await citizen.get("/profil/vaccinations/scanner")
        await citizen.press("Lire le code", code=content)
        assert says in citizen.words
    for picture in (drawn("une autre sorte de code", gs1=False), b"no picture"):
        await citizen.get("/profil/vaccinations/scanner")
        await citizen.press("Lire le code", files={"image": ("boite.png", picture)})
        assert citizen.status == 422


def drawn(content: str, *, gs1: bool = True) -> bytes:
    made: Any = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.DataMatrix, gs1=gs1)
    pixels: Any = memoryview(made.to_image(scale=6, add_quiet_zones=True))
    picture = io.BytesIO()
    Image.frombytes("L", (pixels.shape[1], pixels.shape[0]), pixels.tobytes()).save(picture, "PNG")
    return picture.getvalue()


async def test_who_cares_is_picked_in_the_directory_and_found_there_with_place_and_telephone(
    visitors: Visitors,
) -> None:
    world = visitors.world
    ctx = Context(System(), world.clock, channel="load", demonstration=True)
    place = directory.Structure(
        "1750803447", "Pharmacie Fictive", address_line="1 rue de l'Essai", city="Rennes", phone="02 99 00 00 00",
        test_identity=True,
    )  # fmt: skip
    entry = directory.ProfessionalEntry("10000000007", "SEPT", "Julie", "21", test_identity=True)
    async with world.database.transaction() as tx:
        await directory.register_structure(tx, ctx, world.gateway, place)
        await directory.register(tx, ctx, world.gateway, entry, (directory.Situation(place.id_nat),))
    citizen = await visitors.enter("Dominique Fictive")
    await citizen.get("/profil/soignants")
    assert "Choisir dans l’annuaire" in citizen.words
    await citizen.get("/profil/soignants/ajouter?rpps=10000000007")
    await citizen.press("Enregistrer", role="PHARMACIEN_CORRESPONDANT")
    assert "Julie Sept Pharmacien correspondant" in citizen.words
    assert "Pharmacie Fictive, 1 rue de l'Essai Rennes · 02 99 00 00 00" in citizen.words
    (line,) = (await Profile(world.database, world.gateway).sheet(world.citizen, world.patient))[Section.NETWORK].items
    assert line.details["id"] == "810000000007"
    await citizen.get("/profil/soignants/ajouter")
    await citizen.press("Enregistrer", name="Quelqu’un", role="OTHER", id="899999999999")
    assert "Quelqu’un" in citizen.words
    lines = (await Profile(world.database, world.gateway).sheet(world.citizen, world.patient))[Section.NETWORK].items
    assert "" in {one.details.get("id", "") for one in lines}, "nobody whom the directory does not know"
