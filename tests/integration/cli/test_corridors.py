"""The example clients of the six Ségur corridors, each from signing on to reading back, against one instance."""

import asyncio
import importlib
import json
import subprocess
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ambroise.interfaces.demonstration.corridors import corridor_documents
from ambroise.interfaces.demonstration.model import Professional
from ambroise.interfaces.demonstration.population import build
from ambroise.interfaces.hl7v2.doors import Door
from ambroise.kernel.crypto.authority import DemonstrationAuthority
from ambroise.main.composition import compose
from ambroise.modules.directory import api as directory
from ambroise.modules.identity.api import AccountKind, NewAccount, Situation
from ambroise.trust.context import Context, System
from tests.integration.cli.conftest import AUTHOR, FINESS, MATRICULE, Installation, Rows

FOLDER = Path(__file__).parents[3] / "examples/corridors"


@pytest.fixture
def client(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """A module of the examples; the commands that it runs are those of the installation."""
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in ("TOKEN", "CLIENT", "CLIENT_KEY", "CERTIFICATE"):
        monkeypatch.delenv(f"AMBROISE_{name}", raising=False)
    lock = threading.Lock()

    def run(command: list[str], **_: Any) -> str:
        with lock:
            done = installation.run(*command[1:])
        assert done.exit_code == 0, done.output
        return done.stdout

    monkeypatch.setattr(subprocess, "check_output", run)
    return importlib.import_module


def test_every_corridor_files_its_document_and_reads_it_back(
    installation: Installation,
    served: str,
    doors: list[Door],
    client: Callable[[str], ModuleType],
    tmp_path: Path,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asyncio.run(_people(installation))
    DemonstrationAuthority.open(installation.settings.demonstration_pki)

    # The software proves who it is with its key; the doctor approves on the phone while it waits.
    sign_on, keys = client("sign_on"), tmp_path / "cabinet.jwks.json"
    keys.write_text(json.dumps(sign_on.make_key(tmp_path / "cabinet.key")))
    registered = installation.run("client", "register", "--name", "Cabinet", "--ciba", "--machine", "--jwks", keys)
    monkeypatch.setenv("AMBROISE_CLIENT", json.loads(registered.stdout)["client_id"])
    monkeypatch.setenv("AMBROISE_CLIENT_KEY", str(tmp_path / "cabinet.key"))
    alone = sign_on.machine(served)
    with alone.client() as of_nobody:
        assert of_nobody.get("DocumentReference").status_code == 401, "the software alone reads nothing of anybody"
    phone = threading.Thread(target=installation.run, args=("ecps", "approve", "--as", f"professional:{AUTHOR}"))
    phone.start()
    client("city_doctor").main(served)
    phone.join()
    monkeypatch.delenv("AMBROISE_CLIENT")

    inbox = tmp_path / "arrivees"
    inbox.mkdir()
    laboratory = client("laboratory")
    watch = ("watch", inbox, "--as", f"professional:{laboratory.RPPS}", "--once", "--settled", "0.01")
    drop = laboratory.drop

    def dropped(folder: Path, content: bytes) -> str:
        name: str = drop(folder, content)
        done = installation.run(*watch)
        assert done.exit_code == 0, done.output
        return name

    monkeypatch.setattr(laboratory, "drop", dropped)
    laboratory.main(str(inbox), served)
    keys = tmp_path / "keys"
    structure = next(one.author.organization for one in _documents().values() if one.encounter == "IMP")
    issued = installation.run(
        "pki", "issue", "SIH", "--structure", "CH", "--structure-id", structure.id_nat, "--out", keys
    )
    assert issued.exit_code == 0, issued.output
    client("hospital").main(str(keys), served, str(doors[0].port))
    for name in ("radiology", "pharmacy", "medico_social"):
        client(name).main(served)

    held = rows("select unique_id from record_unique_id")
    assert {one for (one,) in held} == {f"urn:oid:{document.uid}" for document in _documents().values()}
    channels = rows("select distinct channel from trace where event = 'create' and patient is not null and outcome = 0")
    assert {one for (one,) in channels} >= {"fhir", "cli", "xds", "hl7"}
    token = installation.run("token", "--as", f"citizen:{MATRICULE}").stdout.strip()
    drawn = _drawn(client("space").Space(sign_on.SignedOn(served, token)))
    assert {name: sorted({one["resourceType"] for one in facts}) for name, facts in drawn.items()} == {
        "prescription": ["MedicationRequest"],
        "laboratory": ["Observation"],
        "imaging": ["ImagingStudy", "Procedure"],
        "discharge": ["MedicationStatement", "Observation", "ServiceRequest"],
        "dispensation": ["MedicationDispense"],
        "liaison": ["MedicationStatement", "Observation"],
    }, "every corridor's document is structured: what it says is resources, each with its Provenance"
    lines = {one["identifier"][0]["value"] for one in drawn["prescription"]}
    handed = {one["authorizingPrescription"][0]["identifier"]["value"] for one in drawn["dispensation"]}
    assert handed == lines, "the pharmacy names the lines of the city doctor's prescription"


def _drawn(space: Any) -> dict[str, list[Any]]:
    """What was read out of the document of each corridor, as the person sees it."""
    with space:
        return {name: space.facts(document.uid) for name, document in _documents().items()}


def _documents() -> Any:
    return corridor_documents(build("example", 1, until=date(2026, 1, 31)))


async def _people(installation: Installation) -> None:
    """The authors of the documents in the directory, as the demonstration has them; the city doctor with a phone."""
    async with compose(installation.settings, installation.database.app_dsn) as application:
        services = application.services
        ctx = Context(System(), services.clock, channel="load", demonstration=True)
        async with services.database.transaction() as tx:
            for author in (one.author for one in _documents().values()):
                if author.rpps != AUTHOR:
                    await _register(tx, ctx, services.gateway, author)
            situation = Situation("10", specialty="SM54", organization=f"1{FINESS}", organization_name="Cabinet")
            account = NewAccount(
                AccountKind.PROFESSIONAL,
                AUTHOR,
                "CHARLES AUTEUR-EXEMPLE",
                professional=f"8{AUTHOR}",
                situations=(situation,),
                demonstration=True,
            )
            await services.identity.create_account(tx, account)


async def _register(tx: Any, ctx: Context, gateway: Any, author: Professional) -> None:
    place = author.organization
    structure = directory.Structure(place.id_nat, place.name, place.facility, place.setting, test_identity=True)
    await directory.register_structure(tx, ctx, gateway, structure)
    entry = directory.ProfessionalEntry(
        author.rpps,
        author.family,
        author.given,
        author.profession,
        specialty=author.specialty,
        test_identity=True,
    )
    await directory.register(tx, ctx, gateway, entry, (directory.Situation(place.id_nat),))
