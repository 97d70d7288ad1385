"""What is new in a record since a professional last looked into it, said in words."""

from datetime import timedelta

from tests.integration.record.test_feed_checks import LETTER, renumbered
from tests.journeys.support.visitors import Visitors


async def test_the_first_visit_has_no_former_one(visitors: Visitors) -> None:
    doctor = await (await visitors.enter("Charles Muller")).get(visitors.record)
    assert "Depuis votre visite" not in doctor.words
    visitors.world.clock.move(timedelta(minutes=5))
    await doctor.get(visitors.record)
    assert "Depuis votre visite" not in doctor.words, "five minutes later it is the same visit"


async def test_what_came_since_is_marked_and_listed_alone(visitors: Visitors) -> None:
    await (await visitors.enter("Charles Muller")).get(visitors.record)
    visitors.world.clock.move(timedelta(days=2))
    doctor = await (await visitors.enter("Charles Muller")).get(visitors.record)
    assert "Rien de nouveau." in doctor.words
    visitors.world.clock.move(timedelta(days=2))
    await visitors.world.submit(visitors.world.author, renumbered(LETTER, b"2"))
    doctor = await (await visitors.enter("Charles Muller")).get(visitors.record)
    assert doctor.words.count("Nouveau") >= 1
    assert len(doctor.page.cssselect("tr.unread")) == 1
    await doctor.click("Voir seulement les nouveautés")
    assert "Documents 1" in doctor.words
    await doctor.click("Voir tous les documents")
    assert "Documents 2" in doctor.words


async def test_the_visits_of_others_do_not_count(visitors: Visitors) -> None:
    await visitors.world.authorise(visitors.world.professional(7))
    await (await visitors.enter("Julie Martin")).get(visitors.record)
    visitors.world.clock.move(timedelta(days=2))
    doctor = await (await visitors.enter("Charles Muller")).get(visitors.record)
    assert "Depuis votre visite" not in doctor.words
