"""The directory on a real database: registering, finding, and telling who acts in which situation."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from ambroise.kernel.clock import SystemClock
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.errors import Refusal
from ambroise.modules.directory import api as directory
from ambroise.modules.directory.api import ProfessionalEntry, Situation, Structure
from ambroise.trust.context import Context, System

CTX = Context(System(), SystemClock(), channel="load", demonstration=True)
CABINET = Structure(
    "1990000010", "Cabinet médical des Tilleuls", "SA08", "AMBULATOIRE", "1 rue Haute", "35000", "Rennes"
)
HOSPITAL = Structure("1990000028", "Centre hospitalier", "SA01", "ETABLISSEMENT", "2 quai Bas", "44000", "Nantes")
CARDIOLOGIST = ProfessionalEntry(
    "99700000013", "ÉCHANTILLON", "Victor", "10", specialty="SM04", label="Médecin - Cardiologie", sex="M", title="DR"
)


@dataclass(frozen=True)
class Kept:
    id: str


@dataclass
class Shelf:
    """Keeps the resources that the directory hands to the door."""

    resources: list[dict[str, Any]] = field(default_factory=list)

    async def create(self, tx: Transaction, ctx: Context, resource: dict[str, Any], /) -> Kept:
        self.resources.append(resource)
        return Kept(f"r{len(self.resources)}")


@pytest.fixture
async def shelf(database: Database) -> Shelf:
    shelf = Shelf()
    async with database.transaction() as tx:
        for structure in (CABINET, HOSPITAL):
            await directory.register_structure(tx, CTX, shelf, structure)
        places = (Situation(CABINET.id_nat, "Cardiologue"), Situation(HOSPITAL.id_nat, "Praticien hospitalier"))
        await directory.register(tx, CTX, shelf, CARDIOLOGIST, places)
        nurse = ProfessionalEntry("99700000021", "Essai", "Julie", "60", label="Infirmier")
        await directory.register(tx, CTX, shelf, nurse, (Situation(HOSPITAL.id_nat),))
    return shelf


async def test_a_professional_acts_in_the_usual_situation_or_in_the_one_named(database: Database, shelf: Shelf) -> None:
    async with database.reader() as reader:
        usual = await directory.professional(reader, "99700000013")
        by_finess = await directory.professional(reader, "99700000013", "990000028")
        by_id = await directory.professional(reader, "99700000013", "1990000028")
    assert (usual.id, usual.organization, usual.role_title) == ("899700000013", CABINET.id_nat, "Cardiologue")
    assert (usual.profession, usual.specialty) == ("10", "SM04")
    assert by_finess == by_id
    assert by_finess.organization_name == "Centre hospitalier"


async def test_somebody_unknown_or_elsewhere_is_refused(database: Database, shelf: Shelf) -> None:
    async with database.reader() as reader:
        with pytest.raises(Refusal) as unknown:
            await directory.professional(reader, "01234567897")
        with pytest.raises(Refusal) as elsewhere:
            await directory.professional(reader, "99700000021", CABINET.id_nat)
    assert unknown.value.code == "PROFESSIONAL_UNKNOWN"
    assert elsewhere.value.code == "SITUATION_UNKNOWN"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("echantillon", ["ÉCHANTILLON"]),
        ("vic ech", ["ÉCHANTILLON"]),
        ("cardio rennes", ["ÉCHANTILLON"]),
        ("99700000021", ["Essai"]),
        ("hospitalier", ["ÉCHANTILLON", "Essai"]),
        ("chantillon", []),
        ("100%", []),
        ("", ["ÉCHANTILLON", "Essai"]),
    ],
)
async def test_search_is_by_the_beginning_of_words(
    database: Database, shelf: Shelf, text: str, found: list[str]
) -> None:
    async with database.reader() as reader:
        lines = await directory.search(reader, text)
    assert sorted(line.entry.family for line in lines) == sorted(found)


async def test_search_narrows_by_profession_and_town(database: Database, shelf: Shelf) -> None:
    async with database.reader() as reader:
        nurses = await directory.search(reader, "", profession="60")
        in_rennes = await directory.search(reader, "", city="Rennes")
        structures = await directory.search_structures(reader, "centre nantes")
    assert [line.entry.family for line in nurses] == ["Essai"]
    assert [line.entry.family for line in in_rennes] == ["ÉCHANTILLON"]
    assert structures == [HOSPITAL]


async def test_registering_again_updates_without_a_second_resource(database: Database, shelf: Shelf) -> None:
    before = len(shelf.resources)
    married = ProfessionalEntry("99700000021", "Modèle", "Julie", "60", label="Infirmier")
    async with database.transaction() as tx:
        await directory.register(tx, CTX, shelf, married, (Situation(HOSPITAL.id_nat),))
        await directory.register_structure(tx, CTX, shelf, CABINET)
    async with database.reader() as reader:
        assert (await directory.professional(reader, "99700000021")).name == "Julie Modèle"
    assert len(shelf.resources) == before


async def test_a_structure_comes_before_who_practises_in_it(database: Database) -> None:
    async with database.transaction() as tx:
        with pytest.raises(Refusal) as refused:
            await directory.register(tx, CTX, Shelf(), CARDIOLOGIST, (Situation("1990000036"),))
    assert refused.value.code == "STRUCTURE_UNKNOWN"


async def test_resources_say_who_and_where_and_that_they_are_test_data(database: Database, shelf: Shelf) -> None:
    types = [resource["resourceType"] for resource in shelf.resources]
    practitioner = shelf.resources[types.index("Practitioner")]
    role = shelf.resources[types.index("PractitionerRole")]
    assert types.count("Organization") == 2
    assert {i["system"]: i["value"] for i in practitioner["identifier"]} == {
        directory.RPPS_SYSTEM: "99700000013",
        directory.ID_NAT_PS_SYSTEM: "899700000013",
    }
    assert role["practitioner"]["reference"] == "Practitioner/r3"
    assert role["organization"]["reference"] == "Organization/r1"
    assert practitioner["meta"]["security"][0]["code"] == "HTEST"
