"""Random acts that read: by id, by version, over time, by search, contents, several at once."""

from __future__ import annotations

from random import Random
from uuid import UUID

from tests.integration.invariants.model import Line, Model, Person, Standing, Thing, about, line
from tests.integration.invariants.world import World

MOST = 500


class Reading:
    """Each act returns the lines that it must leave."""

    def __init__(self, world: World, model: Model, random: Random) -> None:
        self.world = world
        self.model = model
        self.random = random

    async def read(self) -> list[Line]:
        person, thing = self._who(), self._what()
        answer = await self.world.clients[person].get(f"{thing.type}/{thing.key}")
        return self._read_lines(person, thing, answer.status_code, "read")

    async def read_a_version(self) -> list[Line]:
        person, thing = self._who(), self._what("Observation")
        answer = await self.world.clients[person].get(f"{thing.type}/{thing.key}/_history/1")
        if thing.deleted and thing.version > 1 and self.model.sees(person, thing):
            # A former version of what was deleted is still there for who saw it.
            assert answer.status_code == 200, answer.text
            return [about(person, "R", "read", thing)]
        return self._read_lines(person, thing, answer.status_code, "read")

    async def history(self) -> list[Line]:
        person, thing = self._who(), self._what("Observation")
        answer = await self.world.clients[person].get(f"{thing.type}/{thing.key}/_history")
        if self.model.sees(person, thing):
            assert answer.status_code == 200, answer.text
            return [about(person, "R", "history", thing)]
        assert answer.status_code in (403, 404), answer.text
        return [about(person, "R", "read", thing, refused=True)]

    async def read_what_is_not_there(self) -> list[Line]:
        answer = await self.world.clients[self._who()].get(f"Observation/{self.random.randbytes(12).hex()}")
        assert answer.status_code == 404
        return []

    async def read_without_a_token(self) -> list[Line]:
        thing = self._what()
        client = self.world.clients[self._who()]
        answer = await client.get(f"{thing.type}/{thing.key}", headers={"authorization": "Bearer nothing"})
        assert answer.status_code == 401
        return []

    async def read_content(self) -> list[Line]:
        person, thing = self._who(), self._what("DocumentReference")
        assert thing.binary is not None
        accept = self.random.choice(("*/*", "application/fhir+json"))
        answer = await self.world.clients[person].get(f"Binary/{thing.binary}", headers={"accept": accept})
        if self.model.sees(person, thing):
            assert answer.status_code == 200, answer.text
            return [line(person, "R", "content_read", thing.patient, "Binary", thing.binary)]
        assert answer.status_code in (403, 404), answer.text
        return [line(person, "R", "read", thing.patient, "Binary", thing.binary, refused=True)]

    async def read_a_person(self) -> list[Line]:
        person, patient = self._who(), self._where()
        answer = await self.world.clients[person].get(f"Patient/{patient}")
        if self.model.in_circle(person, patient):
            assert answer.status_code == 200, answer.text
            return [line(person, "R", "read", patient, "Patient", patient)]
        if person.standing is Standing.HOLDER:
            assert answer.status_code in (403, 404)
            return [line(person, "R", "read", patient, "Patient", patient, refused=True)]
        assert answer.status_code == 200
        return [line(person, "R", "person_found", patient, "Patient", patient)]

    async def search_documents(self) -> list[Line]:
        person, patient = self._who(), self._where()
        wanted = self.model.visible(person, "DocumentReference", patient)
        answer = await self.world.clients[person].get(
            f"DocumentReference?patient={patient}&status=current&_sort=-date&_count={MOST}"
        )
        found = {entry["resource"]["id"] for entry in answer.json().get("entry", [])}
        assert found == {str(one.key) for one in wanted}
        return [self._search_line(person, patient, "DocumentReference", [one.key for one in wanted])]

    async def search_observations(self) -> list[Line]:
        """With the patient among what comes back: a line counts everything about that person."""
        person, patient = self._who(), self._where()
        answer = await self.world.clients[person].get(
            f"Observation?patient={patient}&_include=Observation:subject&_count={MOST}"
        )
        keys = [UUID(entry["resource"]["id"]) for entry in answer.json().get("entry", [])]
        assert {one.key for one in self.model.visible(person, "Observation", patient)} <= set(keys)
        return [self._search_line(person, patient, "Observation", keys)]

    async def search_everywhere(self) -> list[Line]:
        """Without naming anybody: one line for each person about whom something came back."""
        person = self._who()
        answer = await self.world.clients[person].get(f"DocumentReference?status=current&_count={MOST}")
        expected: list[Line] = []
        for patient in self.world.citizens:
            wanted = [one.key for one in self.model.visible(person, "DocumentReference", patient)]
            if wanted:
                expected.append(self._search_line(person, patient, "DocumentReference", wanted))
        total = sum(len(self.model.visible(person, "DocumentReference", patient)) for patient in self.world.citizens)
        assert len(answer.json().get("entry", [])) == total
        return expected

    async def read_several_at_once(self) -> list[Line]:
        """A batch: each entry for itself, the refused ones too."""
        person = self._who()
        things = [self._what() for _ in range(3)]
        entries = [{"request": {"method": "GET", "url": f"{one.type}/{one.key}"}} for one in things]
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
        answer = await self.world.clients[person].post("", json=bundle, headers=JSON)
        assert answer.status_code == 200, answer.text
        statuses = [int(entry["response"]["status"][:3]) for entry in answer.json()["entry"]]
        return [
            expected
            for thing, status in zip(things, statuses, strict=True)
            for expected in self._read_lines(person, thing, status, "read")
        ]

    def _who(self) -> Person:
        return self.random.choice(list(self.world.clients))

    def _where(self) -> UUID:
        return self.random.choice(list(self.world.citizens))

    def _what(self, type: str | None = None) -> Thing:
        return self.random.choice(self.model.of(type) if type else self.model.things)

    def _read_lines(self, person: Person, thing: Thing, status: int, event: str) -> list[Line]:
        if not self.model.sees(person, thing):
            assert status in (403, 404), (person, thing, status)
            return [about(person, "R", "read", thing, refused=True)]
        if thing.deleted and thing.type == "Observation":
            assert status == 410, (person, thing, status)
            return []
        assert status == 200, (person, thing, status)
        return [about(person, "R", event, thing)]

    def _search_line(self, person: Person, patient: UUID, type: str, keys: list[UUID]) -> Line:
        refused = not keys and not self.model.in_circle(person, patient)
        return line(
            person,
            "R",
            "search",
            patient,
            type,
            keys[0] if len(keys) == 1 else None,
            refused=refused,
            count=len(keys),
        )


JSON = {"content-type": "application/fhir+json"}
