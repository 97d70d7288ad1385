"""The medical profile in its pages: lines that go together, measures, for the person and for who cares for them."""

import re

from ambroise.modules.profile.api import Draft, Section
from tests.journeys.support.visitors import Visitors
from tests.journeys.test_synthesis_pages import qualified, told


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

    doctor = await visitors.enter("Charles Muller")
    await doctor.get(f"{visitors.record}/synthese")
    assert "Traitement : Metformine" in doctor.words
    assert "Pour : Diabète" in doctor.words
    await doctor.click("Courbes et toutes les mesures")
    assert "Indice de masse corporelle22,9 kg/m²Calculé avec le poids et la taille" in doctor.words
    stranger = await visitors.enter("Julie Martin")
    await stranger.get(f"{visitors.record}/mesures")
    assert "Indice de masse corporelle" not in stranger.words
