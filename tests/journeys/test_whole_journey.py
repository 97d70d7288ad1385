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
A_PHARMACIST = "Karim COLIN"
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
    deposit(instance, content)
    citizen_token = instance.token(f"citizen:{INS}")
    assert found(instance, citizen_token, unique_id) == 1

    # Another doctor, neither author nor treating doctor, is refused, collects the consent, and reads it.
    doctor = sign_in(browser, instance, ANOTHER_DOCTOR)
    find_patient(doctor, instance)
    look(doctor, "refused")
    collect_consent(doctor)
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


@needs_chromium
def test_a_pharmacist_let_in_reads_what_pharmacists_may_and_the_citizen_sees_it(
    instance: Instance, browser: Browser, samples: Path
) -> None:
    prescription = "Prescription de médicaments et/ou de dispositifs médicaux"
    request = "Demande d’un acte de télémédecine"
    deposit(instance, (samples / "cda" / "eP-MED-DM_2024.01_PosoStruct.xml").read_bytes())
    # A type that the matrix keeps from pharmacists (75496-0), made of the report that answers it.
    report = (samples / "cda" / "TLM-CR_2022.01.xml").read_bytes()
    deposit(
        instance,
        report.replace(b'code="85208-7"', b'code="75496-0"')
        .replace(b"<title>Compte-rendu de t\xc3\xa9l\xc3\xa9consultation", f"<title>{request}".encode())
        .replace(b"1.3.6.1.4.1.19376.1.2.20.2022.1.1", b"1.3.6.1.4.1.19376.1.2.20.2022.1.75496"),
    )

    pharmacist = sign_in(browser, instance, A_PHARMACIST)
    find_patient(pharmacist, instance)
    assert prescription not in (pharmacist.text_content("main") or "")
    collect_consent(pharmacist)
    listed = pharmacist.text_content("main") or ""
    assert prescription in listed
    assert request not in listed
    look(pharmacist, "pharmacist-list")
    pharmacist.get_by_role("link", name=prescription).first.click()
    pharmacist.wait_for_load_state()
    look(pharmacist, "pharmacist-reads")

    citizen = sign_in(browser, instance, CITIZEN)
    citizen.goto(f"{instance.address}/documents")
    assert request in (citizen.text_content("main") or "")
    citizen.goto(f"{instance.address}/historique")
    told = citizen.text_content("main") or ""
    assert "Karim Colin" in told
    look(citizen, "pharmacist-told")


def deposit(instance: Instance, content: bytes) -> None:
    """A professional's software sends a document."""
    answer = httpx.post(
        f"{instance.address}/fhir/DocumentReference/$generate-metadata",
        content=content,
        headers={
            "Authorization": f"Bearer {instance.token('professional:01234567897')}",
            "Content-Type": "application/xml",
        },
        timeout=60,
    )
    assert answer.status_code == 200, answer.text


def collect_consent(page: Page) -> None:
    """A professional who is refused records that the person agrees."""
    assert "Vous ne pouvez pas lire ce dossier" in page.title()
    page.get_by_role("link", name="Recueillir son accord").click()
    page.get_by_label("La personne est informée", exact=False).check()
    page.get_by_role("button", name="Enregistrer son accord").click()
    page.wait_for_load_state()


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


@needs_chromium
def test_what_is_told_in_the_profile_is_read_by_the_doctor_and_opened_by_the_emergency_code(
    instance: Instance, browser: Browser
) -> None:
    # The citizen tells an allergy, choosing among the codes that come while typing.
    citizen = sign_in(browser, instance, CITIZEN)
    citizen.goto(f"{instance.address}/profil/allergies/ajouter")
    with citizen.expect_response(lambda answer: "/profil/codes/allergen" in answer.url):
        citizen.locator("#name").press_sequentially("néomy")
    assert citizen.locator("#propositions option").first.get_attribute("value") == "Néomycine"
    citizen.fill("#name", "Néomycine")
    citizen.fill("#reaction", "Urticaire")
    citizen.get_by_role("button", name="Enregistrer").click()
    citizen.get_by_role("link", name="Néomycine").wait_for()
    look(citizen, "profile-allergies")

    # Their doctor reads it at once, on top of the record and in the summary.
    doctor = sign_in(browser, instance, "Camille TEMOIN")
    find_patient(doctor, instance)
    doctor.get_by_role("link", name="Synthèse", exact=True).click()
    doctor.wait_for_load_state()
    assert "Néomycine" in doctor.locator(".alerts").inner_text()
    assert "Urticaire" in doctor.locator("main").inner_text()
    look(doctor, "profile-summary")

    # A stranger opens the code that the citizen made, and the citizen is told.
    citizen.goto(f"{instance.address}/profil/urgence")
    citizen.get_by_role("button", name="Faire mon code").click()
    address = citizen.locator(".code-address").inner_text()
    stranger = browser.new_context(locale="fr-FR").new_page()
    stranger.goto(address)
    assert "Néomycine" not in stranger.locator("main").inner_text(), "nothing opens by itself"
    stranger.get_by_role("button", name="Ouvrir").click()
    stranger.get_by_text("Néomycine").wait_for()
    assert "Asthme" not in stranger.locator("main").inner_text(), "nothing that was not chosen"
    citizen.goto(f"{instance.address}/accueil")
    assert "Votre code d’urgence a été ouvert" in citizen.locator("main").inner_text()
