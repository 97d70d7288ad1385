"""Resources of the demonstration and of the directory are valid FHIR R4."""

import json
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from ambroise.fhir.validation import validate
from ambroise.interfaces.demonstration.care import all_documents, documents_of
from ambroise.interfaces.demonstration.examples import files
from ambroise.interfaces.demonstration.model import Nation
from ambroise.interfaces.demonstration.newcomers import actor_of, care_team
from ambroise.interfaces.demonstration.patients import own_document_metadata, patient_resource, visibility_metadata
from ambroise.interfaces.demonstration.population import build
from ambroise.modules.directory.model import ProfessionalEntry, Situation, Structure
from ambroise.modules.directory.resources import organization_resource, practitioner_resource, role_resource
from ambroise.modules.identity.api import Ins
from ambroise.modules.identity.registry.model import ins_of, traits_of, used_names_of


@pytest.fixture(scope="module")
def nation() -> Nation:
    return build("resources", 120, until=date(2026, 11, 1))


def faults(resource: dict[str, Any]) -> list[str]:
    return [f"{issue.expression}: {issue.diagnostics}" for issue in validate(resource) if issue.severity == "error"]


def test_every_patient_is_valid_and_states_its_traits(nation: Nation) -> None:
    for citizen in nation.citizens:
        resource = patient_resource(citizen)
        assert faults(resource) == []
        traits = traits_of(resource)
        assert ins_of(resource) == Ins(citizen.matricule, "1.2.250.1.213.1.4.10")
        assert traits.birth_name == citizen.birth_name
        assert traits.given_names == " ".join(citizen.birth_given)
        assert traits.first_given == citizen.birth_given[0]
        assert traits.birth_date == citizen.birth_date
        assert traits.birth_place == citizen.birthplace.cog
        if citizen.used_name:
            assert used_names_of(resource)[0] == citizen.used_name


def test_every_directory_entry_is_valid(nation: Nation) -> None:
    for professional in nation.professionals[:40]:
        actor = actor_of(professional)
        entry = ProfessionalEntry(
            actor.rpps, professional.family, professional.given, actor.profession, actor.profession_system,
            actor.specialty, actor.role_title, professional.sex, professional.title, professional.phone,
        )  # fmt: skip
        assert faults(practitioner_resource(entry, fictitious=True)) == []
        situation = Situation(professional.organization.id_nat, actor.role_title)
        assert faults(role_resource(entry, situation, "a", "b", fictitious=False)) == []
    for organization in nation.organizations[:40]:
        structure = Structure(
            organization.id_nat, organization.name, organization.facility, organization.setting, "1 rue Haute",
            "35000", "Rennes", organization.phone, organization.email,
        )  # fmt: skip
        assert faults(organization_resource(structure, fictitious=True)) == []


def test_the_metadata_of_a_citizens_own_document_is_valid(nation: Nation) -> None:
    own = next(document for document in all_documents(nation) if document.author is None)
    assert faults(own_document_metadata(own, UUID(int=1))) == []


def test_the_labels_of_a_withheld_document_are_those_asked() -> None:
    labels = visibility_metadata(frozenset({"INVISIBLE_PATIENT"}))["securityLabel"]
    assert [label["coding"][0]["code"] for label in labels] == ["INVISIBLE_PATIENT"]


def test_the_committed_examples_are_valid() -> None:
    written = files()
    assert faults(json.loads(written["fhir/iti-105-document-reference.json"])) == []
    bundle = json.loads(written["fhir/iti-65-bundle.json"])
    assert faults(bundle) == []
    for entry in bundle["entry"]:
        assert faults(entry["resource"]) == []


def test_a_care_team_is_of_the_town_and_leaves_out_the_treating_doctor(nation: Nation) -> None:
    for citizen in nation.citizens:
        team = care_team(nation, citizen, documents_of(nation, citizen))
        assert citizen.treating not in team
        assert team
