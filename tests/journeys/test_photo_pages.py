"""Several photos become one document, for the person and for the small practice; without a script too."""

import io

import pikepdf
from PIL import Image

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
