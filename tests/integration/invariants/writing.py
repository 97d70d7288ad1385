"""Random acts that write: resources, transactions, documents by every transaction of MHD, hiding and withdrawing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from ambroise.interfaces.demonstration import examples
from ambroise.interfaces.demonstration.analyses import ANALYSES, Result
from ambroise.interfaces.demonstration.cda_writer import CdaWriter
from ambroise.interfaces.demonstration.documents import BIOLOGY, CONSULTATION, Biology, Document, Text
from tests.integration.invariants.model import Line, Person, Standing, Thing, about, line
from tests.integration.invariants.reading import JSON, Reading

_GENERATE = "DocumentReference/$generate-metadata"
_XML = {"content-type": "application/xml"}
_PATCH = {"content-type": "application/json-patch+json"}
_NORMAL = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}]}
_FLAGS = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
_MASKED = {"coding": [{"system": _FLAGS, "code": "MASQUE_PS"}]}
_RESULTS = ("glucose", "hba1c")


class Writing(Reading):
    """The acts that change something, beside those that read."""

    async def create(self) -> list[Line]:
        person, patient = self._feeder(), self._where()
        answer = await self.world.clients[person].post("Observation", json=_observation(patient), headers=JSON)
        assert answer.status_code == 201, answer.text
        thing = self._made("Observation", answer.json()["id"], patient, person)
        return [about(person, "C", "create", thing)]

    async def create_what_is_wrong(self) -> list[Line]:
        person = self._feeder()
        wrong = {**_observation(self._where()), "status": "perhaps"}
        answer = await self.world.clients[person].post("Observation", json=wrong, headers=JSON)
        assert answer.status_code in (400, 422)
        return []

    async def update(self) -> list[Line]:
        person, thing = self._who(), self._what("Observation")
        body = {**_observation(thing.patient), "id": str(thing.key), "status": "amended"}
        answer = await self.world.clients[person].put(f"Observation/{thing.key}", json=body, headers=JSON)
        if not self._may_change(person, thing):
            assert answer.status_code in (403, 404), answer.text
            return [about(person, "U", "update", thing, refused=True)]
        assert answer.status_code in (200, 201), answer.text
        thing.deleted, thing.version = False, thing.version + 1
        return [about(person, "U", "update", thing)]

    async def update_another_version(self) -> list[Line]:
        person, thing = self.world.person(Standing.SYSTEM), self._what("Observation")
        body = {**_observation(thing.patient), "id": str(thing.key)}
        headers = {**JSON, "if-match": 'W/"9999"'}
        answer = await self.world.clients[person].put(f"Observation/{thing.key}", json=body, headers=headers)
        assert answer.status_code == 412, answer.text
        return []

    async def patch(self) -> list[Line]:
        person, thing = self._who(), self._what("Observation")
        content = json.dumps([{"op": "replace", "path": "/status", "value": "corrected"}])
        answer = await self.world.clients[person].patch(f"Observation/{thing.key}", content=content, headers=_PATCH)
        if not self._may_change(person, thing):
            assert answer.status_code in (403, 404), answer.text
            return [about(person, "U", "update", thing, refused=True)]
        if thing.deleted:
            assert answer.status_code == 410, answer.text
            return []
        assert answer.status_code == 200, answer.text
        thing.version += 1
        return [about(person, "U", "update", thing)]

    async def delete(self) -> list[Line]:
        person, thing = self._who(), self._what("Observation")
        answer = await self.world.clients[person].delete(f"Observation/{thing.key}")
        if not self._may_change(person, thing):
            assert answer.status_code in (403, 404), answer.text
            return [about(person, "D", "delete", thing, refused=True)]
        assert answer.status_code == 204, answer.text
        if thing.deleted:
            return []
        thing.deleted, thing.version = True, thing.version + 1
        return [about(person, "D", "delete", thing)]

    async def transaction(self) -> list[Line]:
        """Three creations and a reading, all or nothing."""
        person = self._feeder()
        seen = [one for one in self.model.of("Observation") if not one.deleted and self.model.sees(person, one)]
        read = self.random.choice(seen) if seen else None
        patients = [self._where() for _ in range(3)]
        entries = [_creation(number, _observation(patient)) for number, patient in enumerate(patients)]
        if read:
            entries.append({"request": {"method": "GET", "url": f"Observation/{read.key}"}})
        answer = await self._post(person, entries)
        assert answer.status_code == 200, answer.text
        expected: list[Line] = []
        for patient, entry in zip(patients, answer.json()["entry"], strict=False):
            id = entry["response"]["location"].split("/")[1]
            expected.append(about(person, "C", "create", self._made("Observation", id, patient, person)))
        return [*expected, about(person, "R", "read", read)] if read else expected

    async def transaction_that_fails(self) -> list[Line]:
        """One entry is wrong: nothing was created, and nothing says that it was."""
        wrong = {**_observation(self._where()), "status": "perhaps"}
        entries = [_creation(1, _observation(self._where())), _creation(2, wrong)]
        answer = await self._post(self._feeder(), entries)
        assert answer.status_code in (400, 422), answer.text
        return []

    async def provide(self) -> list[Line]:
        """ITI-65 with a CDA that holds a PDF."""
        document, patient = self._document()
        content = CdaWriter().write(document)
        bundle = examples.provide_bundle(document, content)
        answer = await self._author_client.post("", json=bundle, headers=JSON)
        assert answer.status_code == 200, answer.text
        locations = [entry["response"]["location"].split("/")[1] for entry in answer.json()["entry"]]
        return self._filed(locations[1], locations[2], patient, bundle, locations[0])

    async def publish(self) -> list[Line]:
        """ITI-105 with a PDF."""
        document, patient = self._document()
        resource = examples.simplified(document, CdaWriter().pdf(document))
        resource["masterIdentifier"]["value"] = f"urn:oid:{document.uid}"
        answer = await self._author_client.post("DocumentReference", json=resource, headers=JSON)
        assert answer.status_code == 201, answer.text
        lines = self._filed(answer.json()["id"], _binary(answer.json()), patient, resource)
        self.model.things[-1].cda = False
        return lines

    async def generate(self) -> list[Line]:
        """ITI-106 with structured results."""
        document, patient = self._document()
        assert document.author is not None
        results = tuple(Result(ANALYSES[name], 5.4) for name in _RESULTS)
        content = CdaWriter().write(replace(document, type=BIOLOGY, content=Biology(results, document.author)))
        headers = {"content-type": "application/xml"}
        answer = await self._author_client.post(
            "DocumentReference/$generate-metadata", content=content, headers=headers
        )
        assert answer.status_code == 200, answer.text
        id = answer.json()["parameter"][0]["valueReference"]["reference"].split("/")[1]
        return self._filed(id, self._binary_of(id), patient, content, extracted=len(_RESULTS))

    async def send_again(self) -> list[Line]:
        """A document that is there already: nothing is filed; what is found in its place was looked for."""
        there = [one for one in self.model.of("DocumentReference") if one.sent is not None and not one.deleted]
        if not there:
            return []
        thing = self.random.choice(there)
        person = self.world.person(Standing.AUTHOR)
        if isinstance(thing.sent, bytes):
            path = _GENERATE
            answer = await self._author_client.post(path, content=thing.sent, headers=_XML)
        else:
            sent: Any = thing.sent
            path = "" if sent["resourceType"] == "Bundle" else "DocumentReference"
            answer = await self._author_client.post(path, json=sent, headers=JSON)
        assert answer.status_code == 200, answer.text
        found = [line(person, "R", "search", thing.patient, "DocumentReference", thing.key, count=1)]
        if path == "":
            found.append(line(person, "R", "search", thing.patient, "List", self._list_of(str(thing.key)), count=1))
        return found

    async def send_in_the_name_of_another(self) -> list[Line]:
        """The feed checks refuse it before any space is opened."""
        document, _ = self._document()
        bundle = examples.provide_bundle(document, CdaWriter().write(document))
        person = self.world.person(Standing.STRANGER)
        answer = await self.world.clients[person].post("", json=bundle, headers=JSON)
        assert answer.status_code == 403, answer.text
        return [line(person, "C", "create", None, "DocumentReference", refused=True)]

    async def send_for_a_day_that_is_wrong(self) -> list[Line]:
        """Metadata and header disagree: refused, and told to the patient whose document it is."""
        document, patient = self._document()
        content = CdaWriter().write(document)
        bundle = examples.provide_bundle(document, content)
        bundle["entry"][1]["resource"]["date"] = "2001-01-01T00:00:00Z"
        person = self.world.person(Standing.AUTHOR)
        answer = await self._author_client.post("", json=bundle, headers=JSON)
        assert answer.status_code == 422, answer.text
        return [line(person, "C", "create", patient, "DocumentReference", refused=True)]

    async def hide_or_show(self) -> list[Line]:
        """Mask or unmask by changing the security labels, in the space of the holder or as somebody else."""
        thing, masked = self._what("DocumentReference"), self.random.random() < 0.6
        person = self.world.person(Standing.HOLDER, thing.patient) if self.random.random() < 0.7 else self._who()
        labels = [_NORMAL, _MASKED] if masked else [_NORMAL]
        content = json.dumps([{"op": "replace", "path": "/securityLabel", "value": labels}])
        answer = await self.world.clients[person].patch(
            f"DocumentReference/{thing.key}", content=content, headers=_PATCH
        )
        if not self.model.sees(person, thing):
            assert answer.status_code in (403, 404), answer.text
            return [about(person, "R", "read", thing, refused=True)]
        if masked == thing.masked:
            assert answer.status_code == 200, answer.text
            return [about(person, "R", "read", thing)]
        if person.standing is not Standing.HOLDER and answer.status_code == 403:
            return [about(person, "U", "masked", thing, refused=True)]
        assert answer.status_code == 200, answer.text
        thing.masked = masked
        return [about(person, "U", "masked" if masked else "unmasked", thing)]

    async def withdraw(self) -> list[Line]:
        """Delete a document: its author may, and the token of the operator; nobody else."""
        thing = self._what("DocumentReference")
        person = self.world.person(Standing.AUTHOR) if self.random.random() < 0.3 else self._who()
        answer = await self.world.clients[person].delete(f"DocumentReference/{thing.key}")
        if not self._may_change(person, thing) or thing.deleted:
            assert answer.status_code in (403, 404), answer.text
            return [about(person, "D", "withdrawn", thing, refused=True)]
        assert answer.status_code == 204, answer.text
        thing.deleted = True
        return [about(person, "D", "withdrawn", thing)]

    def _may_change(self, person: Person, thing: Thing) -> bool:
        return person.standing is Standing.SYSTEM or person.id == thing.author

    def _feeder(self) -> Person:
        """Somebody who may write in any space: feeding needs no consent to read."""
        return self.random.choice([one for one in self.world.clients if one.standing is not Standing.HOLDER])

    def _made(self, type: str, id: str, patient: UUID, person: Person) -> Thing:
        thing = Thing(type, UUID(id), patient, person.id)
        self.model.things.append(thing)
        return thing

    def _filed(
        self, id: str, binary: str, patient: UUID, sent: object, list: str | None = None, extracted: int = 0
    ) -> list[Line]:
        """The three lines of a filing: the document, what follows it, the List of the submission."""
        person = self.world.person(Standing.AUTHOR)
        thing = self._made("DocumentReference", id, patient, person)
        thing.binary, thing.sent, thing.extracted = UUID(binary), sent, extracted
        return self.filing_lines(person, thing, "fhir", UUID(list) if list else self._list_of(id))

    def filing_lines(self, person: Person, thing: Thing, channel: str, list: UUID) -> list[Line]:
        """What a filing leaves, by whichever way in."""
        follows = line(
            person,
            "C",
            "extracted",
            thing.patient,
            "DocumentReference",
            thing.key,
            # The Binary, and what the document states with its provenance.
            count=1 + thing.extracted + bool(thing.extracted),
            channel=channel,
        )
        return [
            line(person, "C", "create", thing.patient, "DocumentReference", thing.key, channel=channel),
            follows,
            line(person, "C", "submitted", thing.patient, "List", list, channel=channel),
        ]

    def _document(self) -> tuple[Document, UUID]:
        patient = self._where()
        document = Document(
            self.world.uid(),
            self.world.citizens[patient],
            self.world.author,
            datetime(2026, 1, 1 + self.random.randrange(28), 10, tzinfo=UTC),
            CONSULTATION,
            "Compte rendu de consultation",
            Text(("Document d'un essai.",)),
        )
        return document, patient

    def _list_of(self, document: str) -> UUID:
        """The List of a submission, whose id ITI-105 and 106 do not tell."""
        return self._ask("select id from resource where source = %s and type = %s", document, "List")

    def _binary_of(self, document: str) -> str:
        return str(self._ask("select id from resource where source = %s and type = %s", document, "Binary"))

    def _ask(self, statement: str, document: str, type: str) -> UUID:
        from ambroise.fhir.definitions import type_number

        row = self.world.connection.execute(statement.encode(), (document, type_number(type))).fetchone()
        assert row is not None
        return UUID(str(row[0]))

    async def _post(self, person: Person, entries: list[dict[str, Any]]) -> Any:
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        return await self.world.clients[person].post("", json=bundle, headers=JSON)

    @property
    def _author_client(self) -> Any:
        return self.world.clients[self.world.person(Standing.AUTHOR)]


def _observation(patient: UUID) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-01-15T10:00:00+01:00",
    }


def _creation(number: int, resource: dict[str, Any]) -> dict[str, Any]:
    return {
        "fullUrl": f"urn:uuid:00000000-0000-4000-8000-{number:012}",
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"]},
    }


def _binary(reference: dict[str, Any]) -> str:
    return reference["content"][0]["attachment"]["url"].rpartition("/")[2]
