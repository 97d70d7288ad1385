"""The letters of the life of a space, and objecting by the code of the notice, without an account."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.outbox import Delivery, Subscriptions
from ambroise.modules.identity.api import Enrolments
from ambroise.modules.letters.api import LETTER_RETURNED, Kind, Letter, Reading, Said
from ambroise.modules.record.api import Record
from ambroise.modules.space.api import Channel, Notices, Reason, Spaces, Suspicion, Telling, end_delays
from ambroise.modules.space.telling.repository import count_to_print
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.spaces import set_state
from ambroise.trust.context import Citizen
from tests.integration.identity.conftest import Registry, registry
from tests.integration.identity.test_enrolment import MAIL, enrolments
from tests.journeys.support.browser import SCREENSHOTS, chromium, needs_chromium, serving, sideways, violations
from tests.journeys.test_enrolment import application, browser

__all__ = ["enrolments", "registry"]


class Life:
    """The space of Dominique, and what is done to it."""

    def __init__(self, registry: Registry, enrolments: Enrolments) -> None:
        self.registry, self.enrolments = registry, enrolments
        self.spaces = Spaces(registry.gateway, Record(registry.gateway))
        self.desk = registry.operator
        self.holder = registry.context(Citizen(registry.patient, "Dominique Pat-Trois"))

    async def do(self, act: Any, *details: Any, **more: Any) -> None:
        async with self.registry.database.transaction() as tx:
            await act(tx, *details, **more)
        await self.deliver()

    async def deliver(self) -> None:
        subscriptions = Subscriptions()
        telling = Telling(self.enrolments.codes.letters, self.registry.clock, self.enrolments.mail_of)
        for event, handler in telling.table().items():
            subscriptions.on(event, handler)
        subscriptions.on(LETTER_RETURNED, telling.letter_returned)
        await Delivery(self.registry.database, subscriptions, self.registry.clock).deliver_all()

    async def notified(self, channel: Channel = Channel.MAIL) -> None:
        patient = self.registry.patient
        async with self.registry.database.transaction() as tx:
            await set_state(tx, self.registry.system, patient, SpaceState.ELIGIBLE)
        await self.do(self.spaces.notify, self.desk, patient, channel)

    async def letters(self) -> list[Letter]:
        async with self.registry.database.reader() as reader:
            return await self.enrolments.codes.letters.latest(reader)

    async def link(self) -> str:
        """The address that the latest letter carries, as its reader sees it."""
        box = await browser(self.enrolments).get("/courrier")
        found = re.search(r"/opposition\S*", box.words)
        assert found
        return found[0]


@pytest.fixture
async def life(registry: Registry, enrolments: Enrolments) -> Life:
    return Life(registry, enrolments)


async def test_the_notice_leads_to_an_objection_and_its_proof_without_an_account(life: Life) -> None:
    await life.notified()
    notice = (await life.letters())[0]
    assert (notice.kind, notice.address) == (Kind.SPACE_NOTICE, MAIL)
    visitor = await browser(life.enrolments).get(await life.link())
    assert "Sans opposition, l’espace s’ouvre le 25 avril 2026" in visitor.words
    await visitor.press("Je m’oppose à l’ouverture")
    await life.deliver()
    assert "Opposition enregistrée" in visitor.words
    await visitor.click("Télécharger la preuve (PDF)")
    assert (visitor.status, visitor.headers["content-type"]) == (200, "application/pdf")
    confirmed = (await life.letters())[0]
    assert confirmed.kind is Kind.SPACE_OBJECTED
    proof = await browser(life.enrolments).get(f"/opposition/preuve.pdf?code={confirmed.details['code']}")
    assert proof.headers["content-type"] == "application/pdf"


async def test_a_code_typed_by_hand_and_a_wrong_one(life: Life) -> None:
    await life.notified()
    code = (await life.letters())[0].details["code"]
    visitor = await browser(life.enrolments).get("/opposition")
    await visitor.press("Continuer", code=code.lower())
    assert "Je m’oppose à l’ouverture" in visitor.words
    assert (await visitor.get("/opposition?code=AAAA-BBBB-CCCC-DDDD")).status == 410


async def test_a_notice_is_worth_nothing_once_the_space_is_open(life: Life, clock: FixedClock) -> None:
    await life.notified()
    link = await life.link()
    clock.move(timedelta(days=41))
    await life.do(life.spaces.activate, life.holder, life.registry.patient, terms="2026-01")
    visitor = await browser(life.enrolments).get(link)
    assert "L’opposition n’est plus possible" in visitor.words
    clock.move(timedelta(days=2))
    assert (await visitor.get(link)).status == 410


async def test_a_notice_sent_by_post_is_not_sent_again_by_mail(life: Life) -> None:
    await life.notified(Channel.POST)
    assert await life.letters() == []


async def test_a_notice_that_comes_back_by_mail_is_printed_for_as_long_as_one_may_object(life: Life) -> None:
    async def waiting() -> int:
        async with life.registry.database.reader() as reader:
            return await count_to_print(reader)

    await life.notified()
    (notice,) = await life.letters()
    assert await waiting() == 0
    await life.do(life.enrolments.codes.letters.returned, notice.id, Reading(Said.LOST, "5.2.2"))
    assert await waiting() == 1
    visitor = await browser(life.enrolments).get(await life.link())
    assert "Je m’oppose à l’ouverture" in visitor.words, "the code that was sent is still worth what it says"
    await life.do(life.spaces.activate, life.holder, life.registry.patient, terms="2026-01")
    assert await waiting() == 0


async def test_every_step_that_matters_is_told_by_mail(life: Life, clock: FixedClock) -> None:
    patient, spaces = life.registry.patient, life.spaces
    await life.notified()
    await life.do(spaces.activate, life.holder, patient, terms="2026-01")
    await life.do(spaces.suspend, life.desk, patient, Suspicion.FRAUD)
    await life.do(spaces.contest, life.holder, patient)
    await life.do(spaces.close, life.holder, patient, Reason.NO_USE, delete=True)
    assert "archivé jusqu’au" not in (await browser(life.enrolments).get("/courrier")).words, "deletion has its letter"
    kinds = [one.kind for one in reversed(await life.letters())]
    assert kinds == [
        Kind.SPACE_NOTICE, Kind.SPACE_SUSPENDED, Kind.SPACE_BACK, Kind.SPACE_DELETION,
    ]  # fmt: skip
    box = await browser(life.enrolments).get("/courrier")
    assert "Tout sera détruit au plus tard le 14 avril 2026" in box.words
    clock.move(timedelta(days=400))
    await end_delays(life.registry.database, spaces, clock)
    notices = Notices(life.registry.database, spaces, clock, demonstration=True)
    async with life.registry.database.transaction() as tx:
        assert await notices.sweep(tx) == 1, "codes leave with their delay"


async def test_whose_address_nobody_knows_gets_no_letter_and_keeps_the_notice_of_the_portal(life: Life) -> None:
    async with life.registry.database.transaction() as tx:
        stored = await life.registry.gateway.read(tx, life.registry.system, "Patient", str(life.registry.patient))

        resource = json.loads(stored.body)
        del resource["telecom"]
        await life.registry.gateway.update(tx, life.registry.system, resource)
    await life.notified()
    assert await life.letters() == []


@needs_chromium
async def test_the_page_is_accessible_and_fits(life: Life) -> None:
    await life.notified()
    link = await life.link()
    problems: list[str] = []
    folder = SCREENSHOTS / "objection"
    folder.mkdir(parents=True, exist_ok=True)
    async with serving(application(life.enrolments)) as home, chromium() as chrome:
        for width, scheme in ((1280, "light"), (390, "dark")):
            context = await chrome.new_context(
                viewport={"width": width, "height": 800},
                color_scheme=scheme,  # type: ignore[arg-type]
                locale="fr-FR",
            )
            page = await context.new_page()
            for name, address in (("code", "/opposition"), ("object", link)):
                await page.goto(home + address)
                await page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                problems += [f"{name} {width}: {one}" for one in await violations(page)]
                if await sideways(page) > 0:
                    problems.append(f"{name} runs sideways at {width}")
            await context.close()
    assert problems == []
