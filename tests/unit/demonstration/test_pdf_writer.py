"""The small PDF writer: files that readers open, with French text, a title, and the word fictitious on every page."""

import io
from datetime import datetime

import pikepdf
import pytest

from ambroise.interfaces.demonstration.pdf_writer import FICTITIOUS, Letter, Table, write


def letter(*body: str | Table) -> Letter:
    return Letter(
        "Compte rendu d'échographie (contrôle)",
        ("Cabinet d'essai", "1 rue des Lilas"),
        ("ESSAI ANNE", "Matricule INS fictif"),
        "Rennes, le 2 février 2026",
        body,
        ("Dr Anne ESSAI",),
        datetime(2026, 2, 2, 9, 30),
    )


def text_of(pdf: pikepdf.Pdf) -> list[str]:
    pages: list[str] = []
    for page in pdf.pages:
        content = page.Contents.read_bytes()
        pages.append(content.decode("cp1252"))
    return pages


def test_a_reader_finds_no_fault_and_the_metadata() -> None:
    with pikepdf.open(io.BytesIO(write(letter("Tout va bien.")))) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert str(pdf.docinfo["/Title"]) == "Compte rendu d'échographie (contrôle)"
        assert str(pdf.Root.Lang) == "fr-FR"
        assert len(pdf.pages) == 1


def test_accents_and_parentheses_are_kept() -> None:
    with pikepdf.open(io.BytesIO(write(letter("Œdème léger (à revoir) : 37,5 °C \\ fin.")))) as pdf:
        assert r"Œdème léger \(à revoir\) : 37,5 °C \\ fin." in text_of(pdf)[0]


def test_a_long_text_takes_several_pages_each_marked_fictitious() -> None:
    paragraphs = tuple(f"Paragraphe {n}. " + "Une phrase assez longue pour être coupée. " * 8 for n in range(30))
    with pikepdf.open(io.BytesIO(write(letter(*paragraphs)))) as pdf:
        pages = text_of(pdf)
        assert len(pages) > 1
        assert all(FICTITIOUS in page for page in pages)


def test_a_table_shows_every_cell() -> None:
    table = Table(("Analyse", "Résultat"), (("Sodium", "140"), ("Potassium", "4,2")), (2, 1))
    with pikepdf.open(io.BytesIO(write(letter(table)))) as pdf:
        text = text_of(pdf)[0]
    assert all(f"({cell})" in text for cell in ("Analyse", "Résultat", "Sodium", "140", "Potassium", "4,2"))


@pytest.mark.parametrize("size", [20_000, 100_000, 400_000])
def test_padding_brings_the_file_near_a_size(size: int) -> None:
    content = write(letter("Avec un document numérisé."), pad_to=size)
    assert abs(len(content) - size) < 1_500
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert len(pdf.pages) == 2


def test_the_same_letter_gives_the_same_bytes() -> None:
    assert write(letter("Identique."), pad_to=50_000) == write(letter("Identique."), pad_to=50_000)
