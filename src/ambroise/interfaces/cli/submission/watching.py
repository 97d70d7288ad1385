"""Sending what comes into a watched folder: each file once, a report beside it, nothing lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import psycopg

from ambroise.interfaces.cli.submission.folder import REPORT_HEAD, Folder
from ambroise.interfaces.cli.submission.papers import Described, Paper, Sender, read
from ambroise.interfaces.cli.submission.sidecar import describe
from ambroise.interfaces.cli.submission.ways import Became, Sent, State, Way
from ambroise.interfaces.fhir_rest.faults import as_refusal
from ambroise.interfaces.web.ui.errors import explain
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger

_log = logger(__name__)
_LATER: Final = frozenset({Kind.UNAVAILABLE, Kind.THROTTLED, Kind.UNAUTHENTICATED})
"""What says nothing of the file itself: it is sent again."""
_LONGEST: Final = 300.0
_ENOUGH: Final = 3
"""Files in a row that must wait: the instance does not answer, and the others would wait too."""


class Watcher:
    """Sends the files of one folder by one way. `told` hears what becomes of each, in one line."""

    def __init__(self, folder: Folder, way: Way, sender: Sender, usual_oid: str, told: Callable[[str], None]) -> None:
        self._folder = folder
        self._way = way
        self._sender = sender
        self._usual_oid = usual_oid
        self._told = told
        self._fails = 0

    async def run(self, every: float, stop: asyncio.Event) -> None:
        """Until told to stop. Longer and longer pauses while the instance does not answer."""
        while not stop.is_set():
            await self.look()
            pause = min(_LONGEST, every * 2**self._fails)
            try:
                await asyncio.wait_for(stop.wait(), pause)
            except TimeoutError:
                continue

    async def once(self, settled: float) -> None:
        """What is whole now, and no more."""
        self._folder.take(time.monotonic())
        # Not by the event loop, which counts from a moment that is past already and may wake a little early.
        await asyncio.to_thread(time.sleep, settled)
        await self.look()

    async def look(self) -> None:
        """Take what is whole, and send what waits."""
        self._folder.take(time.monotonic())
        in_a_row = 0
        for path in self._folder.waiting():
            in_a_row = 0 if await self._send(path) else in_a_row + 1
            if in_a_row == _ENOUGH:
                break
        self._fails = min(self._fails + 1, 10) if in_a_row else 0

    async def _send(self, path: Path) -> bool:
        """Send one file and put it in its place; False when it must wait."""
        try:
            became = await self._became(path)
        except Refusal as refusal:
            if refusal.kind in _LATER:
                return self._wait(path, f"{refusal.code}: {refusal.diagnostics}")
            became = [Became(refusal=refusal)]
        except psycopg.Error as error:
            known = as_refusal(error)
            if known is None or known.kind in _LATER:
                return self._wait(path, type(error).__name__)
            became = [Became(refusal=known)]
        except Exception:
            _log.exception("watch_failed")
            return self._wait(path, "something went wrong here: see the log")
        refused = any(one.refusal for one in became)
        place = self._folder.refused if refused else self._folder.done
        kept = await asyncio.to_thread(self._folder.settle, path, place, report(path.name, became, datetime.now()))
        self._told(f"{'refused' if refused else 'filed'}\t{kept.relative_to(self._folder.root)}\t{_codes(became)}")
        return True

    async def _became(self, path: Path) -> Sequence[Became]:
        beside = self._folder.sidecar(path)
        if beside is not None:
            paper = await asyncio.to_thread(describe, path, beside, self._sender, self._usual_oid)
        else:
            paper = await asyncio.to_thread(_alone, path, self._sender)
        became = await self._way.send(paper)
        late = next((one.refusal for one in became if one.refusal and one.refusal.kind in _LATER), None)
        if late is not None:
            raise late
        return became

    def _wait(self, path: Path, why: str) -> bool:
        _log.warning("watch_waits", reason=why)
        self._told(f"waits\t{path.relative_to(self._folder.root)}\t{why}")
        return False


def _alone(path: Path, sender: Sender) -> Paper:
    """A file with nothing written beside it. Refuses SIDECAR_MISSING where something must be."""
    try:
        return read(path, sender, Described())
    except Refusal as refusal:
        if refusal.code != "METADATA_MISSING":
            raise
        text = f'Put {path.name}.json beside it, before it: {{"type": "11502-2", "patient": "INS", "title": "…"}}.'
        raise Refusal(Kind.UNPROCESSABLE, "SIDECAR_MISSING", text) from None


def report(name: str, became: Sequence[Became], at: datetime) -> str:
    """What became of a file, for the person who put it there."""
    lines = [f"{REPORT_HEAD}{name}", f"Le {at:%d/%m/%Y à %H:%M}", ""]
    for one in became:
        if one.part:
            lines.append(f"{one.part} :")
        lines += [_filed(sent) for sent in one.sent]
        if one.refusal is not None:
            lines += [
                "REFUSÉ : rien n’en a été déposé.",
                f"Pourquoi : {explain(one.refusal).text}",
                f"Précisément ({one.refusal.code}) : {one.refusal.diagnostics}",
            ]
        lines.append("")
    if any(one.refusal for one in became):
        lines.append("Que faire : corrigez, puis remettez le fichier dans le dossier surveillé. Ce qui est déjà déposé")
        lines.append("ne le sera pas deux fois.")
    return "\n".join(lines).strip() + "\n"


def _filed(sent: Sent) -> str:
    there = sent.state is State.ALREADY_THERE
    return f"{'Déjà déposé' if there else 'Déposé'} : document {sent.document}"


def _codes(became: Sequence[Became]) -> str:
    return " ".join(one.refusal.code if one.refusal else " ".join(sent.document for sent in one.sent) for one in became)
