"""The requests of each workload, written before anything is measured."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pybase64

from ambroise.interfaces.demonstration import examples
from ambroise.interfaces.demonstration.cda_writer import CdaWriter
from ambroise.interfaces.demonstration.documents import Document, uid_of
from ambroise.interfaces.demonstration.model import Citizen, Professional
from ambroise.modules.identity.ins import TEST_OID
from bench import soap
from bench.client import Parts
from bench.resources import encounter, observation
from bench.world import Browsers, Space, World, letter

_PDF_SIZE = 100_000
_TEMPLATES = 40
_OPENED = 200
_FINDS = 1_500
"""Many more than the aim: each is good once, and they must outlast the warm-up."""
_BY_CITIZENS = 0.25
_OK, _CREATED = frozenset({200}), frozenset({201})


@dataclass(frozen=True)
class Workload:
    """Requests to send, the statuses that mean success, and whether each is sent once only."""

    requests: Sequence[Parts]
    expected: frozenset[int]
    once: bool
    mllp: bool = False
    """Whether they go to the HL7 v2 port."""
    holds: bytes = b""
    """What a good answer holds, where its status does not say it."""


class Writer:
    """Writes the requests of a world. `known` gives ids of Observations with the space they are in."""

    def __init__(self, world: World, known: Sequence[tuple[UUID, Space]], host: str, seed: str, pki: Path) -> None:
        self._world = world
        self._known = known
        self._host = host
        self._random = Random(seed)
        self._caller = soap.Caller(pki, host)

    def write(self, name: str, count: int) -> Workload:
        """At most `count` different requests of one workload."""
        made: dict[str, Callable[[int], Workload]] = {
            "read": self._reads,
            "search": self._searches,
            "create": self._creates,
            "transaction": self._transactions,
            "submission": self._submissions,
            "hl7v2": self._messages,
            "xds": self._provided,
            "xds-find": self._finds,
            "page-list": lambda _: self._pages(citizen=["/documents"]),
            "page-patient": lambda _: self._pages(professional=[""]),
            "page-words": lambda _: self._pages(citizen=["/documents?mots=particularit%C3%A9"]),
            "page-document": lambda _: self._pages(citizen=self._documents(), professional=self._documents()),
        }
        return made[name](count)

    def _reads(self, count: int) -> Workload:
        if not self._known:
            return Workload([], _OK, once=False)
        chosen = self._random.choices(self._known, k=min(count, 20_000))
        requests = [(self._get(f"/fhir/Observation/{key}", self._reader(space)),) for key, space in chosen]
        return Workload(requests, _OK, once=False)

    def _searches(self, count: int) -> Workload:
        spaces = self._random.choices(self._world.spaces, k=min(count, 20_000))
        path = "/fhir/Observation?patient={}&_sort=-date&_count=20"
        requests = [(self._get(path.format(space.patient), self._reader(space)),) for space in spaces]
        return Workload(requests, _OK, once=False)

    def _creates(self, count: int) -> Workload:
        requests: list[Parts] = []
        for space in self._random.choices(self._world.spaces, k=count):
            author = self._author(space)
            body = as_bytes(observation(self._random, space.patient, author))
            requests.append((self._post("/fhir/Observation", author, len(body)), body))
        return Workload(requests, _CREATED, once=True)

    def _transactions(self, count: int) -> Workload:
        """An Encounter and two Observations made in it."""
        requests: list[Parts] = []
        for space in self._random.choices(self._world.spaces, k=count):
            author = self._author(space)
            names = [f"urn:uuid:{UUID(int=self._random.getrandbits(128), version=4)}" for _ in range(3)]
            resources = (
                encounter(space.patient, author),
                observation(self._random, space.patient, author, names[0]),
                observation(self._random, space.patient, author, names[0]),
            )
            entries = [
                {"fullUrl": name, "resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
                for name, one in zip(names, resources, strict=True)
            ]
            body = as_bytes({"resourceType": "Bundle", "type": "transaction", "entry": entries})
            requests.append((self._post("/fhir", author, len(body)), body))
        return Workload(requests, _OK, once=True)

    def _submissions(self, count: int) -> Workload:
        """ITI-65: each document has its own unique id, hence its own bytes and its own hash."""
        templates = [
            Template.of(space, self._world) for space in self._random.choices(self._world.spaces, k=_TEMPLATES)
        ]
        requests: list[Parts] = []
        for number in range(count):
            template = templates[number % len(templates)]
            parts = template.with_uid(another_uid(self._random, template.uid))
            length = sum(map(len, parts))
            requests.append((self._post("/fhir", template.author, length), *parts))
        return Workload(requests, _OK, once=True)

    def _messages(self, count: int) -> Workload:
        """ORU^R01: the same documents, each with its own unique id, as the software of their structure sends them."""
        templates = [
            Template.of(space, self._world) for space in self._random.choices(self._world.spaces, k=_TEMPLATES)
        ]
        requests: list[Parts] = []
        for number in range(count):
            template = templates[number % len(templates)]
            requests.append(template.as_message(another_uid(self._random, template.uid), number))
        return Workload(requests, _OK, once=True, mllp=True)

    def _provided(self, count: int) -> Workload:
        """ITI-41: the same documents once more, with their metadata, in parts."""
        spaces = self._random.choices(self._world.spaces, k=_TEMPLATES)
        templates = [(Template.of(space, self._world), space) for space in spaces]
        described = [soap.Provide.of(*template.document(space)) for template, space in templates]
        requests: list[Parts] = []
        for number in range(count):
            (template, _), said = templates[number % _TEMPLATES], described[number % _TEMPLATES]
            uid = another_uid(self._random, template.uid)
            requests.append(self._caller.provide(template.author, said, uid, template.content(uid)))
        return Workload(requests, _OK, once=True, holds=soap.SUCCESS)

    def _finds(self, count: int) -> Workload:
        """ITI-18: references to every document of the one patient whose record is long."""
        space = self._world.spaces[0]
        requests = [self._caller.find(self._author(space), space.citizen) for _ in range(max(count, _FINDS))]
        return Workload(requests, _OK, once=True, holds=soap.SUCCESS)

    def _pages(self, *, citizen: Sequence[str] = (), professional: Sequence[str] = ()) -> Workload:
        """Pages of the long record, by its holder and by the treating doctor, as browsers ask for them."""
        browsers, base = self._browsers(), f"/pro/patients/{self._world.spaces[0].patient}"
        asked = [(path, browsers.citizen) for path in citizen]
        asked += [(base + path, browsers.professional) for path in professional]
        requests = [
            (
                f"GET {path} HTTP/1.1\r\nhost: {self._host}\r\ncookie: {cookie}\r\n"
                "accept: text/html\r\naccept-encoding: gzip\r\n\r\n".encode(),
            )
            for path, cookie in asked
        ]
        return Workload(requests, _OK, once=False)

    def _documents(self) -> list[str]:
        """Some documents of the long record, below the page of their list."""
        documents = self._browsers().documents
        return [f"/documents/{one}" for one in self._random.sample(documents, min(_OPENED, len(documents)))]

    def _browsers(self) -> Browsers:
        if self._world.browsers is None:
            raise RuntimeError("there is no long record in this world")
        return self._world.browsers

    def _author(self, space: Space) -> Professional:
        return self._random.choice(space.readers)

    def _reader(self, space: Space) -> str:
        """The token of one of the doctors, or of the citizen."""
        if self._random.random() < _BY_CITIZENS:
            return self._world.citizen_token(space.citizen)
        return self._world.doctor_token(self._author(space))

    def _get(self, path: str, token: str) -> bytes:
        return (
            f"GET {path} HTTP/1.1\r\nhost: {self._host}\r\nauthorization: Bearer {token}\r\n"
            "accept: application/fhir+json\r\n\r\n"
        ).encode()

    def _post(self, path: str, author: Professional, length: int) -> bytes:
        return (
            f"POST {path} HTTP/1.1\r\nhost: {self._host}\r\n"
            f"authorization: Bearer {self._world.doctor_token(author)}\r\n"
            "accept: application/fhir+json\r\ncontent-type: application/fhir+json\r\n"
            f"content-length: {length}\r\n\r\n"
        ).encode()


@dataclass(frozen=True)
class Template:
    """The transaction of one document, cut where a unique id and what follows from it stand.

    Requests share the tail of the base64, so that thousands of them hold in memory.
    """

    author: Professional
    citizen: Citizen
    uid: str
    head: bytes
    """The beginning of the CDA, in which the unique id stands; a multiple of three bytes, as base64 needs."""
    tail: bytes
    tail_in_base64: bytes
    body: tuple[bytes, ...]
    """The JSON, cut at the hash and at the data; the unique id is still that of the template."""

    @staticmethod
    def of(space: Space, world: World) -> Template:
        """The submission of a consultation letter, as its treating doctor sends it."""
        uid = uid_of("bench", "submission", space.citizen.matricule)
        document = letter(space, uid, 0)
        cda = CdaWriter(pad_pdf_to=_PDF_SIZE).write(document)
        end = cda.rindex(uid.encode()) + len(uid)
        end += -end % 3
        text = as_bytes(examples.provide_bundle(document, cda))
        digest = pybase64.b64encode(hashlib.sha1(cda, usedforsecurity=False).digest())
        data = pybase64.b64encode(cda)
        before, found, rest = text.partition(digest)
        between, found_too, after = rest.partition(data)
        if not (found and found_too):
            raise RuntimeError("the bundle does not hold the document as it is")
        tail = cda[end:]
        return Template(
            space.readers[0], space.citizen, uid, cda[:end], tail, pybase64.b64encode(tail), (before, between, after)
        )

    def document(self, space: Space) -> tuple[Document, bytes]:
        """The document of the template, and its bytes."""
        return letter(space, self.uid, 0), self.head + self.tail

    def content(self, uid: str) -> Parts:
        """The document itself under another unique id of the same length, in two pieces."""
        return self.head.replace(self.uid.encode(), uid.encode()), self.tail

    def with_uid(self, uid: str) -> Parts:
        """The body for another unique id of the same length."""
        old, new = self.uid.encode(), uid.encode()
        head = self.head.replace(old, new)
        digest = hashlib.sha1(head, usedforsecurity=False)
        digest.update(self.tail)
        before, between, after = (part.replace(old, new) for part in self.body)
        hashed = pybase64.b64encode(digest.digest())
        return before + hashed + between + pybase64.b64encode(head), self.tail_in_base64, after

    def as_message(self, uid: str, number: int) -> Parts:
        """The message for another unique id of the same length, in its frame."""
        who, whom = self.author, self.citizen
        lines = (
            f"MSH|^~\\&|SIL|BENCH|AMBROISE||20260101||ORU^R01^ORU_R01|{number}|P|2.5|||||FRA|UNICODE UTF-8",
            f"PID|||{whom.matricule}^^^INS&{TEST_OID}&ISO^INS" + "|" * 29 + "VALI",
            "PRT||UC||SB|" + f"8{who.rpps}",
            "OBX|1|ED|11488-4^^LN||^TEXT^XML^Base64^",
        )
        head = (
            b"\x0b" + "\r".join(lines).encode() + pybase64.b64encode(self.head.replace(self.uid.encode(), uid.encode()))
        )
        return head, self.tail_in_base64, b"||||||F\r\x1c\r"


def another_uid(random: Random, like: str) -> str:
    """Another unique id, as long as this one."""
    digits = len(like.removeprefix("2.25."))
    return f"2.25.{random.randrange(10 ** (digits - 1), 10**digits)}"


def as_bytes(resource: Any) -> bytes:
    """A resource as it goes over the wire."""
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()
