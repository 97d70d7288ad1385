"""A medical synthesis made of the profile: chosen, signed, deposited, made again; nothing in it that is not for all."""

from ambroise.modules.profile.api import Code, Draft, Profile, Section
from ambroise.modules.profile.kinds import kind_of_section
from ambroise.trust.access import grants, restrictions
from ambroise.trust.access.people import Party
from tests.journeys.support.browser import faults, needs_chromium
from tests.journeys.support.versions import follow_each_other
from tests.journeys.support.visitors import Visitors
from tests.support.schematron import check_cda

ASTHMA = Draft(Section.ILLNESSES, "Asthme", Code("http://hl7.org/fhir/sid/icd-10", "J45.9", "Asthme"), start="2011-05")
NEOMYCIN = Draft(Section.ALLERGIES, "Néomycine", start="2003", details={"reaction": "Urticaire"})
TOBACCO = Draft(Section.HABITS, "A arrêté en 2010", start="2025-11-01", details={"habit": "TOBACCO"})
WEIGHT = Draft(Section.MEASURES, "WEIGHT", start="2025-11-01", details={"measure": "WEIGHT", "value": "71.5"})
SECRET = Draft(Section.ILLNESSES, "Dépression", start="2020")
OPERATION = Draft(Section.STAYS, "Interruption de grossesse", start="2019")


async def told(visitors: Visitors, *drafts: Draft) -> None:
    world = visitors.world
    profile = Profile(world.database, world.gateway)
    async with world.database.transaction() as tx:
        for draft in drafts:
            await profile.add(tx, world.citizen, world.patient, draft)


async def qualified(visitors: Visitors) -> None:
    """The identity with every strict trait, as a qualified one has them."""
    world = visitors.world
    async with world.database.transaction() as tx:
        await tx.execute("update identity_registry set birth_place = '51215' where patient = %s", (world.patient,))


async def not_for_all(visitors: Visitors) -> None:
    """One illness is masked, and acts are kept from a colleague: the treating doctor reads both."""
    world = visitors.world
    await told(visitors, SECRET, OPERATION)
    profile = Profile(world.database, world.gateway)
    lines = (await profile.sheet(world.citizen, world.patient))[Section.ILLNESSES].items
    secret = next(one for one in lines if one.name == SECRET.name)
    async with world.database.transaction() as tx:
        await profile.hide(tx, world.citizen, world.patient, secret.reference, hidden=True)
        await restrictions.restrict(
            tx,
            world.citizen,
            world.patient,
            Party("810000000007", "Julie Martin"),
            kinds=[kind_of_section(Section.STAYS)],
        )


async def newest(visitors: Visitors, type: str = "SYNTH") -> tuple[str, bytes]:
    world = visitors.world
    profile = Profile(world.database, world.gateway)
    async with world.database.reader() as reader:
        (found,) = await profile.documents(reader, world.author, world.patient, type)
        _, content = await world.gateway.document_content(reader, world.author, found.id)
    return found.id, content


async def test_a_synthesis_is_chosen_signed_and_made_again_without_what_is_not_for_all(visitors: Visitors) -> None:
    world = visitors.world
    await qualified(visitors)
    await told(visitors, ASTHMA, NEOMYCIN, TOBACCO, WEIGHT)
    await not_for_all(visitors)
    doctor = await visitors.enter("Charles Muller")
    for page in ("", "/synthese", "/mesures", "/vaccinations", "/prevention", "/deposer", "/exporter"):
        await doctor.get(visitors.record + page)
        assert "Néomycine" in doctor.page.cssselect("ul.alerts")[0].text_content(), page
    stranger = await (await visitors.enter("Julie Martin")).get(f"{visitors.record}/deposer")
    assert stranger.status == 200, "who may not read may deposit"
    assert "Néomycine" not in stranger.page.text_content()
    await doctor.get(f"{visitors.record}/synthese")
    await doctor.click("Rédiger une synthèse")
    await doctor.press("Signer et déposer", signe="y")
    assert "celui de cette personne n’est pas connu ici" in doctor.words
    async with world.database.transaction() as tx:
        await grants.declare_treating(tx, world.author, world.patient, Party("801234567897", "Charles Muller"))
    await doctor.get(f"{visitors.record}/synthese")
    assert "Dépression" in doctor.words, "the treating doctor reads what is masked"
    await doctor.click("Rédiger une synthèse")
    assert "Asthme 05/2011 J45.9" in doctor.words
    assert "Dépression" not in doctor.words
    assert "Interruption" not in doctor.words
    await doctor.press("Signer et déposer")
    assert "Cochez pour signer" in doctor.words
    await told(visitors, Draft(Section.ILLNESSES, "Goutte", start="2024"))
    chosen = ["problems", "allergies", "habits"]
    await doctor.press("Signer et déposer", signe="y", parties=chosen, vigilance="Hémibloc antérieur")
    assert "Le dossier a changé depuis que vous l’avez lu" in doctor.words
    await doctor.press("Signer et déposer", signe="y")
    assert doctor.status == 200, doctor.words
    assert "/depose/" in doctor.address

    first, content = await newest(visitors)
    assert [str(one) for one in check_cda(content, "CI-SIS_VSM_1.4_2022.01.sch")] == []
    text = content.decode()
    assert all(word in text for word in ("Asthme", "Goutte", "Néomycine", "Urticaire", "Hémibloc antérieur"))
    assert not any(word in text for word in ("Dépression", "Interruption", "71,5")), "not for all, or not chosen"
    citizen = await visitors.enter("Dominique Fictive")
    await citizen.get(f"/documents/{first}")
    assert "Néomycine" in citizen.words

    # The next one replaces it, and does not draw on it: what the person takes back is gone.
    profile = Profile(world.database, world.gateway)
    gout = next(
        one
        for one in (await profile.sheet(world.citizen, world.patient))[Section.ILLNESSES].items
        if one.name == "Goutte" and one.own
    )
    async with world.database.transaction() as tx:
        await profile.remove(tx, world.citizen, world.patient, gout.reference)
    await doctor.get(f"{visitors.record}/synthese/rediger")
    assert "Elle remplacera la vôtre" in doctor.words
    await doctor.press("Signer et déposer", signe="y")
    second, content = await newest(visitors)
    assert second != first
    assert "Goutte" not in content.decode()
    await doctor.get(f"{visitors.record}/synthese/rediger")
    await doctor.press("Signer et déposer", signe="y")
    assert "/depose/" in doctor.address
    await follow_each_other(visitors, "SYNTH", 3)

    # The other model stands beside it, and replaces its own only.
    for _ in range(2):
        await doctor.get(f"{visitors.record}/synthese/rediger")
        await doctor.press("Signer et déposer", signe="y", modele="ips", vigilance="Hémibloc antérieur")
        assert "/depose/" in doctor.address, doctor.words
    summary, content = await newest(visitors, "60591-5")
    assert summary != second
    assert [str(one) for one in check_cda(content, "CI-SIS_IPS-FR_2024.01.sch")] == []
    assert all(word in content.decode() for word in ("Asthme", "Néomycine", "Hémibloc antérieur", "no-procedure-info"))
    await citizen.get(f"/documents/{summary}")
    assert "Pas d'information sur les actes" in citizen.words
    await follow_each_other(visitors, "60591-5", 2)


@needs_chromium
async def test_writing_a_synthesis_is_accessible_and_fits(visitors: Visitors) -> None:
    await told(visitors, ASTHMA, NEOMYCIN, TOBACCO, WEIGHT)
    address = f"{visitors.record}/synthese/rediger"
    assert await faults(visitors.application, "Charles Muller", [address]) == []
