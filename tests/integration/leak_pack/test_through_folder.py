"""The leak pack through a watched folder: the reports beside the files say nothing that their sender may not know.

The control: the author of what is hidden reads where his own document is.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ambroise.interfaces.cli.submission.folder import Folder
from ambroise.interfaces.cli.submission.papers import Sender
from ambroise.interfaces.cli.submission.watching import Watcher
from ambroise.interfaces.cli.submission.ways import LocalWay
from ambroise.trust.context import Citizen, Context
from ambroise.trust.gateway import Action, Flags
from tests.integration.xds import asking
from tests.integration.xds.conftest import COLLEAGUE, RPPS, house, letter, software
from tests.support.server import House
from tests.support.xds import Software

__all__ = ["house"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
_DATE = re.compile(r"Le \d\d/\d\d/\d{4} à \d\d:\d\d")


async def reports(house: House, who: Software, inbox: Path, **files: bytes) -> dict[str, str]:
    """What is said beside each file that somebody put into a folder, but for its name, its moment and its own ids."""
    inbox.mkdir()
    for name, content in files.items():
        (inbox / f"{name}.xml").write_bytes(content)
    ctx = Context(who.who, house.services.clock, channel="cli", demonstration=True)

    async def context() -> Context:
        return ctx

    told: list[str] = []
    folder = Folder(inbox, settled=0, patience=0)
    with folder.held():
        watcher = Watcher(folder, LocalWay(house.services, context), Sender(who.who.id), "1.2", told.append)
        await watcher.once(0)
        await watcher.look()
    assert len(told) == len(files), told
    found: dict[str, str] = {}
    for name in files:
        (path,) = inbox.rglob(f"{name}.xml.txt")
        found[name] = _DATE.sub("", path.read_text()).replace(name, "")
    return found


async def test_reports_do_not_tell_a_hidden_document_from_none(house: House, tmp_path: Path) -> None:
    author, stranger = await software(house, RPPS), await software(house, COLLEAGUE)
    patient = await asking.patient_key(house)
    citizen = Context(Citizen(patient, "Dominique Pat-Trois"), house.services.clock, demonstration=True)
    hidden, nothing = letter(), letter()
    mine = await reports(house, author, tmp_path / "first", filed=hidden.content)
    (document,) = re.findall(r"Déposé : document ([0-9a-f-]+)", mine["filed"])
    async with house.services.database.transaction() as tx:
        await house.services.gateway.relabel(tx, citizen, Action.MASK, "DocumentReference", document, set=Flags.MASKED)
    wrong = [one.content.replace(b"PAT-TROIS", b"AUTRE-NOM") for one in (hidden, nothing)]
    told = await reports(
        house, stranger, tmp_path / "second",
        known=hidden.content, unknown=nothing.content, astray=wrong[0], nowhere=wrong[1],
    )  # fmt: skip
    for one, other in (("known", "unknown"), ("astray", "nowhere")):
        assert told[one] == told[other]
        assert "REFUSÉ" in told[one]
    for text in told.values():
        assert document not in text
        assert not [word for word in ("PAT-TROIS", "1979", str(patient), "masqu") if word in text]
    again = await reports(house, author, tmp_path / "third", filed=hidden.content)
    assert f"Déjà déposé : document {document}" in again["filed"], "the control"
