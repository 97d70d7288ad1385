"""The whole story on a real instance: a document enters, is read, hidden, sought, opened in an emergency, and told."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.journeys.support.browser import CHROMIUM, SCREENSHOTS, needs_chromium
from tests.journeys.support.instance import AMBROISE, Instance

INS = "279035121518989"
SYSTEM = "urn:oid:1.2.250.1.213.1.4.10"
ANOTHER_DOCTOR = "Hugo PROTOTYPE"
CITIZEN = "DOMINIQUE PAT-TROIS"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


def found(instance: Instance, token: str, unique_id: str) -> int:
    """How many documents a caller finds by unique id; a refusal finds none."""
    answer = httpx.get(
        f"{instance.address}/fhir/DocumentReference",
        params={"patient.identifier": f"{SYSTEM}|{INS}", "identifier": f"urn:ietf:rfc:3986|{unique_id}"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    return len(answer.json().get("entry", [])) if answer.status_code == 200 else 0


def sign_in(browser: Browser, instance: Instance, name: str) -> Page:
    page = browser.new_context(locale="fr-FR", viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{instance.address}/etre?nom={name.split()[-1]}")
    page.locator("button[name=personne]").first.click()
    page.wait_for_load_state()
    return page


def look(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"journey-{name}.png", full_page=True)


def find_patient(page: Page, instance: Instance) -> None:
    page.goto(f"{instance.address}/pro/patients")
    page.fill("main input[name=ins]", INS)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_load_state()


@needs_chromium
def test_a_document_is_deposited_read_masked_opened_in_an_emergency_and_all_of_it_is_told(
    instance: Instance, browser: Browser, samples: Path
) -> None:
    content = (samples / "cda" / "VSM_1.4_2022.01.xml").read_bytes()
    unique_id = "urn:oid:1.2.250.1.213.1.1.1.13.2022.1.1"
    title = "Synthèse Médicale"

    # A professional's software deposits a real document.
    deposited = httpx.post(
        f"{instance.address}/fhir/DocumentReference/$generate-metadata",
        content=content,
        headers={
            "Authorization": f"Bearer {instance.token('professional:01234567897')}",
            "Content-Type": "application/xml",
        },
        timeout=60,
    )
    assert deposited.status_code == 200, deposited.text
    citizen_token = instance.token(f"citizen:{INS}")
    assert found(instance, citizen_token, unique_id) == 1

    # Another doctor, neither author nor treating doctor, is refused, collects the consent, and reads it.
    doctor = sign_in(browser, instance, ANOTHER_DOCTOR)
    find_patient(doctor, instance)
    look(doctor, "refused")
    assert "Vous ne pouvez pas lire ce dossier" in doctor.title()
    doctor.get_by_role("link", name="Recueillir son accord").click()
    doctor.get_by_label("La personne est informée", exact=False).check()
    doctor.get_by_role("button", name="Enregistrer son accord").click()
    doctor.get_by_role("link", name=title).first.click()
    doctor.wait_for_load_state()
    look(doctor, "doctor-reads")
    rpps = professional_rpps(instance, ANOTHER_DOCTOR)
    doctor_token = instance.token(f"professional:{rpps}")
    assert found(instance, doctor_token, unique_id) == 1

    # The citizen reads it, and hides it.
    citizen = sign_in(browser, instance, CITIZEN)
    citizen.goto(f"{instance.address}/documents")
    citizen.get_by_role("link", name=title).first.click()
    citizen.wait_for_load_state()
    look(citizen, "citizen-reads")
    document = citizen.url.rsplit("/", 1)[-1].split("?")[0]
    citizen.get_by_text("Masquer ce document", exact=False).first.click()
    citizen.get_by_role("button", name=re.compile("Masquer")).last.click()
    citizen.wait_for_load_state()
    assert "Masqué aux professionnels" in (citizen.text_content("main") or "")
    look(citizen, "masked")

    # The doctor no longer finds it anywhere: list, page, search, direct read, bytes.
    find_patient(doctor, instance)
    assert title not in (doctor.text_content("main") or "")
    look(doctor, "doctor-no-longer-finds")
    assert found(instance, doctor_token, unique_id) == 0
    assert status(instance, doctor_token, f"DocumentReference/{document}") == 404

    # Break-the-glass respects the choice about masked documents: refused by default, seen once the citizen permits.
    glass = instance.token(
        f"professional:{rpps}", "--purpose", "bris_de_glace", "--reason", "Malaise, patient inconscient"
    )
    assert status(instance, glass, f"DocumentReference/{document}") == 404
    permit_masked_in_emergencies(citizen, instance)
    assert status(instance, glass, f"DocumentReference/{document}") == 200

    # The history tells all of it.
    citizen.goto(f"{instance.address}/historique")
    look(citizen, "history")
    told = citizen.text_content("main") or ""
    assert "Hugo Prototype" in told
    assert "Malaise, patient inconscient" in told
    verified = subprocess.run(
        [*AMBROISE, "audit", "verify", "--data", str(instance.data)], capture_output=True, text=True, timeout=60
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


def status(instance: Instance, token: str, path: str) -> int:
    answer = httpx.get(f"{instance.address}/fhir/{path}", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    return answer.status_code


def professional_rpps(instance: Instance, name: str) -> str:
    given, family = name.split()
    answer = httpx.get(
        f"{instance.address}/fhir/Practitioner",
        params={"family": family, "given": given},
        headers={"Authorization": f"Bearer {instance.token('system')}"},
        timeout=30,
    )
    identifiers = answer.json()["entry"][0]["resource"]["identifier"]
    return next(one["value"] for one in identifiers if one["system"] == "https://rpps.esante.gouv.fr")


def permit_masked_in_emergencies(citizen: Page, instance: Instance) -> None:
    citizen.goto(f"{instance.address}/acces/urgence")
    citizen.locator("input[name=masques][value=oui]").check()
    look(citizen, "emergency-choice")
    citizen.get_by_role("button", name="Enregistrer mes choix").click()
    citizen.wait_for_load_state()
