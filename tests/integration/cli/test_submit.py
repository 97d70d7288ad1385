"""`ambroise submit`: documents from disk, through the same checks as from anywhere."""

import base64
import re
from dataclasses import replace
from pathlib import Path

import pytest

from ambroise.interfaces.demonstration import examples
from ambroise.interfaces.demonstration.cda_writer import CdaWriter
from tests.integration.cli.conftest import AUTHOR, MATRICULE, Installation, Rows
from tests.integration.xds.conftest import letter
from tests.support.xdm import xdm

AS = ("--as", f"professional:{AUTHOR}")
OF = ("--type", "11488-4", "--patient", MATRICULE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two CDA documents in a folder and its subfolder, among files that are no documents."""
    made = {name: content for name, content in examples.files().items() if name.startswith("documents/")}
    below = tmp_path / "outbox" / "today"
    below.mkdir(parents=True)
    (below.parent / "letter.xml").write_bytes(made["documents/letter.xml"])
    (below / "biology.XML").write_bytes(made["documents/biology.xml"])
    (below / "notes.txt").write_text("not a document")
    (below / ".letter.xml.part").write_text("<half")
    return below.parent


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "compte rendu.pdf"
    path.write_bytes(CdaWriter().pdf(examples.letter()))
    return path


def counts(output: str) -> tuple[int, int, int]:
    found = [re.search(rf"{state}\s*│\s*(\d+)", output) for state in ("filed", "already there", "refused")]
    return tuple(int(one[1]) for one in found if one)  # pyright: ignore[reportReturnType]


def test_a_folder_is_filed_once_however_often_it_is_sent(installation: Installation, folder: Path, rows: Rows) -> None:
    first = installation.run("submit", folder, *AS)
    again = installation.run("submit", folder, *AS)
    assert (first.exit_code, counts(first.output)) == (0, (2, 0, 0)), first.output
    assert (again.exit_code, counts(again.output)) == (0, (0, 2, 0)), again.output
    assert rows("select count(*) from record_unique_id") == [(2,)]
    traced = rows("select actor_id, channel, software from trace where event = 'create' and patient is not null")
    assert (f"8{AUTHOR}", "cli", "ambroise-submit") in traced


def test_what_is_refused_is_named_with_what_to_do_and_the_rest_is_filed(
    installation: Installation, folder: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.xml"
    broken.write_bytes((folder / "letter.xml").read_bytes()[:-30])
    stranger = tmp_path / "stranger.xml"
    stranger.write_bytes((folder / "letter.xml").read_bytes().replace(b"279035121518989", b"255069999999934"))
    missing = tmp_path / "missing.xml"
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    done = installation.run("submit", folder / "letter.xml", broken, stranger, missing, picture, *AS)
    assert done.exit_code == 1
    assert counts(done.output) == (1, 0, 4)
    for code in ("XML_MALFORMED", "FILE_UNREADABLE", "CONTENT_UNSUPPORTED"):
        assert code in done.output
    assert "broken.xml" in done.output


def test_a_pdf_is_described_by_the_options_and_by_the_directory(
    installation: Installation, pdf: Path, rows: Rows
) -> None:
    done = installation.run("submit", pdf, *AS, *OF, "--title", "Consultation", "--date", "2026-01-15")
    assert (done.exit_code, counts(done.output)) == (0, (1, 0, 0)), done.output
    unique_ids = rows("select unique_id from record_unique_id")
    assert unique_ids[0][0].startswith("urn:uuid:")
    assert counts(installation.run("submit", pdf, *AS, *OF).output) == (0, 1, 0)
    assert rows("select unique_id from record_unique_id") == unique_ids


def test_a_pdf_of_which_nothing_is_said_is_refused(installation: Installation, pdf: Path) -> None:
    for options in ((), ("--type", "11488-4"), (*OF[2:], "--type", "unknown")):
        done = installation.run("submit", pdf, *AS, *options)
        assert done.exit_code == 1
        assert "METADATA_MISSING" in done.output or "TYPE_UNKNOWN" in done.output


def test_documents_go_over_http_to_an_instance_that_runs(
    installation: Installation, served: str, folder: Path, pdf: Path
) -> None:
    places = ("--facility", "SA07", "--setting", "AMBULATOIRE")
    first = installation.run("submit", folder, pdf, *AS, *OF, *places, "--url", served)
    again = installation.run("submit", folder, pdf, *AS, *OF, *places, "--url", f"{served}/fhir")
    assert (first.exit_code, counts(first.output)) == (0, (3, 0, 0)), first.output
    assert (again.exit_code, counts(again.output)) == (0, (0, 3, 0)), again.output
    beside = installation.run("submit", folder, *AS)
    assert counts(beside.output) == (0, 2, 0), "what went over HTTP is what the use case files"


def test_a_large_document_over_http_is_known_again(installation: Installation, served: str, tmp_path: Path) -> None:
    letter = examples.files()["documents/letter.xml"]
    start = letter.index(b'representation="B64">') + len(b'representation="B64">')
    end = letter.index(b"</text>")
    grown = base64.b64decode(letter[start:end]) + b"\n%" + b"x" * 9_500_000
    large = tmp_path / "large.xml"
    large.write_bytes(letter[:start] + base64.b64encode(grown) + letter[end:])
    first = installation.run("submit", large, *AS, "--url", served)
    again = installation.run("submit", large, *AS, "--url", served)
    assert (first.exit_code, counts(first.output)) == (0, (1, 0, 0)), first.output
    assert (again.exit_code, counts(again.output)) == (0, (0, 1, 0)), again.output


def test_a_refusal_over_http_keeps_its_code(installation: Installation, served: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.xml"
    broken.write_bytes(b"<ClinicalDocument xmlns='urn:hl7-org:v3'>")
    done = installation.run("submit", broken, *AS, "--url", served)
    assert done.exit_code == 1
    assert "XML_MALFORMED" in done.output


def test_an_unknown_professional_is_said_at_once(installation: Installation, folder: Path) -> None:
    done = installation.run("submit", folder, "--as", "professional:19999999999")
    assert done.exit_code == 1
    assert "RPPS" in done.output


def test_a_zip_is_filed_set_by_set_here_and_over_http(installation: Installation, served: str, tmp_path: Path) -> None:
    good, bad = letter(id="good"), replace(letter(id="bad"), slots={"size": "1"})
    (tmp_path / "two.zip").write_bytes(xdm((good,), (bad,)))
    first = installation.run("submit", tmp_path / "two.zip", *AS)
    again = installation.run("submit", tmp_path / "two.zip", *AS, "--url", served)
    assert (first.exit_code, counts(first.output)) == (1, (1, 0, 1)), first.output
    assert (again.exit_code, counts(again.output)) == (1, (0, 1, 1)), again.output
    for done in (first, again):
        assert "HASH_MISMATCH" in done.output
        assert "SUBSET02" in done.output
