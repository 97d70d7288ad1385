"""Several photos become one document, for the person and for the small practice; without a script too."""

import io

import pikepdf
from PIL import Image
from playwright.async_api import FilePayload

from tests.journeys.support.browser import Watch, chromium, enter, needs_chromium, serving, sideways, violations
from tests.journeys.support.strict import StrictClient
from tests.journeys.support.visitors import Visitors


def photo(colour: str) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "Appareil secret"
    written = io.BytesIO()
    Image.new("RGB", (60, 80), colour).save(written, "JPEG", exif=exif)
    return written.getvalue()


def file(name: str, colour: str) -> tuple[str, bytes, str]:
    return (name, photo(colour), "image/jpeg")


async def pages_of(visitor: StrictClient, address: str) -> list[str]:
    """The colour of each page of the PDF at this address."""
    answer = await visitor.http.get(address)
    assert answer.headers["content-type"] == "application/pdf"
    assert b"Appareil secret" not in answer.content
    colours: list[str] = []
    with pikepdf.open(io.BytesIO(answer.content)) as paper:
        for page in paper.pages:
            red, _, blue = Image.open(io.BytesIO(page.images["/Photo"].read_raw_bytes())).convert("RGB").tobytes()[:3]
            colours.append("red" if red > 200 else "blue" if blue > 200 else "green")
    return colours


async def test_photos_chosen_together_or_one_by_one_are_one_document_in_their_order(visitors: Visitors) -> None:
    citizen = await (await visitors.enter("Dominique Fictive")).get("/documents/ajouter")
    sent = [
        ("fichier", file("1.jpg", "red")),
        ("fichier", file("2.jpg", "blue")),
        ("pages-0", file("3.jpg", "green")),
        ("pages-1", ("", b"", "application/octet-stream")),
    ]
    await citizen.press("Ajouter le document", sent, titre="Courrier de l’hôpital", categorie="CPT_REND")
    assert "Document ajouté." in citizen.words
    assert await pages_of(citizen, f"{citizen.address.partition('?')[0]}/fichier") == ["red", "blue", "green"]
    await citizen.get("/documents/ajouter")
    mixed = [("fichier", file("1.jpg", "red")), ("fichier", ("a.pdf", b"%PDF-1.4", "application/pdf"))]
    await citizen.press("Ajouter le document", mixed, titre="Mélange", categorie="CPT_REND")
    assert citizen.status == 422
    assert "Seules des photos peuvent être les pages d’un même document" in citizen.words


async def test_a_practice_deposits_photos_as_one_document_when_it_says_so(visitors: Visitors) -> None:
    doctor = await (await visitors.enter("Charles Muller")).get(f"{visitors.record}/deposer")
    await doctor.press("Continuer", type="11488-4", titre="Courrier scanné", date="2026-03-01")
    sent = [("fichiers", file("1.jpg", "blue")), ("fichiers", file("2.jpg", "red"))]
    await doctor.press("Déposer", sent, reunir="y")
    id = doctor.address.partition("?")[0].rpartition("/")[2]
    assert await pages_of(doctor, f"{visitors.record}/documents/{id}/fichier") == ["blue", "red"]


@needs_chromium
async def test_pages_are_put_in_order_by_hand_and_what_one_meets_around_is_accessible(visitors: Visitors) -> None:
    problems: list[str] = []
    async with serving(visitors.application) as home, chromium() as browser:
        for who, addresses in (
            ("Dominique Fictive", ["/documents/ranger", "/documents?mots=consultation"]),
            ("Charles Muller", [f"{visitors.record}/examens", f"{visitors.record}?filtre=consultation"]),
        ):
            page = await (await browser.new_context(locale="fr-FR")).new_page()
            watch = Watch.on(page, home)
            await enter(page, home, who)
            for address in addresses:
                await page.goto(home + address)
                await page.set_viewport_size({"width": 1280, "height": 800})
                problems += await violations(page)
                await page.set_viewport_size({"width": 390, "height": 800})
                assert await sideways(page) == 0, address
            if who == "Dominique Fictive":
                await page.goto(f"{home}/documents/ajouter")
                files = [
                    FilePayload(name=f"{number}.jpg", mimeType="image/jpeg", buffer=photo(colour))
                    for number, colour in ((1, "red"), (2, "blue"))
                ]
                await page.set_input_files("#fichier", files)
                await page.get_by_role("button", name="Monter : page 2, 2.jpg").press("Enter")
                assert await page.locator("ol.pages span").all_inner_texts() == ["2.jpg", "1.jpg"]
                problems += await violations(page)
                assert await sideways(page) == 0
                await page.fill("#titre", "Deux pages")
                await page.select_option("#categorie", "CPT_REND")
                await page.get_by_role("button", name="Ajouter le document").click()
                await page.wait_for_url(lambda url: "/ajouter" not in url)
                citizen = await visitors.enter("Dominique Fictive")
                id = page.url.partition("?")[0].rpartition("/")[2]
                assert await pages_of(citizen, f"/documents/{id}/fichier") == ["blue", "red"]
            problems += watch.complaints + watch.elsewhere
    assert problems == []
