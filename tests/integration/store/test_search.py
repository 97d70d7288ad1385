"""Search on the database: one table of questions and answers on a small fixed world, then pages, scopes, sizes."""

from datetime import timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from ambroise.fhir import store
from ambroise.fhir.definitions import search_parameters
from ambroise.fhir.search import SearchResult, pairs_of, parse, search
from ambroise.fhir.store.seal import SEAL
from ambroise.fhir.store.types import Flags, Label, Scope, ScopeRow
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Refusal
from ambroise.kernel.ids import shard_of
from tests.integration.store.conftest import ANY_PERMIT, EVERYTHING, NOW, UNMASKED
from tests.support.database import TestDatabase
from tools.fhir_samples import Generator

PAGES = store.PageSeal(bytes(32))
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"


def everything(type: str, patient: UUID | None) -> Scope:
    return EVERYTHING


def unmasked(type: str, patient: UUID | None) -> Scope:
    return UNMASKED


ANNE, BEN = store.new_key(), store.new_key()
MASKED = Flags.MASKED


def _observation(code: str, patient: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        **more,
    }


def _value(value: str, unit: str) -> dict[str, Any]:
    return {"value": Decimal(value), "unit": unit, "system": UCUM, "code": unit}


# id: (resource, label)
WORLD: dict[str, tuple[dict[str, Any], Label]] = {
    "anne": (
        {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:ins", "value": "2 80"}, {"value": "loose"}],
            "name": [{"family": "Épreuve-Témoin", "given": ["Anne", "Zoé"]}],
            "birthDate": "1980-05-17",
            "gender": "female",
            "generalPractitioner": [{"reference": "Practitioner/doc"}],
        },
        Label(ANNE),
    ),
    "ben": (
        {"resourceType": "Patient", "name": [{"text": "Ben  l'Épreuve"}], "birthDate": "1980", "active": True},
        Label(BEN),
    ),
    "doc": (
        {
            "resourceType": "Practitioner",
            "identifier": [
                {
                    "type": {"coding": [{"system": "urn:types", "code": "RPPS"}]},
                    "system": "urn:rpps",
                    "value": "899",
                }
            ],
            "name": [{"family": "Modèle"}],
        },
        Label(),
    ),
    "hidden-doc": ({"resourceType": "Practitioner", "name": [{"family": "Modèle"}]}, Label(flags=MASKED)),
    "visit": (
        {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"code": "AMB"},
            "subject": {"reference": f"Patient/{ANNE}"},
            "period": {"start": "2024-01-10T08:00:00Z", "end": "2024-01-12T08:00:00Z"},
        },
        Label(ANNE),
    ),
    "sugar": (
        _observation(
            "2345-7",
            str(ANNE),
            effectiveDateTime="2024-01-10T09:00:00+01:00",
            valueQuantity=_value("1.10", "g/L"),
            performer=[{"reference": "Practitioner/doc"}],
            encounter={"reference": "Encounter/visit"},
            category=[{"coding": [{"code": "lab", "display": "Biologie médicale"}], "text": "Labo"}],
        ),
        Label(ANNE),
    ),
    "weight": (
        _observation(
            "29463-7",
            str(ANNE),
            effectivePeriod={"start": "2024-01", "end": "2024-02"},
            valueQuantity=_value("70", "kg"),
            performer=[{"reference": "Practitioner/hidden-doc"}],
        ),
        Label(ANNE),
    ),
    "secret": (
        _observation("2345-7", str(ANNE), effectiveDateTime="2023", valueQuantity=_value("9", "g/L")),
        Label(ANNE, flags=MASKED),
    ),
    "pressure": (
        _observation(
            "85354-9",
            str(BEN),
            component=[
                {"code": {"coding": [{"system": LOINC, "code": "8480-6"}]}, "valueQuantity": _value("120", "mm[Hg]")}
            ],
        ),
        Label(BEN),
    ),
    "list-of-values": (
        {
            "resourceType": "ValueSet",
            "status": "active",
            "url": "http://vs.example/fhir/a/b",
            "meta": {"profile": ["http://p.example/x|2"]},
        },
        Label(),
    ),
    "proof": (
        {
            "resourceType": "Provenance",
            "recorded": "2024-01-10T10:00:00Z",
            "target": [{"reference": "Observation/sugar"}],
            "agent": [{"who": {"reference": "Practitioner/doc"}}],
        },
        Label(ANNE),
    ),
    "risk": (
        {
            "resourceType": "RiskAssessment",
            "status": "final",
            "subject": {"reference": f"Patient/{ANNE}"},
            "prediction": [{"probabilityDecimal": Decimal("0.80")}],
        },
        Label(ANNE),
    ),
}
KEYS = {"anne": ANNE, "ben": BEN}


@pytest.fixture
async def world(database: Database) -> Database:
    async with database.transaction() as tx:
        for number, (name, (resource, label)) in enumerate(WORLD.items()):
            key = KEYS.get(name)
            now = NOW + timedelta(seconds=number)
            await store.insert(tx, ANY_PERMIT, resource, label, now=now, key=key, id=None if key else name)
    return database


async def find(database: Database, asked: str, scope_for: Any = everything) -> SearchResult:
    type, _, query = asked.partition("?")
    async with database.reader() as reader:
        return await search(reader, scope_for, parse(type, pairs_of(query), now=NOW), pages=PAGES)


def names(result: SearchResult, mode: str = "match") -> list[str]:
    """The short names of what was found."""
    known = {str(key): name for name, key in KEYS.items()}
    return [known.get(each.id, each.id) for each, how in result.entries if how == mode]


QUESTIONS: list[tuple[str, str]] = [
    # token
    ("Observation?code=2345-7", "sugar secret"),
    (f"Observation?code={LOINC}|2345-7", "sugar secret"),
    ("Observation?code=http://other|2345-7", ""),
    ("Observation?code=|2345-7", ""),
    (f"Observation?code={LOINC}|", "sugar weight secret pressure"),
    ("Observation?category=LAB", "sugar"),
    ("Observation?category=|lab", "sugar"),
    ("Observation?code=2345-7,29463-7", "sugar weight secret"),
    ("Observation?code=2345-7&code=29463-7", ""),
    ("Observation?code:not=2345-7", "weight pressure"),
    ("Observation?category:not=lab", "weight secret pressure"),
    ("Observation?category:missing=true", "weight secret pressure"),
    ("Observation?category:missing=false", "sugar"),
    ("Observation?category:text=biologie MEDIC", "sugar"),
    ("Observation?category:text=labo", "sugar"),
    ("Observation?category:text=medicale", ""),
    ("Observation?combo-code=8480-6", "pressure"),
    ("Observation?component-code=8480-6", "pressure"),
    ("Observation?status=final,amended", "sugar weight secret pressure"),
    ("Patient?identifier=urn:ins|2 80", "anne"),
    ("Patient?identifier=2 80", "anne"),
    ("Patient?identifier=|loose", "anne"),
    ("Patient?identifier=urn:ins|loose", ""),
    ("Patient?active=true", "ben"),
    ("Practitioner?identifier:of-type=urn:types|RPPS|899", "doc"),
    ("Practitioner?identifier:of-type=urn:types|RPPS|898", ""),
    # string
    ("Patient?name=epreuve", "anne"),
    ("Patient?name=BEN L", "ben"),
    ("Patient?name=temoin", ""),
    ("Patient?name:contains=EPREUVE", "anne ben"),
    ("Patient?family:exact=Épreuve-Témoin", "anne"),
    ("Patient?family:exact=épreuve-témoin", ""),
    ("Patient?given=zoe,jean", "anne"),
    ("Patient?name=anne&name=zoe", "anne"),
    ("Patient?phonetic=epreuve", "anne"),
    ("Patient?family:missing=true", "ben"),
    # reference
    (f"Observation?subject=Patient/{BEN}", "pressure"),
    (f"Observation?subject={BEN}", "pressure"),
    (f"Observation?subject:Patient={BEN}", "pressure"),
    (f"Observation?patient={ANNE},{BEN}", "sugar weight secret pressure"),
    ("Observation?performer=Practitioner/doc", "sugar"),
    ("Observation?performer=doc", "sugar"),
    ("Observation?performer=Practitioner/nobody", ""),
    ("Observation?encounter:missing=false", "sugar"),
    ("Patient?general-practitioner=Practitioner/doc", "anne"),
    # date
    ("Patient?birthdate=1980-05-17", "anne"),
    ("Patient?birthdate=1980", "anne ben"),
    ("Patient?birthdate=ne1980-05", "ben"),
    ("Patient?birthdate=gt1980-05-17", "ben"),
    ("Patient?birthdate=ge1980-05-17", "anne ben"),
    ("Patient?birthdate=lt1980-05-17", "ben"),
    ("Patient?birthdate=sa1979", "anne ben"),
    ("Patient?birthdate=eb1981", "anne ben"),
    ("Observation?date=2024-01-10", "sugar"),
    ("Observation?date=2024-01-10T08:00Z", "sugar"),
    ("Observation?date=2024", "sugar weight"),
    ("Observation?date=ge2024-02", ""),
    ("Observation?date=ge2024-01-31", "weight"),
    ("Observation?date=ge2024-01&date=lt2024-01-11", "sugar weight"),
    ("Observation?date:missing=true", "pressure"),
    ("Encounter?date=gt2024-01-11", "visit"),
    ("Encounter?date=2024-01", "visit"),
    ("Encounter?date=eb2024-01-12", ""),
    ("Provenance?recorded=2024-01-10", "proof"),
    ("Observation?_lastUpdated=ge2026-03-14", "sugar weight secret pressure"),
    ("Observation?_lastUpdated=lt2026-03-14T09:30:06Z", "sugar"),
    # number, quantity
    ("RiskAssessment?probability=0.8", "risk"),
    ("RiskAssessment?probability=gt0.8", ""),
    ("RiskAssessment?probability=ge0.80", "risk"),
    ("RiskAssessment?probability=ap0.85", "risk"),
    ("Observation?value-quantity=1.1", "sugar"),
    ("Observation?value-quantity=1.10||g/L", "sugar"),
    (f"Observation?value-quantity=1.1|{UCUM}|g/L", "sugar"),
    (f"Observation?value-quantity=1.1|{UCUM}|mg/L", ""),
    ("Observation?value-quantity=gt1.1", "weight secret"),
    ("Observation?combo-value-quantity=ge100", "pressure"),
    (f"Observation?code-value-quantity={LOINC}|2345-7$gt5", "secret"),
    # uri
    ("ValueSet?url=http://vs.example/fhir/a/b", "list-of-values"),
    ("ValueSet?url=http://vs.example/fhir/a", ""),
    ("ValueSet?url:below=http://vs.example/fhir", "list-of-values"),
    ("ValueSet?url:below=http://vs.example/fh", ""),
    ("ValueSet?url:above=http://vs.example/fhir/a/b/c", "list-of-values"),
    ("ValueSet?_profile=http://p.example/x", "list-of-values"),
    ("ValueSet?_profile=http://p.example/x|2", "list-of-values"),
    ("ValueSet?_profile=http://p.example/x|3", ""),
    # _id
    ("Observation?_id=sugar,weight,nothing", "sugar weight"),
    (f"Patient?_id={ANNE}", "anne"),
    (f"Patient?_id={store.new_key()}", ""),
    # chains
    ("Observation?performer:Practitioner.name=modele", "sugar weight"),
    ("Observation?patient.name=epreuve&code=2345-7", "sugar secret"),
    ("Observation?patient.identifier=urn:ins|2 80&code=29463-7", "weight"),
    ("Observation?patient.identifier=urn:ins|none", ""),
    ("Observation?encounter.status=finished", "sugar"),
    (f"Observation?patient={ANNE}&encounter.class=amb", "sugar"),
    ("Observation?patient.general-practitioner.family=modele", "sugar weight secret"),
    ("Provenance?target:Observation.performer:Practitioner.name=modele", "proof"),
    # reverse chains
    ("Patient?_has:Observation:patient:code=85354-9", "ben"),
    ("Patient?_has:Observation:patient:code=2345-7&_has:Encounter:patient:status=finished", "anne"),
    ("Practitioner?_has:Observation:performer:code=2345-7", "doc"),
    ("Patient?_has:Encounter:patient:_has:Observation:encounter:code=2345-7", "anne"),
    ("Observation?_has:Provenance:target:recorded=2024", "sugar"),
    (f"Observation?patient={ANNE}&_has:Provenance:target:agent=doc", "sugar"),
]


async def test_what_is_asked_is_found(world: Database) -> None:
    wrong: list[tuple[str, list[str]]] = []
    for asked, answer in QUESTIONS:
        result = await find(world, f"{asked}&_total=accurate")
        if sorted(names(result)) != sorted(answer.split()) or result.total != len(answer.split()):
            wrong.append((asked, names(result)))
    assert wrong == []


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (f"Observation?patient={ANNE}", "sugar weight secret"),
        (f"Observation?patient={ANNE}&_sort=date", "secret weight sugar"),
        (f"Observation?patient={ANNE}&_sort=-_lastUpdated", "secret weight sugar"),
        ("Observation?_sort=value-quantity", "sugar secret weight pressure"),
        ("Observation?_sort=-value-quantity", "weight secret sugar pressure"),
        ("Patient?_sort=name", "anne ben"),
        ("Patient?_sort=-given,family", "anne ben"),
        ("Observation?_sort=-date,value-quantity", "sugar weight secret pressure"),
    ],
    # The ids of this run must not name tests: parallel workers compare the names that they collect.
    ids=lambda value: str(value).replace(str(ANNE), "anne"),
)
async def test_a_list_comes_in_the_order_asked_for(world: Database, asked: str, answer: str) -> None:
    assert names(await find(world, asked)) == answer.split()


def _document(title: str, description: str | None = None) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [{"system": LOINC, "code": "11502-2", "display": "CR d'examens"}]},
        "subject": {"reference": f"Patient/{ANNE}"},
        **({"description": description} if description else {}),
        "content": [{"attachment": {"title": title}}],
    }


DOCUMENTS = {
    "blood": _document("Bilan (sang) 1.5", "Né à jeun"),
    "liver": _document("Écho-Foie", "bilan [urgent]\nà relire"),
    "plain": _document("compte rendu"),
}


TEXTS: list[tuple[str, str]] = [
    ("title=bilan (SANG)", "blood"),
    ("title=foie", ""),
    ("title:contains=FOIE", "liver"),
    ("title:contains=1.5", "blood"),
    ("title:contains=1_5,1x5,(", "blood"),
    ("title:contains=ne a jeun", ""),
    ("description=ne a", "blood"),
    ("description:contains=urgent] a re", "liver"),
    ("words:contains=bilan", "blood liver"),
    ("words:contains=bilan&words:contains=examens", "blood liver"),
    ("words:contains=1502", "blood liver plain"),
    ("title:exact=Écho-Foie", "liver"),
    ("title:exact=écho-foie", ""),
    ("title:exact=echo-foie", ""),
    ("title:exact=compte rendu", "plain"),
    ("title:exact=compte", ""),
    ("title:exact=Compte rendu", ""),
    ("description:exact=bilan [urgent]\nà relire", "liver"),
    ("description:missing=true", "plain"),
    ("category:text=bilan", ""),
    ("type:text=cr d", "blood liver plain"),
    ("_sort=title", "blood plain liver"),
    ("_sort=-title", "liver plain blood"),
    ("_sort=description", "liver blood plain"),
    ("_sort=-description&title:contains=b", "blood"),
]


async def test_the_texts_of_documents_are_found_in_their_row(world: Database) -> None:
    async with world.transaction() as tx:
        for name, resource in DOCUMENTS.items():
            await store.insert(tx, ANY_PERMIT, resource, Label(ANNE), now=NOW, id=name)
        beside = "select count(*) from resource_text t join resource r using (shard, id) where r.type = 42"
        assert await tx.fetch_value(beside) == 0
    wrong: list[tuple[str, list[str]]] = []
    for asked, answer in TEXTS:
        pairs = [(name, value) for name, _, value in (pair.partition("=") for pair in asked.split("&"))]
        async with world.reader() as reader:
            query = parse("DocumentReference", [("patient", str(ANNE)), *pairs], now=NOW)
            found = names(await search(reader, everything, query, pages=PAGES))
        if (found if "_sort" in asked else sorted(found)) != answer.split():
            wrong.append((asked, found))
        if await _one_by_one(world, pairs) != (found, len(found)):
            wrong.append((f"{asked}, one by one", found))
    assert wrong == []


async def _one_by_one(world: Database, pairs: list[tuple[str, str]]) -> tuple[list[str], int]:
    """What pages of one document each show, and the total that all of them say."""
    asked = [("patient", str(ANNE)), *pairs, ("_count", "1"), ("_total", "accurate")]
    found: list[str] = []
    totals: set[int | None] = set()
    while asked:
        async with world.reader() as reader:
            page = await search(reader, everything, parse("DocumentReference", asked, now=NOW), pages=PAGES)
        found, totals = found + names(page), {*totals, page.total}
        asked = [("_cursor", page.next_cursor)] if page.next_cursor else []
    (total,) = totals
    return found, total or 0


async def test_texts_written_beside_their_row_are_moved_into_it(
    fresh_database: TestDatabase, database: Database
) -> None:
    async with database.transaction() as tx:
        keys = {
            name: (await store.insert(tx, ANY_PERMIT, resource, Label(ANNE), now=NOW)).key
            for name, resource in DOCUMENTS.items()
        }
        before = await tx.fetch_all("select id, displays from resource where type = 42 order by id")
    script = files("ambroise.fhir.store").joinpath("sql", "0002_texts_inside.sql").read_text()
    with psycopg.connect(fresh_database.owner_dsn, autocommit=True) as owner:
        for id, displays in before:
            lines = [line for line in displays.split("\n")[1:] if int(line.partition("\x1f")[0]) in _TEXTS]
            for number, _, rest in (line.partition("\x1f") for line in lines):
                text, _, original = rest.partition("\x1e")
                owner.execute(
                    "insert into resource_text values (%s, %s, %s, %s, %s)",
                    (shard_of(id), number, id, text, original.replace("\x1d", "\n") or None),
                )
            tokens = "".join(f"\n{line}" for line in displays.split("\n")[1:] if line not in lines)
            owner.execute("update resource set displays = %s where id = %s", (tokens or None, id))
        owner.execute(script)  # type: ignore[arg-type]
        after = owner.execute("select id, displays from resource where type = 42 order by id").fetchall()
        assert owner.execute(
            "select count(*) from resource_text where id = any(%s)", (list(keys.values()),)
        ).fetchall() == [(0,)]
    assert [(id, sorted(displays.split("\n"))) for id, displays in after] == [
        (id, sorted(displays.split("\n"))) for id, displays in before
    ]


_TEXTS = {each.number for each in search_parameters("DocumentReference").values() if each.type == "string"}


# asked, what anybody finds, what one finds who may not see what is masked, and what is included
LEAKS: list[tuple[str, str, str]] = [
    ("Observation?code=2345-7", "sugar secret", "sugar"),
    (f"Observation?patient={ANNE}&value-quantity=gt5&code=2345-7", "secret", ""),
    ("Patient?_has:Observation:patient:value-quantity=9", "anne", ""),
    ("Observation?performer:Practitioner.family=modele", "sugar weight", "sugar"),
    (f"Observation?patient={ANNE}&performer:Practitioner.family=modele", "sugar weight", "sugar"),
    ("Practitioner?_has:Observation:performer:code=29463-7", "hidden-doc", ""),
    ("Observation?_id=secret,sugar", "secret sugar", "sugar"),
]


async def test_what_is_hidden_is_not_found_counted_or_reached_through_others(world: Database) -> None:
    for asked, open_answer, answer in LEAKS:
        assert sorted(names(await find(world, asked))) == sorted(open_answer.split()), asked
        for total in ("accurate", "estimate"):
            result = await find(world, f"{asked}&_total={total}", unmasked)
            assert sorted(names(result)) == sorted(answer.split()), asked
            assert result.total == len(answer.split()), asked
        counted = await find(world, f"{asked}&_summary=count", unmasked)
        assert (counted.entries, counted.total) == ([], len(answer.split()))


async def test_what_is_hidden_is_not_included(world: Database) -> None:
    asked = f"Observation?patient={ANNE}&_include=Observation:performer"
    assert sorted(names(await find(world, asked), "include")) == ["doc", "hidden-doc"]
    assert names(await find(world, asked, unmasked), "include") == ["doc"]
    asked = f"Patient?_id={ANNE}&_revinclude=Observation:patient&_revinclude:iterate=Provenance:target"
    assert sorted(names(await find(world, asked), "include")) == ["proof", "secret", "sugar", "weight"]
    assert sorted(names(await find(world, asked, unmasked), "include")) == ["proof", "sugar", "weight"]


async def test_an_include_can_be_narrowed_to_a_type_and_iterated(world: Database) -> None:
    asked = "Observation?code=2345-7&_include=Observation:subject&_include:iterate=Patient:general-practitioner"
    assert sorted(names(await find(world, asked), "include")) == ["anne", "doc"]
    asked = "Observation?_id=sugar&_include=Observation:performer:Patient"
    assert names(await find(world, asked), "include") == []
    asked = "Observation?_id=sugar&_include=*"
    assert sorted(names(await find(world, asked), "include")) == ["anne", "doc", "visit"]


async def test_a_match_is_not_included_again(world: Database) -> None:
    result = await find(world, "Patient?_include=Patient:link&_revinclude=Observation:patient")
    assert len(result.entries) == len({each.key for each, _ in result.entries})


async def test_pages_are_stable_while_others_write(world: Database) -> None:
    first = await find(world, f"Observation?patient={ANNE}&_count=1")
    assert first.next_cursor is not None
    assert (names(first), first.total) == (["sugar"], 3)
    async with world.transaction() as tx:
        newer = _observation("new", str(ANNE), effectiveDateTime="2025")
        await store.insert(tx, ANY_PERMIT, newer, Label(ANNE), now=NOW, id="newer")
    second = await find(world, f"Observation?_cursor={first.next_cursor}")
    assert second.next_cursor is not None
    assert second.applied == f"patient={ANNE}&_count=1"
    third = await find(world, f"Observation?_cursor={second.next_cursor}")
    assert names(second) + names(third) == ["weight", "secret"]
    assert third.next_cursor is None


async def test_a_right_lost_between_two_pages_is_lost(world: Database) -> None:
    first = await find(world, f"Observation?patient={ANNE}&_count=2")
    second = await find(world, f"Observation?_cursor={first.next_cursor}", unmasked)
    assert (names(second), second.total) == ([], 2)


async def test_a_cursor_is_refused_when_it_was_changed_or_is_for_another_type(world: Database) -> None:
    first = await find(world, f"Observation?patient={ANNE}&_count=1")
    for asked in (f"Patient?_cursor={first.next_cursor}", f"Observation?_cursor=x{first.next_cursor}"):
        with pytest.raises(Refusal) as caught:
            await find(world, asked)
        assert caught.value.code == "CURSOR_UNKNOWN"


async def test_a_deleted_resource_is_not_found(world: Database) -> None:
    async with world.transaction() as tx:
        current = await store.lock(tx, ANY_PERMIT, "Observation", "sugar")
        assert current is not None
        await store.delete(tx, ANY_PERMIT, current, now=NOW)
    assert names(await find(world, "Observation?code=2345-7")) == ["secret"]
    assert names(await find(world, f"Observation?patient={ANNE}&date=2024-01-10")) == []


async def test_nothing_is_counted_unless_asked_for_or_in_one_record(world: Database) -> None:
    assert (await find(world, "Observation?code=2345-7")).total is None
    assert (await find(world, f"Observation?patient={ANNE}&code=2345-7")).total == 2
    assert (await find(world, f"Observation?patient={ANNE}&_total=none")).total is None
    assert (await find(world, f"Observation?patient={ANNE}&_count=0")).total == 3


async def test_scopes_with_parameters_of_their_own_hold_for_each_type(world: Database) -> None:
    def build(row: ScopeRow) -> sql.Composable:
        return sql.SQL("{} <> {}").format(row["id"], row.parameter("barred"))

    async with world.reader() as reader:
        barred = {
            "Observation": await store.key_of(reader, "Observation", "weight"),
            "Practitioner": await store.key_of(reader, "Practitioner", "doc"),
        }

    def scope_for(type: str, patient: UUID | None) -> Scope:
        return Scope(SEAL, "test", build, {"barred": barred.get(type, UUID(int=0))})

    found = await find(world, "Observation?performer:Practitioner.family=modele", scope_for)
    assert names(found) == []
    found = await find(world, f"Observation?patient={ANNE}&_include=Observation:performer", scope_for)
    assert sorted(names(found)) == ["secret", "sugar"]
    assert names(found, "include") == []


async def _load(database: Database, generator: Generator, count: int) -> None:
    patients = [store.new_key() for _ in range(count // 20)]
    owners = [generator.random.choice(patients) for _ in range(count)]
    drafts = [store.Draft(generator.clinical(str(owner), generator.id()), Label(owner)) for owner in owners]
    async with database.transaction() as tx:
        await store.bulk_insert(tx, ANY_PERMIT, drafts, now=NOW)


def _bytes(owner_dsn: str) -> int:
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute("vacuum")
        row = owner.execute(
            "select sum(pg_total_relation_size(c.oid))::bigint from pg_class c"
            " where c.relname in ('resource', 'resource_history', 'resource_range', 'resource_text', 'named_id')"
        ).fetchone()
    assert row is not None
    return row[0]


async def test_a_resource_takes_less_than_1600_bytes_with_all_its_indexes(
    fresh_database: TestDatabase, generator: Generator
) -> None:
    database = await Database.open(fresh_database.app_dsn, slots=1)
    await _load(database, generator, 2000)
    before = _bytes(fresh_database.owner_dsn)
    await _load(database, generator, 4000)
    await database.close()
    after = _bytes(fresh_database.owner_dsn)
    assert (after - before) / 4000 < 1600
