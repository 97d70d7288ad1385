"""Random acts by the administrative services of the DMP."""

from __future__ import annotations

from uuid import UUID

from ambroise.modules.directory import api as directory
from tests.integration.invariants.model import Line, Person, Standing, line
from tests.integration.invariants.pages import Pages
from tests.support.dmp import Lps, revision
from tests.support.xds import Software

_PROFESSIONALS = (Standing.TREATING, Standing.TEAM, Standing.AUTHOR, Standing.STRANGER)


class Soap(Pages):
    """The acts over SOAP, beside those over REST and on pages."""

    async def ask_whether_a_record_exists(self) -> list[Line]:
        person, patient, lps = await self._asking()
        answer = await lps.exists(self.world.citizens[patient].matricule)
        assert answer.response == "OK", answer.text
        # They know the circle of care; the others learn who it is, and nothing else.
        assert (answer.attention("AUTORISATION") == "VALIDE") is self.model.in_circle(person, patient)
        return [self._found(person, patient)]

    async def try_to_close_a_record(self) -> list[Line]:
        person, patient, lps = await self._asking()
        answer = await lps.patients(revision(self.world.citizens[patient].matricule, "FERM"))
        assert answer.acknowledged == ("AE", "ACCESS_WRITE_RESERVED"), answer.text
        refused = line(person, "U", "space_state", patient, None, refused=True, channel="xds")
        return [self._found(person, patient), refused]

    def _found(self, person: Person, patient: UUID) -> Line:
        return line(person, "R", "person_found", patient, "Patient", patient, channel="xds")

    async def _asking(self) -> tuple[Person, UUID, Lps]:
        """A professional with software, and somebody's record."""
        person = self.world.person(self.random.choice(_PROFESSIONALS))
        async with self.world.house.services.database.reader() as reader:
            who = await directory.professional(reader, person.id[1:])
        return person, self._where(), Lps(Software(self.world.house, who))
