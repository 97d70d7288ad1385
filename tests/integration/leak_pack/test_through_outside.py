"""The leak pack outside the instance: mails and messages to browsers reach those who may know of it, and nobody else.

What each of them says is read in `tests/integration/notification/test_every_code.py`; here it is who gets one.
The control: the same deposit, hidden from nobody, is told to the holder, to the carer and to the representative.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.routing import Route

from tests.integration.notification.conftest import Town, mail_server, town, world
from tests.integration.notification.test_push import Service
from tests.integration.record.test_feed_checks import LETTER, renumbered
from tests.integration.record.test_visibility import flagged
from tests.journeys.support.browser import serving

__all__ = ["mail_server", "town", "world"]
PEOPLE = ("holder", "carer", "parent", "ended")


@pytest_asyncio.fixture
async def browsers() -> AsyncIterator[dict[str, Service]]:
    """A push service for each person, so that it is known whose browser was told."""
    services = {part: Service() for part in PEOPLE}
    routes = [Route(f"/{part}/send/{{id}}", one.take, methods=["POST"]) for part, one in services.items()]
    async with serving(Starlette(routes=routes)) as home:
        for part, one in services.items():
            one.home = f"{home}/{part}"
        yield services


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        (None, {"holder", "carer", "parent"}),
        ("INVISIBLE_REPRESENTANTS_LEGAUX", {"holder"}),
        ("INVISIBLE_PATIENT", set[str]()),
    ],
)
async def test_a_deposit_is_told_outside_to_who_may_know_of_it_alone(
    town: Town, browsers: dict[str, Service], flag: str | None, told: set[str]
) -> None:
    world, holder = town.world, town.world.patient
    people = {"holder": holder, "parent": await town.family.person()}
    await town.family.do(town.family.relations.set_guardian, town.family.desk, holder, people["parent"])
    for part in ("carer", "ended"):
        people[part] = await town.family.carer(holder)
    await town.family.do(town.family.relations.leave, town.family.of(people["ended"]), holder, "carer")
    contexts = {"holder": world.citizen, **{part: town.family.of(people[part]) for part in PEOPLE[1:]}}
    for part, person in people.items():
        await town.account(person, f"{part}@exemple.fr")
        async with world.database.transaction() as tx:
            await town.wishing.tell_browser(tx, contexts[part], browsers[part].browser(), "Navigateur")
    await town.work()
    town.mails.taken.clear()
    town.mails.to.clear()
    for one in browsers.values():
        one.taken.clear()

    content = renumbered(LETTER, b"77")
    await world.submit(world.author, content, flagged(flag) if flag else None)
    await town.work()
    world.clock.move(timedelta(hours=20))
    await town.work()
    assert {one.partition("@")[0] for one in town.mails.to} == told
    assert {part for part, one in browsers.items() if one.taken} == told
    everything = [mail.as_string() for mail in town.mails.taken]
    everything += [str(one.opened(body)) for one in browsers.values() for _, body in one.taken]
    said = ("Lettre", "Muller", "PAT-TROIS", "DOMINIQUE", "279035121518989", str(holder), "INVISIBLE", "masqu")
    assert not [word for word in said for text in everything if word.casefold() in text.casefold()]
    assert bool(everything) == bool(told)
