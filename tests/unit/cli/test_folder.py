"""A watched folder: what is whole, where each file is at any instant, and that nothing is written over."""

import os
from pathlib import Path

import pytest

from ambroise.interfaces.cli.submission.folder import REPORT_HEAD, Folder
from ambroise.kernel.errors import Refusal


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path, settled=3, patience=60)
    with made.held():
        pass
    return made


def put(folder: Folder, name: str, content: str = "x") -> Path:
    path = folder.root / name
    path.write_text(content)
    return path


def names(folder: Folder) -> list[str]:
    return [path.name for path in folder.waiting()]


def test_a_file_is_taken_once_it_does_not_change_any_more(folder: Folder) -> None:
    put(folder, "a.xml", "beginning")
    folder.take(0)
    folder.take(2)
    put(folder, "a.xml", "beginning and end")
    folder.take(4)
    assert names(folder) == []
    folder.take(7)
    assert names(folder) == ["a.xml"]
    assert (folder.working / "a.xml").read_text() == "beginning and end"


def test_what_is_unfinished_hidden_or_a_link_is_left(folder: Folder, tmp_path: Path) -> None:
    for name in (".a.xml", "b.xml.part", "c.tmp", "Thumbs.db"):
        put(folder, name)
    (folder.root / "link.xml").symlink_to("/etc/passwd")
    folder.take(0)
    folder.take(100)
    assert names(folder) == []


def test_a_pdf_waits_for_what_describes_it_and_not_for_ever(folder: Folder) -> None:
    put(folder, "a.pdf")
    put(folder, "b.pdf")
    folder.take(0)
    folder.take(10)
    assert names(folder) == []
    put(folder, "a.pdf.json", "{}")
    folder.take(20)
    folder.take(24)
    assert names(folder) == ["a.pdf"]
    assert folder.sidecar(folder.working / "a.pdf") == folder.working / "a.pdf.json"
    folder.take(61)
    assert names(folder) == ["a.pdf", "b.pdf"]


def test_a_crash_between_the_two_moves_keeps_them_together(folder: Folder) -> None:
    put(folder, "a.pdf")
    os.replace(put(folder, "a.pdf.json", "{}"), folder.working / "a.pdf.json")
    folder.take(0)
    folder.take(4)
    assert names(folder) == ["a.pdf"]
    assert folder.sidecar(folder.working / "a.pdf") is not None


def test_nothing_is_written_over(folder: Folder) -> None:
    put(folder, "a.xml.txt", "a text that somebody sent")
    os.replace(folder.root / "a.xml.txt", folder.refused / "a.xml.txt")
    for content in ("first", "second"):
        os.replace(put(folder, "a.xml", content), folder.working / "a.xml")
        folder.settle(folder.working / "a.xml", folder.refused, f"{REPORT_HEAD}a.xml {content}")
    assert (folder.refused / "a.xml.txt").read_text() == "a text that somebody sent"
    assert (folder.refused / "a-2.xml").read_text() == "first"
    assert (folder.refused / "a-3.xml.txt").read_text() == f"{REPORT_HEAD}a.xml second"


def test_a_report_whose_file_had_not_moved_yet_is_written_again(folder: Folder) -> None:
    os.replace(put(folder, "a.xml"), folder.working / "a.xml")
    (folder.done / "a.xml.txt").write_text(f"{REPORT_HEAD}a.xml")
    assert folder.settle(folder.working / "a.xml", folder.done, f"{REPORT_HEAD}again").name == "a.xml"
    assert (folder.done / "a.xml.txt").read_text() == f"{REPORT_HEAD}again"


def test_one_watcher_at_a_time(folder: Folder) -> None:
    with folder.held(), pytest.raises(Refusal, match="stop it first"), folder.held():
        pass
