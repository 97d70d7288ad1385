"""One instance from start to stop, as an operator meets it."""

from __future__ import annotations

import os
import signal
import time
import urllib.request
from pathlib import Path

import pytest

from tests.support.instance import Instance, is_alive, run

pytestmark = pytest.mark.slow

PATIENT = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}],
    "name": [{"use": "official", "family": "PAT-TROIS", "given": ["DOMINIQUE"]}],
    "gender": "female",
    "birthDate": "1979-03-01",
}
ORGANIZATION = {"resourceType": "Organization", "name": "Maison fictive"}


def wait_until(what: object, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_it_answers_where_it_says_and_as_localhost(instance: Instance) -> None:
    assert instance.url.startswith("http://127.0.0.1:")
    assert instance.ask("/healthz") == (200, "alive\n")
    assert instance.ask("/readyz") == (200, "ready\n")
    with urllib.request.urlopen(f"http://localhost:{instance.port}/healthz") as answer:
        assert answer.status == 200
    assert any("http://localhost:" in line for line in instance.said)


def test_metrics_speak_of_surfaces_and_never_of_paths(instance: Instance) -> None:
    instance.ask("/fhir/Patient/123e4567-e89b-72d3-a456-426614174000")
    status, text = instance.ask("/metrics")
    assert status == 200
    assert 'ambroise_http_requests_total{method="GET",status="401",surface="fhir"}' in text
    assert "123e4567" not in text
    assert 'ambroise_outbox_events{state="dead"} 0.0' in text


def test_a_token_made_beside_the_running_instance_is_accepted(instance: Instance) -> None:
    assert instance.ask("/fhir/Organization")[0] == 401
    status, _ = instance.ask("/fhir/Organization", token=instance.token(), method="POST", body=ORGANIZATION)
    assert status == 201


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--as", "professional:99700000000"], "no professional 99700000000"),
        (["--as", "citizen:100000000000000"], "no space for the INS"),
        (["--as", "somebody"], "--as takes"),
        (["--as", "system", "--purpose", "curiosity"], "--purpose takes"),
    ],
)
def test_a_token_that_would_be_refused_is_not_made(instance: Instance, options: list[str], says: str) -> None:
    made = run("token", "--data", str(instance.data), *options, check=False)
    assert made.returncode == 1
    assert made.stdout == ""
    assert says in made.stderr


def test_a_second_start_on_the_same_folder_is_refused_with_what_to_do(instance: Instance) -> None:
    second = run("demo", "--data", str(instance.data), "--port", "0", check=False)
    assert second.returncode == 1
    assert "already runs on" in second.stderr
    assert str(instance.process.pid) in second.stderr
    assert "--data" in second.stderr


def test_a_port_already_taken_is_said(instance: Instance, tmp_path: Path) -> None:
    other = run("demo", "--data", str(tmp_path / "other"), "--port", str(instance.port), check=False)
    assert other.returncode == 1
    assert f"port {instance.port}" in other.stderr
    assert not (tmp_path / "other").exists()


def test_the_doctor_finds_it_healthy(instance: Instance) -> None:
    assert "care" not in run("doctor", "--data", str(instance.data)).stdout


def test_its_keys_rotate_while_it_runs(instance: Instance) -> None:
    before = instance.token()
    said = run("keys", "rotate", "--documents", "--signing", "--data", str(instance.data)).stdout
    assert "The master key is now" in said
    assert instance.ask("/fhir/Organization", token=before)[0] == 200
    assert instance.ask("/fhir/Organization", token=instance.token())[0] == 200


def test_a_backup_of_the_running_instance_comes_back_elsewhere(instance: Instance, tmp_path: Path) -> None:
    backup, elsewhere = tmp_path / "backup", tmp_path / "elsewhere"
    count = len(instance.ask("/fhir/Organization", token=instance.token())[1].split('"resourceType":"Organization"'))
    run("backup", str(backup), "--data", str(instance.data))
    refused = run("restore", str(backup), "--data", str(elsewhere), check=False)
    assert "--master-key" in refused.stderr
    run(
        "restore",
        str(backup),
        "--data",
        str(elsewhere),
        "--master-key",
        str(instance.data / "secrets" / "master.key"),
    )
    restored = Instance(elsewhere)
    try:
        # The keys that sign tokens came back too: a token of before holds.
        text = restored.ask("/fhir/Organization", token=instance.token())[1]
        assert len(text.split('"resourceType":"Organization"')) == count
        assert run("audit", "verify", "--data", str(elsewhere)).returncode == 0
    finally:
        restored.stop()


def test_postgres_killed_under_it_comes_back_with_what_was_acknowledged(instance: Instance) -> None:
    token = instance.token()
    status, text = instance.ask("/fhir/Organization", token=token, method="POST", body=ORGANIZATION)
    assert status == 201
    os.kill(instance.postgres, signal.SIGKILL)
    time.sleep(1.5)
    wait_until(lambda: instance.ask("/readyz")[0] == 200)
    id = text.split('"id":"')[1].split('"')[0]
    assert instance.ask(f"/fhir/Organization/{id}", token=token)[0] == 200


def test_killed_it_starts_again_on_the_same_data_and_stops_whole(instance: Instance) -> None:
    token = instance.token()
    status, text = instance.ask("/fhir/Organization", token=token, method="POST", body=ORGANIZATION)
    assert status == 201
    instance.kill()
    again = Instance(instance.data)
    id = text.split('"id":"')[1].split('"')[0]
    assert again.ask(f"/fhir/Organization/{id}", token=token)[0] == 200
    postgres = again.postgres
    assert again.stop() == 0
    assert not is_alive(postgres)


def test_demonstration_and_real_data_never_mix(instance: Instance, tmp_path: Path) -> None:
    if instance.process.poll() is None:
        instance.stop()
    real = run("serve", "--data", str(instance.data), "--port", "0", check=False)
    assert real.returncode == 1
    assert "demonstration" in real.stderr
    run("migrate", "--data", str(tmp_path / "real"))
    demo = run("demo", "--data", str(tmp_path / "real"), "--port", "0", check=False)
    assert demo.returncode == 1
    assert "real people" in demo.stderr


def test_a_backup_of_a_stopped_instance_works_too(instance: Instance, tmp_path: Path) -> None:
    if instance.process.poll() is None:
        instance.stop()
    run("backup", str(tmp_path / "backup"), "--data", str(instance.data))
    assert (tmp_path / "backup" / "manifest.json").is_file()
