"""The portals of one instance with people in them, and a record where each thing is marked with a word of its own.

A mark says who may meet it. Whatever page a person looks at, the marks of others are not in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import httpx
from lxml import html
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.routing import Mount, Route, WebSocketRoute

from ambroise.interfaces import web
from ambroise.interfaces.demonstration.pdf_writer import Letter, write
from ambroise.interfaces.web.professional.describing import with_format
from ambroise.modules.consent.api import Requests
from ambroise.modules.directory import api as directory
from ambroise.modules.identity.api import AccountKind, NewAccount, Situation
from ambroise.modules.identity.ins import nir_key
from ambroise.modules.prevention.api import Checkups, Prevention
from ambroise.modules.profile.api import Draft, EmergencyCodes, Profile, Section
from ambroise.modules.record.api import Folders, Incoming, ReportKind, Submission, reports
from ambroise.modules.record.api import write as cda
from ambroise.trust.access.people import Party
from ambroise.trust.context import Citizen, Context, Professional, Relation, System
from tests.conformance.cda.test_written import DOCTOR as SIGNER
from tests.conformance.cda.test_written import PATIENT
from tests.integration.record.conftest import doctor, patient_resource
from tests.integration.record.test_feed_checks import renumbered, with_pdf
from tests.integration.record.test_visibility import flagged
from tests.support.server import House

ADDRESS = "https://test.example"
BAND = "45-50"
NOBODY = str(uuid4())
_DONE = date(2026, 3, 3)
_MOMENT = datetime(2026, 1, 15, tzinfo=UTC)
_AUTHOR = "801234567897"
DOCTOR, BLOCKED, STRANGER = "810000000001", "810000000002", "810000000003"
_OTHERS = ("2550869260052", "2840875123456", "2861275111222", "2830475111222")


@dataclass(frozen=True)
class Mark:
    """A word found in one thing alone, and who meets it. `kind` and `id` are that thing's, where pages address it."""

    word: str
    seen_by: frozenset[str]
    kind: str = ""
    id: str = ""


@dataclass
class Portals:
    """Browsers in which people are signed in, by the person's part."""

    house: House
    patient: UUID
    marks: list[Mark] = field(default_factory=list[Mark])
    browsers: dict[str, httpx.AsyncClient] = field(default_factory=dict[str, httpx.AsyncClient])
    emergency: str = ""
    joined: str = ""
    lines: Sequence[str] = ()
    """The name of a file inside a letter; the lines of the history that the holder may report."""
    tokens: dict[str, str] = field(default_factory=dict[str, str])
    """What the forms of each person's session carry."""

    def context(self, actor: Professional | Citizen | System) -> Context:
        return Context(actor, self.house.services.clock, demonstration=True)

    @property
    def holder(self) -> Context:
        return self.context(Citizen(self.patient, "Dominique Pat-Trois"))

    def mark(self, word: str) -> Mark:
        return next(one for one in self.marks if one.word == word)

    def browser(self) -> httpx.AsyncClient:
        """A browser that never came before."""
        transport = httpx.ASGITransport(app=self.house.app, client=("203.0.113.9", 40000))
        return httpx.AsyncClient(transport=transport, base_url=ADDRESS, timeout=60)

    async def enter(self, part: str, account: UUID, *, space: UUID | None = None) -> None:
        """Sign a person in, and open somebody's space."""
        browser = self.browsers[part] = self.browser()
        token = await form_token(browser, "/etre")
        answer = await browser.post("/etre", data={"personne": str(account), "jeton": token})
        assert answer.status_code == 303, answer.text
        if space is not None:
            token = await form_token(browser, "/reglages")
            answer = await browser.post("/dossier", data={"dossier": str(space), "jeton": token})
            assert answer.status_code == 303, answer.text

    async def send(self, part: str, address: str, **fields: str | list[str]) -> httpx.Response:
        """What somebody's form is answered."""
        browser = self.browsers[part]
        if part not in self.tokens:
            self.tokens[part] = await form_token(browser, "/connexion" if part == "visitor" else "/reglages")
        return await browser.post(address, data={**fields, "jeton": self.tokens[part]})


def pages(house: House) -> Iterator[Route]:
    """Every route of the portals."""
    mount = web.routes(house.services)[0]
    assert isinstance(mount, Mount)
    assert isinstance(mount.app, Starlette)
    for route in mount.app.routes:
        assert isinstance(route, Route)
        yield route


def machine_paths(house: House) -> Iterator[str]:
    """The paths that the application answers beside its portals and `/fhir`."""
    for layer in _layers(house.app):
        if isinstance(layer, Starlette):
            yield from (route.path for route in layer.routes if isinstance(route, Route | WebSocketRoute))


def _layers(app: object) -> Iterator[object]:
    """What the application is wrapped in, from the outside in."""
    yield app
    for inside in vars(app).values():
        if callable(inside) and not isinstance(app, Starlette) and hasattr(inside, "__dict__"):
            yield from _layers(inside)


async def form_token(browser: httpx.AsyncClient, address: str) -> str:
    page = html.document_fromstring((await browser.get(address)).text)
    return str(page.cssselect("input[name=jeton]")[0].get("value"))


async def furnish(house: House) -> Portals:
    """The people, the record, then what each of them lost: a right that ended, a block."""
    services = house.services
    system = Context(System(), services.clock, demonstration=True)
    async with services.database.transaction() as tx:
        await Prevention(services.gateway).install(tx, system)
        keys = [
            (await services.gateway.create(tx, system, patient_resource(f"{number}{nir_key(number):02}"))).key
            for number in ("2790351215189", *_OTHERS)
        ]
        for id in (DOCTOR, BLOCKED, STRANGER):
            entry = directory.ProfessionalEntry(id[1:], "FICTIF", "Alix", "10", test_identity=True)
            await directory.register(tx, replace(system, channel="load"), services.gateway, entry, ())
    portals = Portals(house, keys[0])
    await _fill(portals)
    await _people(portals, *keys[1:])
    holder = portals.browsers["holder"]
    letter = await holder.get(f"/documents/{portals.mark('Ardoise').id}")
    portals.joined = re.findall(r"/joint/([^\"]+)", letter.text)[0]
    portals.lines = re.findall(r"/historique/([0-9a-f-]+)/signaler", (await holder.get("/historique")).text)
    return portals


CLOSE = frozenset({"holder", "parent", "carer"})


async def _fill(portals: Portals) -> None:
    await _letter(portals, "Ardoise", CLOSE | {"doctor"})
    masked = await _letter(portals, "Basalte", CLOSE)
    await _letter(portals, "Calcite", frozenset({"doctor"}), "INVISIBLE_PATIENT")
    secret = await _letter(
        portals, "Dolomie", frozenset({"holder", "carer", "doctor"}), "INVISIBLE_REPRESENTANTS_LEGAUX"
    )
    await _plan(portals, "Rubis", frozenset({"holder", "carer", "doctor"}), "INVISIBLE_REPRESENTANTS_LEGAUX")
    services, me, patient = portals.house.services, portals.holder, portals.patient
    profile, record = Profile(services.database, services.gateway), services.record
    checkups = Checkups(Prevention(services.gateway))
    async with services.database.transaction() as tx:
        await record.mask(tx, me, masked)
        for section, word in (
            (Section.ILLNESSES, "Ecume"),
            (Section.ALLERGIES, "Granit"),
            (Section.VACCINATIONS, "Halite"),
        ):
            line = await profile.add(tx, me, patient, Draft(section, word, start="2020-05-03"))
            portals.marks.append(Mark(word, CLOSE | {"doctor"}, section.value, line.rpartition("/")[2]))
        for section, word in ((Section.ILLNESSES, "Feldspath"), (Section.VACCINATIONS, "Ilmenite")):
            line = await profile.add(tx, me, patient, Draft(section, word, start="2020-05-03"))
            await profile.hide(tx, me, patient, line, hidden=True)
            portals.marks.append(Mark(word, CLOSE, section.value, line.rpartition("/")[2]))
        await checkups.share(tx, me, patient, BAND, {"topic": "Jaspe"})
        portals.marks.append(Mark("Jaspe", frozenset({"doctor"})))
        await checkups.save(tx, me, patient, BAND, {"topic": "Kyanite"})
        portals.marks.append(Mark("Kyanite", CLOSE))
        folders = Folders(services.gateway)
        for word, document, seen_by in (
            ("Larimar", portals.mark("Ardoise").id, CLOSE),
            ("Malachite", masked, CLOSE),
            ("Neptunite", secret, CLOSE - {"parent"}),
        ):
            await folders.put(tx, me, [document], str(await folders.create(tx, me, word)))
            await folders.pin(tx, me, document, True)
            portals.marks.append(Mark(word, seen_by))
        await Prevention(services.gateway).done(tx, me, patient, f"checkup.{BAND}", _DONE)
        portals.marks.append(Mark(_DONE.isoformat(), CLOSE))
        asker = portals.context(doctor(STRANGER, "Dr Inconnu"))
        request = await Requests(services.gateway).ask(tx, asker, patient, "Opale")
        portals.marks.append(Mark("Opale", CLOSE, "demandes", str(request.id)))
        told = {"words": "Pyrite"}
        report = await reports.report(tx, me, patient, ReportKind.MISFILED_DOCUMENT, portals.mark("Ardoise").id, told)
        portals.marks.append(Mark("Pyrite", frozenset({"desk"}), "guichet", str(report.id)))
        portals.emergency = await EmergencyCodes(profile, services.clock, demonstration=True).make(
            tx, me, patient, (Section.ALLERGIES,)
        )


async def _letter(portals: Portals, word: str, seen_by: frozenset[str], flag: str | None = None) -> str:
    """A letter whose title and text have the word; its author is no other person of these pages."""
    body = Letter(word, ("Cabinet",), ("Dominique",), "Tours", (f"Lésion du ménisque {word}.",), ("Dr",), _MOMENT)
    content = renumbered(with_pdf(write(body)), str(len(portals.marks) + 1).encode())
    content = content.replace(b"<title>Compte rendu de consultation", f"<title>Lettre {word}".encode())
    author = portals.context(doctor(_AUTHOR, "Charles Muller"))
    services = portals.house.services
    async with services.database.transaction() as tx:
        sent = Submission((Incoming(content, None, flagged(flag) if flag else None),))
        filed = (await services.record.submit(tx, author, sent)).documents[0]
    portals.marks.append(Mark(word, seen_by, "documents", str(filed.document)))
    return str(filed.document)


async def _plan(portals: Portals, word: str, seen_by: frozenset[str], flag: str) -> None:
    """A plan of prevention whose one aim has the word; of long ago, so that it closes no check-up of now."""
    written = datetime(2020, 1, 15, tzinfo=UTC)
    title = "Plan personnalisé de prévention"
    head = cda.Head("2.25.7002", cda.PREVENTION_PLAN_TYPE, title, written, written, PATIENT, SIGNER)
    content = cda.prevention_plan(cda.Header(), head, cda.PreventionPlan("Bilan", (cda.Aim("Bouger", f"Avec {word}"),)))
    described = with_format(flagged(flag), "urn:asipSante:modelesHorsProfils:2011")
    services = portals.house.services
    async with services.database.transaction() as tx:
        author = portals.context(doctor(_AUTHOR, "Charles Muller"))
        await services.record.submit(tx, author, Submission((Incoming(content, None, described),)))
    portals.marks.append(Mark(word, seen_by))


async def _people(portals: Portals, *others: UUID) -> None:
    services, rights, me = portals.house.services, portals.house.services.gateway.rights, portals.holder
    parent, carer, ended, helper = others
    async with services.database.transaction() as tx:
        for id in (DOCTOR, BLOCKED):
            await rights.authorise(tx, me, portals.patient, Party.of(doctor(id, "Dr Fictif")))
        helping: Sequence[tuple[UUID, Relation]] = (
            (parent, "representative"),
            (carer, "carer"),
            (ended, "carer"),
        )
        for person, kind in helping:
            await rights.set_relation(tx, me, portals.patient, person, kind, scope="act")
        await rights.set_relation(tx, me, portals.patient, helper, "mediator", scope="screens")
    accounts = await _accounts(
        portals, {"holder": portals.patient, "parent": parent, "carer": carer, "ended": ended, "helper": helper}
    )
    await portals.enter("visitor", accounts["holder"])
    portals.browsers["visitor"] = portals.browser()
    await portals.enter("holder", accounts["holder"])
    for part in ("parent", "carer", "ended", "helper"):
        await portals.enter(part, accounts[part], space=portals.patient)
    await portals.enter("other", accounts["parent"])
    for part in ("doctor", "blocked", "stranger", "desk"):
        await portals.enter(part, accounts[part])
    async with services.database.transaction() as tx:
        await rights.end_relation(tx, me, portals.patient, ended, "carer")
        await rights.block(tx, me, portals.patient, Party.of(doctor(BLOCKED, "Dr Fictif")))


async def _accounts(portals: Portals, citizens: Mapping[str, UUID]) -> Mapping[str, UUID]:
    identity = portals.house.services.identity
    situation = Situation("10", organization="1750803447", organization_name="Cabinet")
    duties = frozenset({"support", "identity", "rectification", "access", "prevention"})
    new = {
        part: NewAccount(AccountKind.CITIZEN, f"{part}@exemple.fr", f"{part} Fictif", patient=patient)
        for part, patient in citizens.items()
    }
    for part, id in (("doctor", DOCTOR), ("blocked", BLOCKED), ("stranger", STRANGER)):
        new[part] = NewAccount(AccountKind.PROFESSIONAL, id, f"Dr {part}", professional=id, situations=(situation,))
    new["desk"] = NewAccount(AccountKind.OPERATOR, "guichet@exemple.fr", "Guichet", duties=duties)
    made: dict[str, UUID] = {}
    async with identity.database.transaction() as tx:
        for part, one in new.items():
            made[part] = await identity.create_account(tx, replace(one, demonstration=True))
    return made
