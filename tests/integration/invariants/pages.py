"""Random acts in a browser and on a command line."""

from __future__ import annotations

import asyncio
import os
from uuid import UUID

from typer.testing import CliRunner

from ambroise.interfaces.cli import build
from ambroise.interfaces.demonstration.cda_writer import CdaWriter
from ambroise.main.builder import InstanceBuilder
from tests.integration.invariants.model import Line, Person, Standing, Thing, line
from tests.integration.invariants.writing import Writing


class Pages(Writing):
    """The acts by the portals and by `ambroise submit`, beside those over REST."""

    async def timeline(self) -> list[Line]:
        person = self._in_browser(Standing.HOLDER)
        browser = await self.world.browsers[person].get("/documents")
        assert browser.status == 200
        return [self._seen(person, "search", "DocumentReference")]

    async def open_a_page(self) -> list[Line]:
        person, thing = self._reader_and_document()
        if thing is None:
            return []
        browser = await self.world.browsers[person].get(self._address(person, thing))
        if not self.model.sees(person, thing):
            assert browser.status in (403, 404)
            return [self._seen(person, "read", "DocumentReference", thing, refused=True)]
        assert browser.status == 200
        expected = [
            # A CDA is shown in the page itself, so its bytes are read.
            self._seen(person, "content_read" if thing.cda else "read", "DocumentReference", thing),
            self._seen(person, "search", "Observation", results=thing.extracted),
        ]
        if person.standing is Standing.TREATING:
            # The banner says who the patient is, and the allergies that are known or said to be none.
            expected.append(self._seen(person, "read", "Patient"))
            expected += [self._seen(person, "search", kind) for kind in ("AllergyIntolerance", "List")]
        return expected

    async def download(self) -> list[Line]:
        person, thing = self._reader_and_document()
        if thing is None:
            return []
        answer = await self.world.browsers[person].http.get(f"{self._address(person, thing)}/fichier")
        if not self.model.sees(person, thing):
            assert answer.status_code in (403, 404)
            return [self._seen(person, "read", "DocumentReference", thing, refused=True)]
        assert answer.status_code == 200
        return [self._seen(person, "content_read", "DocumentReference", thing)]

    async def submit_by_command(self) -> list[Line]:
        document, patient = self._document()
        path = self.world.folder / f"{document.uid}.xml"
        path.write_bytes(CdaWriter().write(document))
        services = self.world.house.services
        environment = {
            **os.environ,
            "AMBROISE_DATABASE_URL": self.world.database.app_dsn,
            "AMBROISE_DATA": str(services.settings.data),
        }
        command = ["submit", str(path), "--as", f"professional:{self.world.author.rpps}"]
        done = await asyncio.to_thread(CliRunner().invoke, build(InstanceBuilder()), command, env=environment)
        assert done.exit_code == 0, done.output
        row = self.world.connection.execute(
            "select document, binary_id from record_unique_id where unique_id = %s", (f"urn:oid:{document.uid}",)
        ).fetchone()
        assert row is not None
        person = self.world.person(Standing.AUTHOR)
        thing = self._made("DocumentReference", str(row[0]), patient, person)
        thing.binary = UUID(str(row[1]))
        return self.filing_lines(person, thing, "cli", self._list_of(str(thing.key)))

    def _in_browser(self, standing: Standing) -> Person:
        return next(one for one in self.world.browsers if one.standing is standing)

    def _reader_and_document(self) -> tuple[Person, Thing | None]:
        there = [one for one in self.model.of("DocumentReference") if one.patient == self.model.first]
        return self.random.choice(list(self.world.browsers)), self.random.choice(there) if there else None

    def _address(self, person: Person, thing: Thing) -> str:
        if person.standing is Standing.HOLDER:
            return f"/documents/{thing.key}"
        return f"/pro/patients/{thing.patient}/documents/{thing.key}"

    def _seen(
        self,
        person: Person,
        event: str,
        type: str,
        thing: Thing | None = None,
        *,
        refused: bool = False,
        results: int | None = None,
    ) -> Line:
        """A line of a page, about the first citizen."""
        first = self.model.first
        resource = thing.key if thing else first if type == "Patient" else None
        return line(person, "R", event, first, type, resource, refused=refused, count=results, channel="web")
