"""The published directory (API FHIR Annuaire Santé v2), walked by fhirpy, a client written by others."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fhirpy import AsyncFHIRClient

from ambroise.fhir.validation import validate
from ambroise.interfaces.departures import follow
from ambroise.interfaces.token_claims import Role
from ambroise.modules.directory.api import FileKind, import_file
from ambroise.trust.context import Context, System
from tests.conformance.fhir_clients.conftest import Served, served
from tests.integration.directory.conftest import activity, finess, rpps, written_to

__all__ = ["served"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

G15 = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
R22 = "https://mos.esante.gouv.fr/NOS/TRE_R22-GenreActivite/FHIR/TRE-R22-GenreActivite"
R02 = "https://mos.esante.gouv.fr/NOS/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def directory(served: Served, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder: Path = tmp_path_factory.mktemp("extractions")
    services = served.house.services
    ctx = Context(System(), services.clock, channel="cli", demonstration=True)
    people = [activity(number, family=f"Numéro{number:02}") for number in range(12)]
    people[3] |= {"profession": "60", "skill": "", "family": "Modèle", "finess_legal": finess(1)}
    people[4] |= {"finess": finess(2), "structure": "Clinique", "sector": "SA01", "finess_legal": finess(1)}
    legal = activity(50, family="Directeur", structure="Groupe", finess=finess(1))
    files: list[tuple[FileKind, list[Any]]] = [
        (FileKind.ACTIVITY, [*people, legal, activity(90, family="Parti")]),
        (
            FileKind.MAILBOX,
            [
                {"kind": "PER", "address": "zoe@medecin.mssante.example", "id_nat": f"8{rpps(1)}"},
                {
                    "kind": "ORG",
                    "address": "accueil@clinique.mssante.example",
                    "structure": finess(2),
                    "service": "Accueil",
                },
            ],
        ),
        (
            FileKind.SERVICE,
            [{"id": "AS-1", "finess": finess(2), "kind": "healthcare-activity", "type": "01", "label": "Médecine"}],
        ),
        (
            FileKind.DEVICE,
            [{"id": "EML-1", "finess": finess(2), "type": "05", "manufacturer": "Exemple", "model": "3T"}],
        ),
    ]
    for kind, lines in files:
        await import_file(services.database, ctx, written_to(folder, kind, lines), follow=follow)
    remaining = written_to(folder, FileKind.ACTIVITY, [*people, legal])
    await import_file(services.database, ctx, remaining, follow=follow)
    yield served


@pytest.fixture
def base(served: Served) -> str:
    return served.url.removesuffix("/fhir") + "/annuaire/fhir/v2"


@pytest.fixture
def client(directory: Served, base: str) -> AsyncFHIRClient:
    return AsyncFHIRClient(base, authorization=f"Bearer {directory.house.token()}")


@pytest_asyncio.fixture(loop_scope="module")
async def http(directory: Served, base: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"esante-api-key": directory.house.token()}
    async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False) as opened:
        yield opened


async def found(http: httpx.AsyncClient, query: str) -> list[dict[str, Any]]:
    answer = await http.get(f"/{query}")
    assert answer.status_code == 200, answer.text
    return [one["resource"] for one in answer.json().get("entry", [])]


async def test_pages_are_walked_and_counted(client: AsyncFHIRClient) -> None:
    search = client.resources("Practitioner").search(active="true").limit(5)
    people = await search.fetch_all()
    assert len(people) == len({one["id"] for one in people}) == 13
    assert await client.resources("Practitioner").search(active="true", _total="accurate").fetch_raw()


async def test_every_resource_is_valid_fhir(http: httpx.AsyncClient) -> None:
    for type in ("Practitioner", "PractitionerRole", "Organization", "HealthcareService", "Device"):
        resources = await found(http, type)
        assert resources, type
        for one in resources:
            errors = [finding for finding in validate(one) if finding.severity in ("error", "fatal")]
            assert not errors, (one, errors)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("Practitioner?family=modele", 1),
        ("Practitioner?family=numero0", 9),
        ("Practitioner?family:exact=Numéro01", 1),
        ("Practitioner?family:contains=meRo1", 2),
        ("Practitioner?given=zoe&active=true", 13),
        ("Practitioner?name=modele%20zoe", 1),
        (f"Practitioner?identifier=https://rpps.esante.gouv.fr|{rpps(2)}", 1),
        (f"Practitioner?identifier=urn:oid:1.2.250.1.71.4.2.1|8{rpps(2)}", 1),
        (f"Practitioner?identifier={rpps(2)},{rpps(3)}", 2),
        ("Practitioner?identifier-type=ADELI", 0),
        (f"Practitioner?qualification-code={G15}|60", 1),
        ("Practitioner?qualification-code=SM04&active=true", 12),
        ("Practitioner?mailbox-mss:contains=%40medecin", 1),
        ("Practitioner?mailbox-mss-type=PER", 1),
        ("Practitioner?data-information-system=RPPS&active=true", 13),
        ("Practitioner?number-smartcard=123", 0),
        ("Practitioner?active=false", 1),
        ("Practitioner?_lastUpdated=ge2020-01-01&active=true", 13),
        ("Practitioner?_lastUpdated=lt2020-01-01", 0),
        (f"PractitionerRole?practitioner=Practitioner/8{rpps(4)}", 1),
        (f"PractitionerRole?organization=1{finess(2)}", 1),
        (f"PractitionerRole?role={R22}|GENR01&active=true", 13),
        ("PractitionerRole?role=L,S&active=true", 13),
        (f"Organization?identifier=https://finess.esante.gouv.fr|{finess(2)}", 1),
        (f"Organization?type={R02}|SA01", 1),
        ("Organization?name:contains=niq", 1),
        ("Organization?address-city=tou", 2),
        ("Organization?address=haute", 2),
        ("Organization?address-postalcode=37", 2),
        ("Organization?mailbox-mss:contains=%40clinique&type=SA01", 1),
        (f"Organization?partof=Organization/1{finess(1)}", 1),
        (f"HealthcareService?organization=Organization/1{finess(2)}&service-type=01", 1),
        ("HealthcareService?_profile=https://x/as-dp-healthcareservice-social-equipment", 0),
        ("Device?manufacturer=exem&model:exact=3T&status=active&type=05", 1),
        ("Device?identifier=EML-1", 1),
        ("Device?_since=2020-01-01", 1),
    ],
)
async def test_each_parameter_finds_its_own(http: httpx.AsyncClient, query: str, count: int) -> None:
    assert len(await found(http, query)) == count


async def test_includes_bring_what_is_referred_to_both_ways(http: httpx.AsyncClient) -> None:
    query = f"PractitionerRole?organization=1{finess(2)}&_include=PractitionerRole:organization&_include=*"
    assert sorted(one["resourceType"] for one in await found(http, query)) == [
        "Organization", "Practitioner", "PractitionerRole",
    ]  # fmt: skip
    query = f"Practitioner?identifier={rpps(4)}&_revinclude=PractitionerRole:practitioner"
    assert [one["resourceType"] for one in await found(http, query)] == ["Practitioner", "PractitionerRole"]
    query = (
        f"Organization?identifier={finess(2)}&_revinclude=Device:organization"
        "&_revinclude=HealthcareService:organization&_include=Organization:partof"
    )
    assert sorted(one["resourceType"] for one in await found(http, query)) == [
        "Device", "HealthcareService", "Organization", "Organization",
    ]  # fmt: skip


async def test_who_left_is_shown_with_the_identity_alone(http: httpx.AsyncClient) -> None:
    [left] = await found(http, "Practitioner?active=false")
    assert set(left) == {"resourceType", "id", "meta", "identifier", "active", "name"}
    assert (await http.get(f"/Practitioner/{left['id']}")).json()["active"] is False


async def test_elements_mailboxes_and_the_form_of_a_search(http: httpx.AsyncClient) -> None:
    [one] = await found(http, f"Practitioner?identifier={rpps(1)}&_elements=name")
    assert set(one) == {"resourceType", "id", "meta", "name"}
    [whole] = await found(http, f"Practitioner?identifier={rpps(1)}")
    [mailbox] = [each for each in whole["telecom"] if each["system"] == "email"]
    assert mailbox["value"] == "zoe@medecin.mssante.example"
    posted = await http.post("/Practitioner/_search", data={"family": "modele", "_total": "accurate"})
    assert posted.json()["total"] == 1


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/Practitioner?colour=blue", 400, "SEARCH_PARAMETER_UNKNOWN"),
        ("/Practitioner?active=perhaps", 400, "SEARCH_VALUE_INVALID"),
        ("/Practitioner?_lastUpdated=yesterday", 400, "SEARCH_VALUE_INVALID"),
        ("/Practitioner?_include=Practitioner:x", 400, "SEARCH_VALUE_INVALID"),
        ("/Practitioner?identifier:contains=1", 400, "SEARCH_VALUE_INVALID"),
        ("/Practitioner?family=%00", 400, "SEARCH_VALUE_INVALID"),
        ("/Practitioner?_id=a%27b", 400, "SEARCH_VALUE_INVALID"),
        ("/Practitioner/nobody", 404, "RESOURCE_NOT_FOUND"),
        ("/Patient", 404, "RESOURCE_TYPE_UNKNOWN"),
    ],
)
async def test_refusals_are_outcomes_that_say_what_to_do(
    http: httpx.AsyncClient, path: str, status: int, code: str
) -> None:
    answer = await http.get(path)
    assert (answer.status_code, answer.json()["issue"][0]["details"]["coding"][0]["code"]) == (status, code)


async def test_any_signed_in_caller_reads_and_nobody_else(directory: Served, base: str) -> None:
    async with httpx.AsyncClient(base_url=base, trust_env=False) as nobody:
        assert (await nobody.get("/Practitioner")).status_code == 401
        assert (await nobody.get("/metadata")).json()["rest"][0]["resource"][0]["type"] == "Practitioner"
        assert (await nobody.put("/Practitioner/1")).status_code == 405
        doctor = {"authorization": f"Bearer {directory.house.token(Role.PROFESSIONAL, rpps=rpps(5))}"}
        answers = [(await nobody.get("/Device", headers=doctor)).status_code for _ in range(40)]
    assert answers[0] == 200
    assert set(answers) <= {200, 429}
