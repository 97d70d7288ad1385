"""The life of a space and the people who help, from their pages: citizen, carer, parent, mediator, desk."""

import io
import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import httpx
import pikepdf
import pytest
from starlette.applications import Starlette

from ambroise.interfaces.web import portals
from ambroise.interfaces.web.citizen.record import CitizenRecord
from ambroise.interfaces.web.citizen.space import ending
from ambroise.interfaces.web.desk.record import DeskRecord
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.professional.record import ProfessionalRecord
from ambroise.interfaces.web.records import Records
from ambroise.interfaces.xdm.writing import Exports
from ambroise.kernel.crypto.application import ApplicationSecret
from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.modules.identity.api import AccountKind, Identity, KeySealer, NewAccount
from ambroise.modules.identity.ins import nir_key
from ambroise.modules.record.api import Desk
from ambroise.modules.relations.api import Mediation, Relations
from ambroise.modules.space.api import Channel, Handlers, Step, end_delays
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.spaces import set_state
from tests.integration.record.conftest import World
from tests.integration.relations.conftest import Family
from tests.journeys.support.browser import faults, needs_chromium
from tests.journeys.support.strict import StrictClient
from tests.support.xdm import zips_of


def ins(number: int) -> str:
    digits = f"2700175{number:06}"
    return f"{digits}{nir_key(digits):02}"


@dataclass(frozen=True)
class Town:
    """People with accounts, the portals, and the use cases behind them."""

    family: Family
    application: Starlette
    lives: Lives
    identity: Identity

    async def resident(self, name: str, birth: str = "1970-01-01") -> UUID:
        """Somebody with an activated space, who can sign in."""
        person = await self.family.person(birth)
        await self.account(name, person)
        return person

    async def account(self, name: str, person: UUID) -> None:
        new = NewAccount(AccountKind.CITIZEN, f"{name}@e.fr", name, patient=person, demonstration=True)
        async with self.lives.database.transaction() as tx:
            await self.identity.create_account(tx, new)

    async def enter(self, name: str) -> StrictClient:
        transport = httpx.ASGITransport(self.application)
        visitor = StrictClient(httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000"))
        await visitor.get("/etre")
        return await visitor.press("Entrer : " + name)

    async def notified(self, person: UUID) -> None:
        """Bring a space to the day of its notice."""
        world = self.family.world
        async with world.database.transaction() as tx:
            await set_state(tx, world.system, person, SpaceState.ELIGIBLE)
        await self.family.do(self.lives.spaces.notify, self.family.desk, person, Channel.MAIL)


def whole(client: StrictClient) -> str:
    """What the page says, its header and bands included."""
    return " ".join(client.page.text_content().split())


@pytest.fixture
async def town(world: World) -> Town:
    identity = Identity(world.database, world.clock, KeySealer(ApplicationSecret(b"s" * 32)), demonstration=True)
    records = Records(world.database, world.gateway, Exports(world.database, world.gateway, "2.25.1"))
    lives = Lives.on(world.database, world.gateway, world.record)
    pages = portals(
        identity,
        CitizenRecord(records, world.record),
        ProfessionalRecord(records, world.record, zips_of(world)),
        DeskRecord(world.database, Desk(world.record, world.gateway)),
        lives,
    )
    async with world.database.transaction() as tx:
        desk = NewAccount(AccountKind.OPERATOR, "guichet", "Nadia Inventée", demonstration=True)
        await identity.create_account(tx, desk)
    family = Family(world, Relations(world.gateway), Mediation(world.gateway))
    return Town(family, Starlette(routes=pages), lives, identity)


async def test_a_citizen_objects_and_downloads_the_proof(town: Town) -> None:
    person = await town.resident("Zoé Fictive")
    await town.notified(person)
    citizen = await town.enter("Zoé Fictive")
    assert citizen.address == "/espace", "a space that is not open yet leads to its state"
    assert "Votre espace s’ouvrira tout seul le 25 avril 2026" in citizen.words
    await citizen.press("M’opposer à l’ouverture")
    assert "Opposition enregistrée. Vous pouvez télécharger sa preuve." in citizen.words
    proof = await citizen.http.get("/espace/opposition.pdf")
    assert proof.headers["content-type"] == "application/pdf"
    with pikepdf.open(io.BytesIO(proof.content)) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "fr"
        assert "Preuve d’opposition" in str(pdf.docinfo.get("/Title"))
    town.family.world.clock.move(timedelta(days=60))
    assert not await end_delays(town.lives.database, town.lives.spaces, town.family.world.clock)


async def test_a_citizen_activates_closes_and_reopens(town: Town) -> None:
    person = await town.resident("Zoé Fictive")
    await town.notified(person)
    citizen = await town.enter("Zoé Fictive")
    await citizen.press("Activer mon espace")
    assert citizen.status == 422
    assert "Acceptez les conditions pour activer" in citizen.words
    await citizen.press("Activer mon espace", conditions="y")
    assert "Ouvert et activé" in citizen.words
    await citizen.click("Fermer mon espace")
    await citizen.press("Fermer mon espace", donnees="supprimer")
    assert citizen.status == 422
    assert "Choisissez une raison" in citizen.words
    await citizen.press("Fermer mon espace", raison="no_use", donnees="supprimer")
    assert "Vos données seront supprimées le 14 avril 2026" in citizen.words
    await citizen.press("Annuler la suppression")
    assert "archivées jusqu’au 14 mars 2036" in citizen.words
    await citizen.press("Rouvrir mon espace")
    assert "Ouvert et activé" in citizen.words


async def test_a_deletion_is_shown_step_by_step_and_followed_to_its_end(town: Town) -> None:
    person = await town.resident("Zoé Fictive")
    citizen = await town.enter("Zoé Fictive")
    await citizen.get("/espace/fermer")
    assert "emporter une copie de tout ce que contient votre espace" in citizen.words
    assert "La loi nous donne jusqu’au 14 juin 2026" in citizen.words
    await citizen.press("Fermer mon espace", raison="no_use", donnees="garder")
    assert "jusqu’au 14 mars 2036" in citizen.words
    await citizen.press("Demander la suppression")
    assert "Vous pouvez changer d’avis, ou emporter une copie, jusqu’au 14 avril 2026" in citizen.words
    assert "Emporter une copie avant" in citizen.words
    clock, world = town.family.world.clock, town.family.world
    clock.move(timedelta(days=30))
    assert not await end_delays(town.lives.database, town.lives.spaces, clock), (
        "a month leaves time to change one's mind"
    )
    clock.move(timedelta(days=1))
    assert await end_delays(town.lives.database, town.lives.spaces, clock) == {Step.PURGE: 1}
    async with world.database.reader() as reader:
        life = await town.lives.spaces.life(reader, town.family.desk, person)
    assert [one.place for one in ending(life)] == ["done", "done", "done"]
    assert life.purged_at is not None
    await citizen.get("/espace")
    assert citizen.address.startswith("/connexion"), "the account went with the space"


async def test_a_citizen_asks_a_carer_who_acts_visibly_and_stops(town: Town) -> None:
    await town.resident("Zoé Fictive")
    await town.resident("Hugo Fictif")
    citizen = await (await town.enter("Zoé Fictive")).get("/proches")
    await citizen.click("Demander à un proche de m’aider")
    wrong = {"matricule": ins(2), "nom": "Autre", "prenom": "Alix", "naissance": "1970-01-01", "honneur": "y"}
    await citizen.press("Envoyer la demande", **wrong)
    assert citizen.status == 422
    assert "Personne n’a cette identité avec un espace activé." in citizen.words
    await citizen.press("Envoyer la demande", **{**wrong, "nom": "Fictif", "portee": "act"})
    assert citizen.address == "/proches"
    assert "En attente" in citizen.words

    carer = await (await town.enter("Hugo Fictif")).get("/accueil")
    assert "On vous demande de l’aide" in carer.words
    await carer.get("/proches")
    await carer.press("Accepter : Alix Fictif")
    await citizen.get("/documents")
    assert "Attestation : aide acceptée" in citizen.words, "each answer is attested among the documents"
    await carer.press("Ouvrir : Alix Fictif")
    assert "Vous agissez pour Alix Fictif." in whole(carer), "acting for another is always visible"
    await carer.get("/espace")
    assert "Vous agissez pour Alix Fictif." in whole(carer)
    assert "Fermer mon espace" not in carer.words, "a carer does not live the life of the space"
    await carer.press("Revenir à mon dossier")
    assert "Vous agissez pour" not in whole(carer)

    await citizen.get("/proches")
    await citizen.press("Arrêter : Hugo Fictif")
    await citizen.get("/historique")
    assert "Hugo Fictif" in citizen.words, "the history names who acted"
    await carer.get("/proches")
    assert "Ouvrir : Alix Fictif" not in carer.words


async def test_a_parent_represents_a_child_and_invites_the_other(town: Town) -> None:
    await town.family.person("2020-05-05")
    await town.resident("Zoé Fictive")
    await town.resident("Hugo Fictif")
    desk = await (await town.enter("Nadia Inventée")).get("/guichet/proches")
    await desk.press("Rattacher", enfant=ins(1), parent=ins(2))
    assert "C’est enregistré." in desk.words
    parent = await (await town.enter("Zoé Fictive")).get("/proches")
    assert "Votre enfant, 5 ans" in parent.words
    await parent.press("Ouvrir : Alix Fictif")
    assert "Vous agissez pour Alix Fictif." in whole(parent)
    await parent.get("/proches")
    await parent.click("Inviter l’autre parent")
    await parent.press(
        "Envoyer la demande", matricule=ins(3), nom="Fictif", prenom="Alix", naissance="1970-01-01", honneur="y"
    )
    assert "Représentant légal" in parent.words
    other = await (await town.enter("Hugo Fictif")).get("/proches")
    await other.press("Accepter : Alix Fictif")
    assert "Votre enfant, 5 ans" in other.words


async def test_a_mediator_helps_on_the_spot_and_sees_the_screens_only(town: Town) -> None:
    holder = await town.resident("Zoé Fictive")
    await town.resident("Hugo Fictif")
    seen = await town.family.observation(holder)
    desk = await (await town.enter("Nadia Inventée")).get("/guichet/proches")
    await desk.press("Inscrire", mediateur=ins(2), lieu="Maison France services")
    assert "Maison France services" in desk.words
    citizen = await (await town.enter("Zoé Fictive")).get("/proches")
    await citizen.click("Me faire aider sur place")
    await citizen.press("Obtenir un code")
    code = re.search(r"Lisez-lui ce code (\w{4} \w{4})", citizen.words)
    assert code is not None

    mediator = await (await town.enter("Hugo Fictif")).get("/proches")
    await mediator.click("Aider quelqu’un sur place")
    await mediator.press("Commencer l’aide", code="AAAA AAAA")
    assert "Ce code est faux, a déjà servi, ou date de plus d’un quart d’heure." in mediator.words
    await mediator.press("Commencer l’aide", code=code[1])
    assert "Vous aidez Alix Fictif sur place. Vous ne pouvez rien changer." in whole(mediator)
    await mediator.get("/accueil")
    assert mediator.address == "/espace"
    assert "Fermer mon espace" not in mediator.words
    await mediator.get("/documents")
    assert mediator.status != 200 or seen not in mediator.text

    await citizen.get("/proches")
    await citizen.press("Arrêter : Hugo Fictif")
    await citizen.get("/historique")
    assert "Hugo Fictif" in citizen.words


async def test_the_desk_sends_a_population_follows_it_and_acts_on_a_space(town: Town) -> None:
    world = town.family.world
    desk = await (await town.enter("Nadia Inventée")).get("/guichet/espaces/fichiers")
    sexes = {10: "F", 11: "F", 12: "F", 13: "?"}
    people = (f"{ins(number)};FICTIF;ZOE;1980-01-01;{sex};p{number}@e.fr\n" for number, sex in sexes.items())
    lines = "matricule;nom_naissance;premier_prenom;date_naissance;sexe;courriel\n" + "".join(people)
    await desk.press("Envoyer", files={"fichier": ("people.csv", b"nothing\nat all\n", "text/csv")})
    assert "La première ligne ne nomme pas toutes les colonnes attendues." in desk.words
    await desk.press("Envoyer", files={"fichier": ("people.csv", lines.encode(), "text/csv")})
    assert "Fichier reçu." in desk.words
    address = desk.address
    subscriptions = Subscriptions()
    for event, handler in Handlers(town.lives.populations, world.clock, demonstration=True).table().items():
        subscriptions.on(event, handler)
    await Delivery(world.database, subscriptions, world.clock).deliver_all()
    await desk.get(address)
    assert "Personnes informées3" in desk.words
    assert "Sexe inconnu" in desk.words
    refused = await desk.http.get(address.split("?fichier=")[0] + f"/{address.split('=')[1]}/refus.csv")
    assert refused.text == "ligne;code;colonne\n5;SEX_INVALID;sexe\n"

    await desk.get("/guichet/espaces")
    assert "3 Va s’ouvrir" in desk.words
    world.clock.move(timedelta(days=42))
    await end_delays(town.lives.database, town.lives.spaces, world.clock)
    desk = await (await town.enter("Nadia Inventée")).get(f"/guichet/espaces?ins={ins(10)}")
    assert "Ouvert, pas encore activé" in desk.words
    await desk.press("Suspendre", motif="fraud")
    assert "Suspendu" in desk.words
    await desk.press("Lever la suspension")
    await desk.press("Enregistrer le décès", jour="2030-01-01")
    assert "Ce jour n’est pas encore arrivé." in desk.words
    await desk.press("Enregistrer le décès", jour="2026-03-20")
    assert "Personne décédée" in desk.words
    await desk.press("Corriger : la personne est vivante")
    assert "Ouvert, pas encore activé" in desk.words


CITIZEN = ("/espace", "/espace/fermer", "/proches", "/proches/inviter", "/proches/aide")
DESK = (
    "/guichet/espaces",
    f"/guichet/espaces?ins={ins(1)}",
    "/guichet/espaces/fichiers",
    "/guichet/espaces/lettres",
    "/guichet/proches",
    "/guichet/horloge",
)


@needs_chromium
@pytest.mark.parametrize(("name", "addresses"), [("Zoé Fictive", CITIZEN), ("Nadia Inventée", DESK)])
async def test_these_pages_are_accessible_and_fit(town: Town, name: str, addresses: tuple[str, ...]) -> None:
    holder = await town.resident("Zoé Fictive")
    await town.resident("Hugo Fictif")
    await town.family.carer(holder)
    assert await faults(town.application, name, addresses, shots="lives") == []
