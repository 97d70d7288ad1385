"""The directory, the identity of a patient with its datamatrix, and the desk's work on it, on a real record."""

from dataclasses import replace

import pytest
from starlette.applications import Starlette

from ambroise.interfaces.departures import follow
from ambroise.interfaces.web import portals
from ambroise.interfaces.web.citizen.record import CitizenRecord
from ambroise.interfaces.web.desk.record import DeskRecord
from ambroise.interfaces.web.identities.routes import Identities
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.professional.record import ProfessionalRecord
from ambroise.interfaces.web.records import Records
from ambroise.interfaces.xdm.writing import Exports
from ambroise.kernel.crypto.application import ApplicationSecret
from ambroise.modules.directory.api import FileKind, import_file
from ambroise.modules.identity.api import AccountKind, Identity, KeySealer, NewAccount, datamatrix_of, identity_of
from ambroise.modules.identity.datamatrix import symbol
from ambroise.modules.record.api import Desk
from tests.integration.directory.conftest import Write, activity, finess, rpps, write
from tests.journeys.support.visitors import Visitors
from tests.support.xdm import zips_of

__all__ = ["write"]


@pytest.fixture
async def people(visitors: Visitors, write: Write) -> Visitors:
    """The same visitors, with an operator who answers for identities and a directory."""
    world = visitors.world
    nurse = activity(2, family="Modèle", profession="60", skill="", city="Blois", finess=finess(2))
    lines = [activity(1, family="Échantillon"), nurse]
    file = write(FileKind.ACTIVITY, lines)
    await import_file(world.database, world.system, file, follow=follow)
    identity = Identity(world.database, world.clock, KeySealer(ApplicationSecret(b"s" * 32)), demonstration=True)
    operator = NewAccount(
        AccountKind.OPERATOR, "identites", "Ida Inventée", duties=frozenset({"identity"}), demonstration=True
    )
    async with world.database.transaction() as tx:
        await identity.create_account(tx, operator)
    records = Records(world.database, world.gateway, Exports(world.database, world.gateway, "2.25.1"))
    pages = portals(
        identity,
        CitizenRecord(records, world.record),
        ProfessionalRecord(records, world.record, zips_of(world)),
        DeskRecord(world.database, Desk(world.record, world.gateway)),
        Lives.on(world.database, world.gateway, world.record),
        identities=Identities(world.database, world.gateway),
    )
    return replace(visitors, application=Starlette(routes=pages))


async def content_of(people: Visitors) -> str:
    async with people.world.database.reader() as reader:
        known = await identity_of(reader, people.world.patient)
    assert known is not None
    content = datamatrix_of(known)
    assert content is not None
    return content


async def test_anybody_finds_a_professional_by_name_town_or_profession(people: Visitors) -> None:
    citizen = await (await people.enter("Dominique Fictive")).get("/annuaire-sante")
    await citizen.press("Chercher", nom="echan", ville="Tours")
    assert "Zoé Échantillon" in citizen.words
    assert "Cabinet des Halles, 3 rue Haute 37000 Tours" in citizen.words
    assert "Modèle" not in citizen.words
    (kept,) = (one.get("href") for one in citizen.page.iter("a") if "mes soignants" in one.text_content())
    assert kept.startswith("/profil/soignants/ajouter?rpps=")
    doctor = await (await people.enter("Charles Muller")).get("/pro/annuaire")
    await doctor.press("Chercher", profession="60")
    assert "Zoé Modèle" in doctor.words
    await doctor.get(f"/pro/annuaire?nom={rpps(1)}")
    assert "Échantillon" in doctor.words
    await doctor.press("Chercher", nom="personne du tout")
    assert "Personne ne correspond" in doctor.words


async def test_a_person_sees_the_identity_its_status_and_its_datamatrix(people: Visitors) -> None:
    citizen = await (await people.enter("Dominique Fictive")).get("/accueil")
    await citizen.click("Identité")
    assert "Identité qualifiée" in citizen.words
    assert "les données circulent avec l’INS" in citizen.words
    assert 'aria-label="INS à scanner"' in citizen.text


async def test_a_professional_reads_a_datamatrix_and_sees_what_differs(people: Visitors) -> None:
    content = await content_of(people)
    doctor = await (await people.enter("Charles Muller")).get("/pro/datamatrix")
    await doctor.press("Lire", symbole=content)
    assert "Les traits sont ceux du dossier." in doctor.words
    await doctor.click("Ouvrir le dossier")
    assert doctor.address == people.record
    await doctor.get(f"{people.record}/identite")
    assert "Identité qualifiée" in doctor.words
    await doctor.get("/pro/datamatrix")
    await doctor.press("Lire", symbole=content.replace("S3DOMINIQUE", "S3CAMILLE"))
    assert "Les traits diffèrent : premier prénom." in doctor.words
    await doctor.get("/pro/datamatrix")
    await doctor.press("Lire", symbole="https://example.org")
    assert doctor.status == 422
    assert "Ce symbole n’est pas un datamatrix INS." in doctor.words


async def test_a_picture_of_a_datamatrix_is_read(people: Visitors) -> None:
    picture = symbol.png(await content_of(people))
    doctor = await (await people.enter("Charles Muller")).get("/pro/datamatrix")
    await doctor.press("Lire", files={"image": ("datamatrix.png", picture, "image/png")})
    assert "Les traits sont ceux du dossier." in doctor.words
    await doctor.get("/pro/datamatrix")
    await doctor.press("Lire", files={"image": ("rien.png", b"not a picture", "image/png")})
    assert "Cette image ne s’ouvre pas." in doctor.words


async def test_the_desk_doubts_an_identity_and_settles_it_by_both_legs(people: Visitors) -> None:
    desk = await (await people.enter("Ida Inventée")).get("/guichet/identites")
    await desk.press("Chercher", ins="279035121518989")
    assert desk.address == f"/guichet/identites/{people.world.patient}"
    assert "Rien n’a changé depuis l’ouverture du dossier." in desk.words
    await desk.press("Mettre en doute")
    assert "Écrivez pourquoi" in desk.words
    await desk.press("Mettre en doute", note="Deux personnes sous ces traits.")
    assert "Identité provisoire" in desk.words
    assert "Identité douteuse" in desk.words
    assert "Le datamatrix INS" not in desk.words

    citizen = await (await people.enter("Dominique Fictive")).get("/identite")
    assert "Le datamatrix INS n’existe que pour une identité qualifiée." in citizen.words
    doctor = await (await people.enter("Charles Muller")).get(people.record)
    assert "Identité douteuse" in doctor.text

    await desk.press("Enregistrer la pièce vue", piece="CN")
    assert "Levez d’abord le doute" in desk.words
    await desk.press("Lever le doute", note="Pièces comparées.")
    await desk.press("Demander l’INS au service national")
    assert "Identité récupérée" in desk.words
    await desk.press("Enregistrer la pièce vue", piece="LE")
    assert "Cette pièce ne prouve pas l’identité" in desk.words
    await desk.press("Enregistrer la pièce vue", piece="CN")
    assert "Identité qualifiée" in desk.words
    await desk.press("Faire vérifier l’INS")
    await desk.press("Signaler un homonyme")
    assert "Homonyme" in desk.words
    for fact in ("Mise en doute", "Doute levé", "INS confirmé par le service national", "Pièce d’identité vue"):
        assert fact in desk.words
    assert "Deux personnes sous ces traits." in desk.words


async def test_the_pages_of_identities_are_for_those_who_answer_for_them(people: Visitors) -> None:
    support = await (await people.enter("Nadia Inventée")).get("/guichet/identites")
    assert support.status == 403
    await support.get("/guichet")
    assert "Identités" not in support.words
    await support.get(f"/guichet/identites/{people.world.patient}")
    assert support.status == 403


async def test_the_desk_corrects_traits_as_the_national_service_says_them(people: Visitors) -> None:
    world = people.world
    desk = await (await people.enter("Ida Inventée")).get(f"/guichet/identites/{world.patient}")
    await desk.click("Corriger les traits")
    await desk.press("Corriger", note="")
    assert "Écrivez pourquoi" in desk.words
    await desk.press("Corriger", note="Relu.")
    assert "rien n’est à corriger" in desk.words
    await desk.press("Corriger", nom="PAT 3", note="Relu.")
    assert "Un nom porte un signe qui n’a pas sa place dans un nom." in desk.words
    await desk.get(f"/guichet/identites/{world.patient}/traits")
    await desk.press("Corriger", lieu="2A020", note="Lieu lu sur un acte.")
    assert "Identité provisoire" in desk.words
    assert "Lieu lu sur un acte." in desk.words
    await desk.click("Corriger les traits")
    await desk.press("Voir les traits du service national")
    assert "Le service national écrit autrement : prénoms." in desk.words
    await desk.press("Corriger")
    assert "Traits du service national (INSi)." in desk.words
    await desk.press("Demander l’INS au service national")
    assert "Identité récupérée" in desk.words


async def test_the_desk_verifies_a_file_of_identities_line_by_line(people: Visitors) -> None:
    known = "279035121518989;PAT-TROIS;DOMINIQUE;1979-03-28;F\n"
    lines = known + known.replace("PAT-TROIS", "AUTRE") + known.replace("8989", "8988") + known.replace(";F", ";?")
    desk = await (await people.enter("Ida Inventée")).get("/guichet/identites")
    await desk.click("Vérifier des identités")
    await desk.press("Vérifier", files={"fichier": ("a.csv", b"matricule;sexe\n1;F\n", "text/csv")})
    assert "La première ligne ne nomme pas ces colonnes : date_naissance, nom_naissance, prenoms." in desk.words
    header = "matricule;nom_naissance;prenoms;date_naissance;sexe\n"
    await desk.press("Vérifier", files={"fichier": ("a.csv", (header + known * 51).encode(), "text/csv")})
    assert "50 lignes au plus à la fois : envoyez la suite une minute après." in desk.words
    await desk.press("Vérifier", files={"fichier": ("a.csv", (header + lines).encode(), "text/csv")})
    for words in ("INS et traits confirmés", "Non confirmé", "Matricule faux", "Sexe, date ou lieu de naissance faux"):
        assert words in desk.words
    support = await (await people.enter("Nadia Inventée")).get("/guichet/identites/verifications")
    assert support.status == 403
