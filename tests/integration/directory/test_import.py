"""Importing the public extractions: keys, bad lines, changes, departures, and going on after an interruption."""

from pathlib import Path

import pytest

from ambroise.kernel.clock import SystemClock
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.errors import Refusal
from ambroise.modules.directory import api as directory
from ambroise.modules.directory.api import Criteria, FileKind, import_file
from ambroise.modules.directory.extraction import job
from ambroise.trust.context import Context, System
from tests.integration.directory.conftest import Write, activity, finess, rpps

CTX = Context(System(), SystemClock(), channel="cli")


class Followed:
    """Remembers who was said to have left or come back."""

    def __init__(self) -> None:
        self.departed: list[str] = []
        self.returned: list[str] = []

    async def __call__(self, tx: Transaction, ctx: Context, departed: list[str], returned: list[str]) -> None:
        self.departed += departed
        self.returned += returned


async def taken(database: Database, file: Path, followed: Followed | None = None, **options: bool) -> directory.Import:
    return await import_file(database, CTX, file, follow=followed or Followed(), **options)


async def names(database: Database, **wanted: str) -> list[str]:
    async with database.reader() as reader:
        return [one.entry.family for one in await directory.find(reader, Criteria(**wanted))]


async def test_people_structures_and_skills_are_found_however_they_are_typed(database: Database, write: Write) -> None:
    lines = [
        activity(1, family="Échantillon"),
        activity(2, family="Modèle", profession="60", skill="", skill_label="", profession_label="Infirmier"),
        activity(3, family="D'Essai-Martin", city="Saint-Étienne", postal_code="42000", finess=finess(2)),
        activity(4, family="Sansplace", finess="", structure=""),
    ]
    done = await taken(database, write(FileKind.ACTIVITY, lines))
    assert (done.accepted, done.refused, done.departed) == (4, 0, 0)
    assert await names(database, name="echan") == ["Échantillon"]
    assert await names(database, name="zoé échant") == ["Échantillon"]
    assert await names(database, town="tours") == ["Échantillon", "Modèle"]
    assert await names(database, town="37") == ["Échantillon", "Modèle"]
    assert await names(database, town="saint etienne") == ["D'Essai-Martin"]
    assert await names(database, town="Tours", profession="60") == ["Modèle"]
    assert await names(database, specialty="SM04", name="d essai") == ["D'Essai-Martin"]
    assert await names(database, rpps=rpps(4)) == ["Sansplace"]
    assert await names(database, finess=finess(2)) == ["D'Essai-Martin"]
    assert await names(database) == []
    async with database.reader() as reader:
        actor = await directory.professional(reader, rpps(1))
        assert (actor.organization, actor.organization_name) == (f"1{finess(1)}", "Cabinet des Halles")
        assert [one.entry.family for one in await directory.search(reader, "cardio halles tours")] == ["Échantillon"]


async def test_a_code_that_two_tables_share_keeps_its_table(database: Database, write: Write) -> None:
    await taken(database, write(FileKind.ACTIVITY, [activity(1, profession="93"), activity(2)]))
    async with database.reader() as reader:
        psychologist = await directory.professional(reader, rpps(1))
        doctor = await directory.professional(reader, rpps(2))
    assert psychologist.profession_system == "1.2.250.1.213.1.6.1.109"
    assert doctor.profession_system == "1.2.250.1.71.1.2.7"


async def test_bad_lines_are_reported_and_stop_nobody(database: Database, write: Write) -> None:
    wrong = rpps(2)[:-1] + str((int(rpps(2)[-1]) + 1) % 10)
    lines = [
        activity(1),
        activity(2, id=wrong, id_nat=""),
        activity(3, finess="370000019"),
        activity(4, id_type="5"),
        activity(5, family=""),
        "one|two",
        activity(7, id_nat="800000000000"),
        activity(8, id_type="0", id="37X000001", id_nat=""),
        activity(9, id_type="0", id="370000001", id_nat="0370000001", family="Ancien"),
        activity(10, siret="00000000000001", finess=""),
    ]
    done = await taken(database, write(FileKind.ACTIVITY, lines))
    async with database.reader() as reader:
        bad = await directory.refusals(reader, done.number)
    assert (done.accepted, done.refused) == (2, 8)
    assert [(line, code) for line, code, _ in bad] == [
        (3, "RPPS_KEY"),
        (4, "FINESS_KEY"),
        (5, "IDENTIFIER_TYPE"),
        (6, "MISSING_FAMILY"),
        (7, "COLUMNS"),
        (8, "IDENTIFIERS_DIFFER"),
        (9, "ADELI_SHAPE"),
        (11, "SIRET_KEY"),
    ]
    assert bad[0][2] == wrong
    assert await names(database, name="ancien") == ["Ancien"]


async def test_who_is_no_longer_there_leaves_and_comes_back(database: Database, write: Write) -> None:
    both, one = [activity(1), activity(2)], [activity(1, city="Blois", postal_code="41000")]
    followed = Followed()
    await taken(database, write(FileKind.ACTIVITY, both), followed)
    done = await taken(database, write(FileKind.ACTIVITY, one), followed)
    assert (done.departed, followed.departed) == (1, [f"8{rpps(2)}"])
    assert await names(database, town="tours") == []
    assert await names(database, town="blois") == ["Numéro1"]
    async with database.reader() as reader:
        with pytest.raises(Refusal) as refused:
            await directory.professional(reader, rpps(2))
    assert refused.value.code == "PROFESSIONAL_UNKNOWN"
    done = await taken(database, write(FileKind.ACTIVITY, [*one, activity(2)]), followed)
    assert (done.returned, followed.returned) == (1, [f"8{rpps(2)}"])
    assert await names(database, name="numero2") == ["Numéro2"]


async def test_a_part_of_the_register_makes_nobody_leave(database: Database, write: Write) -> None:
    await taken(database, write(FileKind.ACTIVITY, [activity(1), activity(2)]))
    done = await taken(database, write(FileKind.ACTIVITY, [activity(3)]), partial=True)
    assert done.departed == 0
    assert len(await names(database, town="tours")) == 3


async def test_a_file_that_lost_half_the_register_is_not_believed(database: Database, write: Write) -> None:
    await taken(database, write(FileKind.ACTIVITY, [activity(number) for number in range(120)]))
    half = write(FileKind.ACTIVITY, [activity(number) for number in range(60)])
    with pytest.raises(Refusal) as refused:
        await taken(database, half)
    assert (refused.value.code, refused.value.data["departures"]) == ("EXTRACTION_DEPARTURES", 60)
    assert (await taken(database, half, many_departures=True)).departed == 60


async def test_an_interrupted_import_goes_on_where_it_stopped(
    database: Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "_BATCH", 10)
    file = write(FileKind.ACTIVITY, [activity(number) for number in range(35)], end="\r\n")
    batches = 0

    def stop(progress: directory.Import) -> None:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await import_file(database, CTX, file, follow=Followed(), report=stop)
    assert len(await names(database, town="tours")) == 20
    seen: list[int] = []
    done = await import_file(
        database, CTX, file, follow=Followed(), report=lambda progress: seen.append(progress.accepted)
    )
    assert seen == [30, 35]
    assert (done.accepted, done.line, done.finished_at is not None) == (35, 36, True)
    async with database.reader() as reader:
        assert len(await directory.latest_imports(reader)) == 1


async def test_mailboxes_skills_services_and_devices_have_their_files(database: Database, write: Write) -> None:
    await taken(database, write(FileKind.ACTIVITY, [activity(1)]))
    mailboxes = [
        {"kind": "PER", "address": "Zoe.Numero1@medecin.mssante.example", "id": rpps(1), "id_nat": f"8{rpps(1)}"},
        {"kind": "ORG", "address": "secretariat@cabinet.mssante.example", "structure": finess(1)},
        {"kind": "XXX", "address": "a@b.example"},
        {"kind": "PER", "address": "not an address"},
    ]
    done = await taken(database, write(FileKind.MAILBOX, mailboxes))
    assert (done.accepted, done.refused) == (2, 2)
    skill = {"id_type": "8", "id": rpps(1), "kind": "C", "code": "C45", "label": "Échographie"}
    assert (await taken(database, write(FileKind.SKILL, [skill]))).accepted == 1
    service = {"id": "AS-1", "finess": finess(1), "kind": "healthcare-activity", "type": "01", "label": "Médecine"}
    assert (await taken(database, write(FileKind.SERVICE, [service]))).accepted == 1
    device = {"id": "EML-1", "finess": finess(1), "type": "05", "manufacturer": "Exemple", "model": "IRM 3T"}
    assert (await taken(database, write(FileKind.DEVICE, [device]))).accepted == 1
    async with database.reader() as reader:
        rows = await reader.fetch_all("select address, professional, organization from directory_mailbox order by 1")
    assert rows == [
        ("secretariat@cabinet.mssante.example", None, f"1{finess(1)}"),
        ("zoe.numero1@medecin.mssante.example", f"8{rpps(1)}", None),
    ]


async def test_a_renamed_column_is_followed_by_configuration(database: Database, write: Write, tmp_path: Path) -> None:
    file = write(FileKind.MAILBOX, [{"kind": "PER", "address": "a@b.mssante.example"}])
    renamed = tmp_path / "Extraction_Correspondance_MSSante_2.txt"
    renamed.write_text(file.read_text("utf-8").replace("Adresse BAL", "Adresse"), "utf-8")
    with pytest.raises(Refusal) as refused:
        await taken(database, renamed)
    assert refused.value.data["missing"] == ["Adresse BAL"]
    mapping = directory.mapping_of(
        '[mailbox]\nbegins = ["Extraction"]\nrequired = ["kind", "address"]\n'
        '[mailbox.columns]\nkind = "Type de BAL"\naddress = "Adresse"\n'
    )
    done = await import_file(database, CTX, renamed, follow=Followed(), mapping=mapping)
    assert done.accepted == 1


@pytest.mark.parametrize(
    "text", ["", "[mailbox]", "not toml at all [", "[mailbox]\nbegins=[]\nrequired=['x']\n[mailbox.columns]"]
)
async def test_a_mapping_that_cannot_be_read_says_so(database: Database, write: Write, text: str) -> None:
    file = write(FileKind.MAILBOX, [], name="x.txt")
    with pytest.raises(Refusal) as refused:
        await import_file(database, CTX, file, follow=Followed(), mapping=directory.mapping_of(text))
    assert refused.value.code in ("EXTRACTION_MAPPING", "EXTRACTION_UNKNOWN")
