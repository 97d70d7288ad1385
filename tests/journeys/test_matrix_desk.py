"""The desk reads the access matrix, proposes a change, sees its effect by numbers, publishes it, undoes it."""

from collections.abc import Iterator

import pytest

from ambroise.trust.access.matrix import follow_versions
from tests.journeys.support.visitors import Visitors


@pytest.fixture(autouse=True)
def _first_version_only() -> Iterator[None]:
    yield
    follow_versions([])


async def test_a_change_is_previewed_published_and_undone(visitors: Visitors) -> None:
    desk = await (await visitors.enter("Nadia Inventée")).get("/guichet/matrice?groupe=nurse")
    assert "En vigueur : version 0" in desk.words
    await desk.click("Proposer un changement")
    assert desk.address == "/guichet/matrice/proposer?groupe=nurse"
    await desk.press("Voir ce que cela changerait", types="11502-2", source="Arrêté fictif", raison="Essai")
    assert "Ce que cela changerait" in desk.words
    assert "ne pourra plus être lu" in desk.words
    await desk.press("Publier cette version")
    assert "Version publiée." in desk.words
    assert "Version 1 À venir" in desk.words
    await desk.press("Annuler la version 1")
    assert "Annulation de la version 1" in desk.words


async def test_a_decision_is_simulated_with_its_rule_and_words(visitors: Visitors) -> None:
    desk = await (await visitors.enter("Nadia Inventée")).get("/guichet/simulateur")
    await desk.get("/guichet/simulateur?qui=nurse&lien=authorised&mode=normal&type=68599-0&espace=open_active")
    assert "Ne peut pas le lire Règle : matrix" in desk.words
    assert "son métier ne lit pas ce type de document" in desk.words
    case = "qui=doctor&mode=bris_de_glace&type=11502-2&espace=open_active&marques=masked&choix=btg"
    await desk.get(f"/guichet/simulateur?{case}&lien=none")
    assert "Règle : masked" in desk.words
    await desk.get(f"/guichet/simulateur?{case}&lien=none&choix=urgence")
    assert "Peut le lire Règle : emergency" in desk.words
    await desk.get("/guichet/simulateur?qui=mediator&type=11502-2&espace=open_active")
    assert "Règle : content_hidden_from_mediator" in desk.words
