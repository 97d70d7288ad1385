"""`ambroise watch`: what arrives in a folder, deposited once, each file with a report beside it."""

import json
import os
from pathlib import Path

from ambroise.interfaces.demonstration import examples
from ambroise.interfaces.demonstration.cda_writer import CdaWriter
from tests.integration.cli.conftest import AUTHOR, MATRICULE, Installation, Rows
from tests.integration.xds.conftest import letter
from tests.support.xdm import xdm

ONCE = ("--as", f"professional:{AUTHOR}", "--once", "--settled", "0.01", "--patience", "0")


def tree(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")
    }


def test_what_arrives_is_deposited_once_and_told_beside_it(
    installation: Installation, served: str, tmp_path: Path, rows: Rows
) -> None:
    inbox = tmp_path / "arrivees"
    inbox.mkdir()
    cda, pdf = examples.files()["documents/biology.xml"], CdaWriter().pdf(examples.letter())
    (inbox / "cr.xml").write_bytes(cda)
    (inbox / "consultation.pdf").write_bytes(pdf)
    said = {"type": "11488-4", "patient": MATRICULE, "title": "Consultation", "date": "2026-01-15"}
    (inbox / "consultation.json").write_text(json.dumps(said))
    (inbox / "lot.zip").write_bytes(xdm((letter(id="doc"),)))
    (inbox / "broken.xml").write_bytes(cda[:-30])
    (inbox / "alone.pdf").write_bytes(pdf)
    (inbox / "unsaid.pdf").write_bytes(pdf)
    (inbox / "unsaid.pdf.json").write_text('{"type": "11488-4", "patient": "1", "auteur": "?"}')
    done = installation.run("watch", inbox, *ONCE)
    assert done.exit_code == 0, done.output
    assert tree(inbox) == {
        *(f"done/{name}" for name in ("cr.xml", "cr.xml.txt", "lot.zip", "lot.zip.txt")),
        *(f"done/consultation.pdf{end}" for end in ("", ".json", ".txt")),
        *(f"refused/{name}{end}" for name in ("broken.xml", "alone.pdf") for end in ("", ".txt")),
        *(f"refused/unsaid.pdf{end}" for end in ("", ".json", ".txt")),
    }
    assert (inbox / "done/cr.xml").read_bytes() == cda
    told = {name: (inbox / f"refused/{name}.txt").read_text() for name in ("broken.xml", "alone.pdf", "unsaid.pdf")}
    assert "XML_MALFORMED" in told["broken.xml"]
    assert "Ce document est abîmé" in told["broken.xml"]
    assert "SIDECAR_MISSING" in told["alone.pdf"]
    assert "SIDECAR_INVALID" in told["unsaid.pdf"]
    assert "auteur" in told["unsaid.pdf"]
    assert rows("select count(*) from record_unique_id") == [(3,)]

    # As after a crash between the deposit and the move; and by the other way, over HTTP, with one that waits its turn.
    os.replace(inbox / "done/cr.xml", inbox / "working/cr.xml")
    (inbox / "encore.zip").write_bytes((inbox / "done/lot.zip").read_bytes())
    again = installation.run("watch", inbox, *ONCE, "--url", served)
    assert again.exit_code == 0, again.output
    assert "Déjà déposé" in (inbox / "done/cr.xml.txt").read_text()
    assert "Déjà déposé" in (inbox / "done/encore.zip.txt").read_text()
    assert rows("select count(*) from record_unique_id") == [(3,)]


def test_what_an_instance_cannot_take_now_waits_and_is_not_refused(installation: Installation, tmp_path: Path) -> None:
    inbox = tmp_path / "arrivees"
    inbox.mkdir()
    (inbox / "cr.xml").write_bytes(examples.files()["documents/biology.xml"])
    done = installation.run("watch", inbox, *ONCE, "--url", "http://127.0.0.1:9")
    assert "waits\tworking/cr.xml\tUNREACHABLE" in done.output
    assert tree(inbox) == {"working/cr.xml"}
