"""What the files of a deployment and the pages about it name exists: settings, commands, secrets, volumes, ports."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from ambroise.interfaces.cli import build
from ambroise.kernel.settings import PREFIX, Settings, load
from ambroise.main.builder import InstanceBuilder

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = sorted(DEPLOY.glob("compose*.yaml"))
SETTINGS = {PREFIX + name.upper() for name in Settings.__struct_fields__}
NAMED = re.compile(r"\bAMBROISE_[A-Z0-9_]*[A-Z0-9]\b(?!_?\*)")
# Variables of the compose files themselves, of the command line and of the launcher of the embedded PostgreSQL.
OTHERS = {"AMBROISE_HOSTNAME", "AMBROISE_INBOX", "AMBROISE_DEPOSITOR", "AMBROISE_TOKEN", "AMBROISE_POSTGRES_BIN"}


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text("utf-8"))


def test_every_variable_that_is_named_is_a_setting() -> None:
    examples = {name for path in (ROOT / "examples").rglob("*.py") for name in NAMED.findall(path.read_text("utf-8"))}
    pages = [path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "adr"]
    for path in [ROOT / "README.md", *pages, *(one for one in DEPLOY.iterdir() if one.is_file())]:
        named = set(NAMED.findall(path.read_text("utf-8")))
        assert named - SETTINGS - OTHERS - examples == set(), path.relative_to(ROOT)


def test_the_example_of_settings_is_read_as_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (DEPLOY / "ambroise.env.example").read_text("utf-8").splitlines()
    written = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    for name, value in written.items():
        monkeypatch.setenv(name, value)
    loaded = load(data=Path("/var/lib/ambroise"))
    assert loaded.processes == int(written["AMBROISE_PROCESSES"])
    assert set(loaded.push_services) == set(json.loads(written["AMBROISE_PUSH_SERVICES"]))


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_what_a_compose_file_uses_is_declared(path: Path) -> None:
    base, own = read(DEPLOY / "compose.yaml"), read(path)
    declared = {kind: {**base.get(kind, {}), **own.get(kind, {})} for kind in ("services", "secrets", "volumes")}
    commands = {*get_command(build(InstanceBuilder())).commands}  # type: ignore[attr-defined]
    for name, service in own["services"].items():
        assert {*service.get("depends_on", ())} <= {*declared["services"]}
        assert {*service.get("secrets", ())} <= {*declared["secrets"]}
        mounted = {one.partition(":")[0] for one in service.get("volumes", ())}
        assert {one for one in mounted if one[0] not in "./$"} <= {*declared["volumes"]}
        if service.get("command", [""])[0] == "ambroise":
            assert service["command"][1] in commands, name
        for variable, value in service.get("environment", {}).items():
            if str(value).startswith("/run/secrets/"):
                assert value.rpartition("/")[2] in {*service.get("secrets", ())}, (name, variable)
        for port in service.get("ports", ()) if service.get("environment", {}).get("AMBROISE_MTLS_PORT") else ():
            told = service["environment"]
            assert port.rpartition(":")[2] in {told["AMBROISE_MTLS_PORT"], told["AMBROISE_HL7_PORT"]}
