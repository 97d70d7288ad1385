"""The leak pack through the pages of the portals: every route, with the eyes of everybody.

The control is the same walk: each mark is met by each person whom it is for, and a route on which nobody met a mark is
listed in `routes.py` with the reason why it shows nothing of a record.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest
import pytest_asyncio
from starlette.routing import Route

from ambroise.kernel.clock import FixedClock
from ambroise.modules.identity.ins import nir_key
from ambroise.modules.profile.api import EmergencyCodes, Profile, Section
from ambroise.trust.context import Context, System
from tests.integration.leak_pack.portals import ADDRESS, CLOSE, NOBODY, Portals, furnish, machine_paths, pages
from tests.integration.leak_pack.routes import absent_files, listed
from tests.integration.leak_pack.walking import addresses, filled, met, of_portal, said
from tests.integration.record.conftest import patient_resource
from tests.support.database import TestDatabase
from tests.support.server import house_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Between them they may meet every mark: they look at every route, and show which ones a mark can be met on.
CONTROLS = ("holder", "doctor", "desk")
OTHERS = ("parent", "carer", "ended", "helper", "other", "blocked", "stranger")


@dataclass
class Walk:
    """What was met by whom, on which route, and the addresses where a hidden thing was not told from nothing."""

    met: dict[str, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    leaks: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    tells: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    @property
    def clinical(self) -> set[str]:
        return {path for routes in self.met.values() for path in routes}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def portals(module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Portals]:
    folder, clock = tmp_path_factory.mktemp("pages"), FixedClock(datetime(2026, 3, 14, 9, 30, tzinfo=UTC))
    async with house_on(module_database, folder, clock=clock, public_url=ADDRESS) as house:
        yield await furnish(house)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def walk(portals: Portals) -> Walk:
    made = Walk()
    shown = [route for route in pages(portals.house) if "GET" in (route.methods or ())]
    for part in CONTROLS:
        await _look(portals, made, part, shown)
    for part in OTHERS:
        await _look(portals, made, part, [route for route in shown if route.path in made.clinical])
    return made


async def _look(portals: Portals, walk: Walk, part: str, routes: Sequence[Route]) -> None:
    browser = portals.browsers[part]
    beside: dict[str, tuple[int, str]] = {}
    for route in routes:
        if not of_portal(route.path, part):
            continue
        for address, id in addresses(portals, route):
            answer = await browser.get(address)
            for word in met(portals, said(answer.content)):
                walk.met[part][route.path].add(word)
                if part not in portals.mark(word).seen_by:
                    walk.leaks.append((part, address, word))
            hidden = next((one for one in portals.marks if id and one.id == id and part not in one.seen_by), None)
            if hidden is not None:
                nothing = address.replace(id, NOBODY)
                if nothing not in beside:
                    beside[nothing] = _plain(await browser.get(nothing), NOBODY)
                if _plain(answer, id) != beside[nothing]:
                    walk.tells.append((part, address))


def _plain(answer: httpx.Response, id: str) -> tuple[int, str]:
    """What a page says, but what changes at each request."""
    return answer.status_code, re.sub(r'value="[^"]*"', "", answer.text.replace(id, ""))


async def test_each_mark_is_met_by_whom_it_is_for_and_by_nobody_else(portals: Portals, walk: Walk) -> None:
    assert walk.leaks == []
    for mark in portals.marks:
        for part in mark.seen_by:
            words = {word for found in walk.met[part].values() for word in found}
            assert mark.word in words, f"the control: {part} meets {mark.word}"


async def test_what_is_hidden_is_answered_as_what_never_was(walk: Walk) -> None:
    assert walk.tells == []


async def test_each_route_is_looked_at_or_has_its_reason(portals: Portals, walk: Walk) -> None:
    """A new route that shows something of a record is met by the walk; any other says in `routes.py` why it is not."""
    there = {route.path for route in pages(portals.house)} | set(machine_paths(portals.house))
    assert there - walk.clinical - listed() == set()
    assert listed() - there == set(), "a route that is gone is taken off the lists"
    assert listed() & walk.clinical == set(), "a route that shows a record is on no list of reasons"
    assert absent_files() == []


FORMS: Mapping[str, Mapping[str, str | list[str]]] = {
    "/profil/synthese": {"rubriques": ["illnesses", "allergies", "vaccinations"]},
    "/historique.csv": {},
}
ZIPS = ("/documents/emporter", "/pro/patients/{patient}/exporter")
PARTS = (*CONTROLS, *OTHERS)
ON_PAPER = frozenset({"Ecume", "Granit", "Halite"})


async def test_a_zip_holds_only_letters_that_the_caller_sees(portals: Portals) -> None:
    for path, part in ((path, part) for path in ZIPS for part in PARTS if of_portal(path, part)):
        for letter in (one for one in portals.marks if one.kind == "documents"):
            answer = await portals.send(part, filled(portals, path), document=letter.id)
            expected = {letter.word} if part in letter.seen_by else set[str]()
            assert met(portals, said(answer.content)) == expected, (path, part, letter.word)


async def test_papers_and_tables_hold_what_their_reader_may_see(portals: Portals) -> None:
    for part in ("holder", "parent", "carer", "ended", "helper", "other"):
        paper = met(portals, said((await portals.send(part, "/profil/synthese", **FORMS["/profil/synthese"])).content))
        table = met(portals, (await portals.send(part, "/historique.csv")).text)
        # Others read a paper of the profile: it has nothing that is hidden from professionals, whoever prints it.
        assert paper == (ON_PAPER if part in CLOSE else set()), part
        told = {one.word for one in portals.marks if one.kind == "documents" and part in one.seen_by}
        assert table == told, part


async def test_a_summary_put_among_the_documents_tells_professionals_nothing_that_is_hidden(portals: Portals) -> None:
    filed = await portals.send("holder", "/profil/synthese", geste="ranger", **FORMS["/profil/synthese"])
    id = filed.headers["location"].rpartition("/")[2]
    read = await portals.browsers["doctor"].get(f"/pro/patients/{portals.patient}/documents/{id}/fichier")
    assert met(portals, said(read.content)) == ON_PAPER


async def test_an_emergency_code_opens_what_was_chosen_until_it_is_withdrawn_or_over(portals: Portals) -> None:
    services, me = portals.house.services, portals.holder
    codes = EmergencyCodes(Profile(services.database, services.gateway), services.clock, demonstration=True)

    async def opens(token: str) -> frozenset[str]:
        return met(portals, (await portals.send("visitor", f"/urgence/{token}")).text)

    assert await opens(portals.emergency) == {"Granit"}
    assert met(portals, (await portals.browsers["visitor"].get(f"/urgence/{portals.emergency}")).text) == set()
    async with services.database.transaction() as tx:
        second = await codes.make(tx, me, portals.patient, (Section.ILLNESSES,))
    assert await opens(second) == {"Ecume"}, "what is hidden stays hidden"
    former, portals.emergency = portals.emergency, second
    assert await opens(former) == set()
    async with services.database.transaction() as tx:
        await codes.revoke(tx, me, portals.patient)
    assert await opens(second) == set()
    async with services.database.transaction() as tx:
        portals.emergency = await codes.make(tx, me, portals.patient, (Section.ALLERGIES,))


async def test_a_closed_space_shows_professionals_nothing(portals: Portals, walk: Walk) -> None:
    """The author too; and everything is there again when it opens."""
    await _in_state(portals, "closed")
    try:
        closed = Walk()
        await _look(portals, closed, "doctor", [one for one in pages(portals.house) if one.path in walk.clinical])
        assert closed.met == {}
        assert met(portals, (await portals.send("visitor", f"/urgence/{portals.emergency}")).text) == set()
    finally:
        await _in_state(portals, "open_active")
    found = await portals.browsers["doctor"].get(f"/pro/patients/{portals.patient}")
    assert "Ardoise" in found.text


async def _in_state(portals: Portals, state: str) -> None:
    async with portals.house.services.database.transaction() as tx:
        await tx.execute("update access_space set state = %s where patient = %s", (state, portals.patient))


async def test_an_emergency_on_one_patient_reaches_no_document_of_another(portals: Portals) -> None:
    """Its purpose and its reason are those of one patient, whatever ids the address holds."""
    services, patient, letter = portals.house.services, portals.patient, portals.mark("Ardoise").id
    system = Context(System(), services.clock, demonstration=True)
    async with services.database.transaction() as tx:
        number = "2910175111222"
        other = (await services.gateway.create(tx, system, patient_resource(f"{number}{nir_key(number):02}"))).key
    opened = {"situation": "conscience", "motif": "Trouvé inanimé"}
    for about in (other, patient):
        answer = await portals.send("stranger", f"/pro/patients/{about}/urgence", **opened)
        assert answer.status_code == 303, answer.text
        for address in (f"/documents/{letter}", f"/documents/{letter}/fichier", f"?doc={letter}"):
            read = await portals.browsers["stranger"].get(f"/pro/patients/{about}{address}")
            assert ("Ardoise" in met(portals, said(read.content))) == (about == patient), (address, read.status_code)
        if about == other:
            async with services.database.transaction() as tx:
                asked = "select count(*) from access_emergency where patient = %s"
                assert await tx.fetch_value(asked, (patient,)) == 0, "nor does it open one there"
        await portals.send("stranger", f"/pro/patients/{about}/urgence/fermer")
