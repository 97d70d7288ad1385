"""The mixed traffic: who asks what, and what each acknowledged act must have left behind."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from ambroise.interfaces.demonstration.model import Citizen
from ambroise.modules.identity.provider.api import Registered
from bench import soap
from bench.client import Parts
from bench.instance import Instance
from bench.resources import observation
from bench.sign_on import token_request
from bench.soak.wire import Answer, Wire
from bench.workloads import Template, another_uid, as_bytes
from bench.world import Space, World

SHARES = {
    "read": 24,
    "search": 18,
    "create": 6,
    "citizen-list": 10,
    "citizen-document": 5,
    "professional-list": 7,
    "professional-document": 3,
    "submission": 9,
    "xds": 5,
    "hl7v2": 5,
    "xds-find": 3,
    "token": 1,
    "refresh": 2,
    "sign-on": 2,
}
"""Requests of each kind in a hundred."""
TITLES = {
    "read": "FHIR read by id",
    "search": "FHIR search of a patient, sorted, 20 results",
    "create": "FHIR create",
    "citizen-list": "Page: one's documents",
    "citizen-document": "Page: a document, its owner",
    "professional-list": "Page: the documents of a patient, a professional",
    "professional-document": "Page: a document, a professional",
    "submission": "ITI-65, CDA N1 with a 100 KB PDF",
    "xds": "XDS ITI-41 (MTOM), the same",
    "hl7v2": "HL7 v2 ORU^R01, the same",
    "xds-find": "XDS ITI-18, FindDocuments",
    "token": "Token of a machine (client_credentials)",
    "refresh": "Refresh of a professional's tokens",
    "sign-on": "Sign-on in a browser, two requests",
}
_TEMPLATES = 30
_FORM_TOKEN = re.compile(rb'name="jeton" value="([^"]+)"')
_ACKNOWLEDGED = b"\rMSA|AA|"


class NotWell(Exception):
    """An answer that is not the one that was asked for."""


@dataclass(frozen=True)
class Done:
    """An act that was acknowledged: its request id where the answer says it, the document that it deposited."""

    request: UUID | None = None
    uid: str | None = None
    sha256: bytes = b""


@dataclass(frozen=True)
class Person:
    """Somebody with an account, and the spaces that he or she opens in a browser."""

    account: UUID
    spaces: tuple[Space, ...]


@dataclass
class Traffic:
    """Every kind of request, drawn anew each time."""

    instance: Instance
    world: World
    known: Sequence[tuple[UUID, Space]]
    documents: Mapping[UUID, Sequence[UUID]]
    """Of each space, the documents that were there before."""
    citizens: Sequence[Person]
    professionals: Sequence[Person]
    machine: Registered
    people: Registered
    refreshing: deque[str]
    wire: Wire
    random: Random

    def __post_init__(self) -> None:
        self._host = f"{self.instance.host}:{self.instance.port}"
        self._caller = soap.Caller(self.instance.settings.demonstration_pki, self._host)
        spaces = self.random.choices(self.world.spaces, k=_TEMPLATES)
        self._templates = [Template.of(space, self.world) for space in spaces]
        self._described = [
            soap.Provide.of(*template.document(space)) for template, space in zip(self._templates, spaces, strict=True)
        ]
        self._cookies: dict[UUID, str] = {}
        self._messages = 0
        self.acts: dict[str, Callable[[], Awaitable[Done]]] = {
            "read": self._read,
            "search": self._search,
            "create": self._create,
            "citizen-list": self._citizen_list,
            "citizen-document": self._citizen_document,
            "professional-list": self._professional_list,
            "professional-document": self._professional_document,
            "submission": self._submission,
            "xds": self._xds,
            "hl7v2": self._hl7,
            "xds-find": self._find,
            "token": self._token,
            "refresh": self._refresh,
            "sign-on": self._sign_on,
        }

    async def prepare(self) -> None:
        """Everybody signs in once, and every author has a certificate."""
        for person in (*self.citizens, *self.professionals):
            await self._enter(person)
        for template in self._templates:
            self._caller.find(template.author, template.citizen)

    async def content(self, binary: UUID, patient: UUID) -> bytes:
        """The bytes of a document, read by its owner."""
        owner = next(space.citizen for space in self.world.spaces if space.patient == patient)
        head = (
            f"GET /fhir/Binary/{binary} HTTP/1.1\r\nhost: {self._host}\r\naccept: application/xml, text/xml\r\n"
            f"authorization: Bearer {self.world.citizen_token(owner)}\r\n\r\n"
        )
        return _holds(await self.wire.ask((head.encode(),)), 200).body

    def draw(self) -> str:
        """A kind, as often as its share says."""
        return self.random.choices(list(SHARES), weights=list(SHARES.values()))[0]

    async def _read(self) -> Done:
        key, space = self.random.choice(self.known)
        return await self._fhir(f"/fhir/Observation/{key}", self._reader(space))

    async def _search(self) -> Done:
        space = self.random.choice(self.world.spaces)
        path = f"/fhir/Observation?patient={space.patient}&_sort=-date&_count=20"
        return await self._fhir(path, self._reader(space))

    async def _create(self) -> Done:
        space = self.random.choice(self.world.spaces)
        author = self.random.choice(space.readers)
        body = as_bytes(observation(self.random, space.patient, author))
        return _known(await self._send("/fhir/Observation", self.world.doctor_token(author), (body,)), 201)

    async def _submission(self) -> Done:
        template = self.random.choice(self._templates)
        uid = another_uid(self.random, template.uid)
        answer = await self._send("/fhir", self.world.doctor_token(template.author), template.with_uid(uid))
        return _deposited(_known(answer, 200), uid, template)

    async def _xds(self) -> Done:
        template, said = self.random.choice(list(zip(self._templates, self._described, strict=True)))
        uid = another_uid(self.random, template.uid)
        parts = self._caller.provide(template.author, said, uid, template.content(uid))
        _holds(await self.wire.ask(parts), 200, soap.SUCCESS)
        return _deposited(Done(), uid, template)

    async def _hl7(self) -> Done:
        template = self.random.choice(self._templates)
        uid = another_uid(self.random, template.uid)
        self._messages += 1
        _holds(await self.wire.tell(template.as_message(uid, self._messages)), 200, _ACKNOWLEDGED)
        return _deposited(Done(), uid, template)

    async def _find(self) -> Done:
        template = self.random.choice(self._templates)
        _holds(await self.wire.ask(self._caller.find(template.author, template.citizen)), 200, soap.SUCCESS)
        return Done()

    async def _citizen_list(self) -> Done:
        await self._page(self.random.choice(self.citizens), "/documents")
        return Done()

    async def _citizen_document(self) -> Done:
        person = self.random.choice(self.citizens)
        document = self.random.choice(self.documents[person.spaces[0].patient])
        await self._page(person, f"/documents/{document}")
        return Done()

    async def _professional_list(self) -> Done:
        person = self.random.choice(self.professionals)
        await self._page(person, f"/pro/patients/{self.random.choice(person.spaces).patient}")
        return Done()

    async def _professional_document(self) -> Done:
        person = self.random.choice(self.professionals)
        patient = self.random.choice(person.spaces).patient
        document = self.random.choice(self.documents[patient])
        await self._page(person, f"/pro/patients/{patient}/documents/{document}")
        return Done()

    async def _token(self) -> Done:
        asked = {"grant_type": "client_credentials", "scope": "mesure"}
        _holds(await self.wire.ask(token_request(self.instance, self.machine, asked)), 200, b"access_token")
        return Done()

    async def _refresh(self) -> Done:
        token = self.refreshing.popleft()
        asked = {"grant_type": "refresh_token", "refresh_token": token}
        answer = _holds(await self.wire.ask(token_request(self.instance, self.people, asked)), 200, b"refresh_token")
        self.refreshing.append(msgspec.json.decode(answer.body)["refresh_token"])
        return Done()

    async def _sign_on(self) -> Done:
        await self._enter(self.random.choice((*self.citizens, *self.professionals)))
        return Done()

    async def _enter(self, person: Person) -> None:
        """As a browser does that knows nobody yet: the list of people, then the choice."""
        page = _holds(await self.wire.ask((self._get("/etre", ""),)), 200, b"jeton")
        token = _FORM_TOKEN.search(page.body)
        if token is None:
            raise NotWell("the page of people has no form")
        body = urlencode({"jeton": token[1].decode(), "personne": str(person.account)}).encode()
        head = (
            f"POST /etre HTTP/1.1\r\nhost: {self._host}\r\ncookie: {_cookies(page)}\r\n"
            f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        answer = _holds(await self.wire.ask((head.encode(), body)), 303)
        self._cookies[person.account] = _cookies(answer)

    async def _page(self, person: Person, path: str) -> Answer:
        return _holds(await self.wire.ask((self._get(path, self._cookies[person.account]),)), 200, b"</html>")

    async def _fhir(self, path: str, token: str) -> Done:
        head = (
            f"GET {path} HTTP/1.1\r\nhost: {self._host}\r\nauthorization: Bearer {token}\r\n"
            "accept: application/fhir+json\r\n\r\n"
        )
        return _known(await self.wire.ask((head.encode(),)), 200)

    async def _send(self, path: str, token: str, body: Parts) -> Answer:
        head = (
            f"POST {path} HTTP/1.1\r\nhost: {self._host}\r\nauthorization: Bearer {token}\r\n"
            "accept: application/fhir+json\r\ncontent-type: application/fhir+json\r\n"
            f"content-length: {sum(map(len, body))}\r\n\r\n"
        )
        return await self.wire.ask((head.encode(), *body))

    def _get(self, path: str, cookie: str) -> bytes:
        said = f"cookie: {cookie}\r\n" if cookie else ""
        return f"GET {path} HTTP/1.1\r\nhost: {self._host}\r\n{said}accept: text/html\r\n\r\n".encode()

    def _reader(self, space: Space) -> str:
        who = self.random.choice((space.citizen, *space.readers))
        return self.world.citizen_token(who) if isinstance(who, Citizen) else self.world.doctor_token(who)


def _known(answer: Answer, status: int) -> Done:
    """The act, under the id that its trace has."""
    said = _holds(answer, status).header("x-request-id")
    if said is None:
        raise NotWell("the answer does not say its request id")
    return Done(UUID(said))


def _deposited(done: Done, uid: str, template: Template) -> Done:
    digest = hashlib.sha256()
    for piece in template.content(uid):
        digest.update(piece)
    return Done(done.request, uid, digest.digest())


def _holds(answer: Answer, status: int, words: bytes = b"") -> Answer:
    if answer.status != status or words not in answer.body:
        raise NotWell(f"{answer.status} {answer.body[:300].decode(errors='replace')}")
    return answer


def _cookies(answer: Answer) -> str:
    """Every cookie of an answer, as the next request sends them."""
    lines = (line.partition(b":") for line in answer.head.split(b"\r\n"))
    kept = [value.split(b";")[0].strip() for name, _, value in lines if name.lower() == b"set-cookie"]
    return b"; ".join(kept).decode("latin-1")
