"""One instance from start to stop, as an operator meets it."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import time
import urllib.request
from pathlib import Path

import pytest

from ambroise.kernel.crypto.authority import DemonstrationAuthority
from tests.support.operating import Operated, is_alive, run

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[3] / "examples" / "fhir"
PATIENT = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}],
    "name": [{"use": "official", "family": "PAT-TROIS", "given": ["DOMINIQUE"]}],
    "gender": "female",
    "birthDate": "1979-03-28",
}
ORGANIZATION = {"resourceType": "Organization", "name": "Maison fictive"}


def wait_until(what: object, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_it_answers_where_it_says_and_as_localhost(operated: Operated) -> None:
    assert operated.url.startswith("http://127.0.0.1:")
    assert operated.ask("/healthz") == (200, "alive\n")
    assert operated.ask("/readyz") == (200, "ready\n")
    with urllib.request.urlopen(f"http://localhost:{operated.port}/healthz") as answer:
        assert answer.status == 200
    assert any("http://localhost:" in line for line in operated.said)


def test_it_takes_hl7_where_it_says_from_who_shows_a_certificate(operated: Operated) -> None:
    port = next(int(line.rpartition(":")[2]) for line in operated.said if "mllps://localhost:" in line)
    authority = DemonstrationAuthority.open(operated.data / "secrets" / "pki")
    write_keys(authority, operated.data)
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.load_cert_chain(operated.data / "client.pem")
    with (
        socket.create_connection(("localhost", port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(b"\x0bMSH|^~\\&|A|B|C|D|2026||QRY^A19|7|P|2.5\x1c\r")
        answer = connection.recv(4096)
    assert b"\rMSA|AR|7\r" in answer
    assert b"|200^Unsupported message type^HL70357|" in answer


def write_keys(authority: DemonstrationAuthority, folder: Path) -> None:
    issued = authority.issue("SIL", "Cabinet fictif", "1750803447")
    (folder / "client.pem").write_bytes(issued.certificate + issued.key)


def test_metrics_speak_of_surfaces_and_never_of_paths(operated: Operated) -> None:
    operated.ask("/fhir/Patient/123e4567-e89b-72d3-a456-426614174000")
    status, text = operated.ask("/metrics")
    assert status == 200
    assert 'ambroise_http_requests_total{method="GET",status="401",surface="fhir"}' in text
    assert "123e4567" not in text
    assert 'ambroise_outbox_events{state="dead"} 0.0' in text


def test_a_token_made_beside_the_running_instance_is_accepted(operated: Operated) -> None:
    assert operated.ask("/fhir/Organization")[0] == 401
    status, _ = operated.ask("/fhir/Organization", token=operated.token(), method="POST", body=ORGANIZATION)
    assert status == 201


def test_without_citizens_the_author_of_the_examples_can_still_file_them(operated: Operated) -> None:
    author = operated.token("professional:01234567897")
    assert operated.ask("/fhir/Patient", token=operated.token(), method="POST", body=PATIENT)[0] == 201
    bundle = json.loads((EXAMPLES / "iti-65-bundle.json").read_text())
    status, text = operated.ask("/fhir", token=author, method="POST", body=bundle)
    assert status == 200, text


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--as", "professional:99700000000"], "no professional 99700000000"),
        (["--as", "citizen:100000000000000"], "no space for the INS"),
        (["--as", "somebody"], "--as takes"),
        (["--as", "system", "--purpose", "curiosity"], "--purpose takes"),
    ],
)
def test_a_token_that_would_be_refused_is_not_made(operated: Operated, options: list[str], says: str) -> None:
    made = run("token", "--data", str(operated.data), *options, check=False)
    assert made.returncode == 1
    assert made.stdout == ""
    assert says in made.stderr


def test_a_second_start_on_the_same_folder_is_refused_with_what_to_do(operated: Operated) -> None:
    second = run("demo", "--data", str(operated.data), "--port", "0", check=False)
    assert second.returncode == 1
    assert "already runs on" in second.stderr
    assert str(operated.process.pid) in second.stderr
    assert "--data" in second.stderr


def test_a_port_already_taken_is_said(operated: Operated, tmp_path: Path) -> None:
    other = run("demo", "--data", str(tmp_path / "other"), "--port", str(operated.port), check=False)
    assert other.returncode == 1
    assert f"port {operated.port}" in other.stderr
    assert not (tmp_path / "other").exists()


def test_the_doctor_finds_it_healthy(operated: Operated) -> None:
    assert "care" not in run("doctor", "--data", str(operated.data)).stdout


def test_its_keys_rotate_while_it_runs(operated: Operated) -> None:
    before = operated.token()
    said = run("keys", "rotate", "--documents", "--signing", "--data", str(operated.data)).stdout
    assert "The master key is now" in said
    assert operated.ask("/fhir/Organization", token=before)[0] == 200
    assert operated.ask("/fhir/Organization", token=operated.token())[0] == 200


def test_a_backup_of_the_running_instance_comes_back_elsewhere(operated: Operated, tmp_path: Path) -> None:
    backup, elsewhere = tmp_path / "backup", tmp_path / "elsewhere"
    count = len(operated.ask("/fhir/Organization", token=operated.token())[1].split('"resourceType":"Organization"'))
    run("backup", str(backup), "--data", str(operated.data))
    refused = run("restore", str(backup), "--data", str(elsewhere), check=False)
    assert "--master-key" in refused.stderr
    run(
        "restore",
        str(backup),
        "--data",
        str(elsewhere),
        "--master-key",
        str(operated.data / "secrets" / "master.key"),
    )
    restored = Operated(elsewhere)
    try:
        # The keys that sign tokens came back too: a token of before holds.
        text = restored.ask("/fhir/Organization", token=operated.token())[1]
        assert len(text.split('"resourceType":"Organization"')) == count
        assert run("audit", "verify", "--data", str(elsewhere)).returncode == 0
    finally:
        restored.stop()


def test_postgres_killed_under_it_comes_back_with_what_was_acknowledged(operated: Operated) -> None:
    token = operated.token()
    status, text = operated.ask("/fhir/Organization", token=token, method="POST", body=ORGANIZATION)
    assert status == 201
    os.kill(operated.postgres, signal.SIGKILL)
    time.sleep(1.5)
    wait_until(lambda: operated.ask("/readyz")[0] == 200)
    id = text.split('"id":"')[1].split('"')[0]
    assert operated.ask(f"/fhir/Organization/{id}", token=token)[0] == 200


def test_killed_it_starts_again_on_the_same_data_and_stops_whole(disposable: Operated) -> None:
    token = disposable.token()
    status, text = disposable.ask("/fhir/Organization", token=token, method="POST", body=ORGANIZATION)
    assert status == 201
    disposable.kill()
    again = Operated(disposable.data)
    id = text.split('"id":"')[1].split('"')[0]
    assert again.ask(f"/fhir/Organization/{id}", token=token)[0] == 200
    postgres = again.postgres
    assert again.stop() == 0
    assert not is_alive(postgres)


def test_stopped_it_can_be_saved_and_never_serves_real_people(disposable: Operated, tmp_path: Path) -> None:
    disposable.stop()
    run("backup", str(tmp_path / "backup"), "--data", str(disposable.data))
    assert (tmp_path / "backup" / "manifest.json").is_file()
    real = run("serve", "--data", str(disposable.data), "--port", "0", check=False)
    assert real.returncode == 1
    assert "demonstration" in real.stderr


def test_data_of_real_people_are_never_demonstrated(tmp_path: Path) -> None:
    run("migrate", "--data", str(tmp_path / "real"))
    demo = run("demo", "--data", str(tmp_path / "real"), "--port", "0", check=False)
    assert demo.returncode == 1
    assert "real people" in demo.stderr


def test_a_nation_can_be_seeded_before_it_is_served(tmp_path: Path) -> None:
    run("seed", "--data", str(tmp_path / "data"), "--population", "3")
    made = run("token", "--data", str(tmp_path / "data"), "--as", "professional:01234567897")
    assert made.stdout.count(".") == 2


@pytest.mark.parametrize("command", ["doctor", "backup there", "keys rotate", "audit verify", "token --as system"])
def test_a_command_never_makes_an_installation_by_mistake(tmp_path: Path, command: str) -> None:
    nowhere = tmp_path / "nowhere"
    done = run(*command.split(), "--data", str(nowhere), check=False)
    assert done.returncode == 1
    assert "no installation in" in done.stderr
    assert not nowhere.exists()
