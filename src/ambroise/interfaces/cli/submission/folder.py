"""A folder that is watched: which of its files are whole, and where each goes once its fate is known.

A file is taken by renaming it into `working/`, and leaves that for `done/` or `refused/` once a report stands there: at
any instant, a crash included, it is in one of the four places, and what waits in `working/` is sent again.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.postgres.locks import FileLock

_LOCK: Final = ".ambroise-watch.lock"
_REPORT: Final = ".txt"
REPORT_HEAD: Final = "Fichier : "
"""How a report begins."""
_HEAD: Final = REPORT_HEAD.encode()
SIDECAR: Final = ".json"
_UNFINISHED: Final = (".tmp", ".part", ".partial", ".filepart", ".crdownload", "~")
_NOT_OURS: Final = frozenset({"thumbs.db", "desktop.ini"})
_ALONE: Final = frozenset({".xml", ".zip"})
"""Files that say themselves what they are; for another, what is written beside it is waited for a while."""


class State(Struct, frozen=True):
    """A file as it was seen, and since when it has been so (seconds of a clock that only goes forward)."""

    mark: tuple[int, int, int]
    since: float


class Folder:
    """The watched folder."""

    def __init__(self, root: Path, *, settled: float, patience: float) -> None:
        """`settled`: seconds without a change that make a file whole; `patience`: those that a side-car is waited."""
        self.root = root
        self.working, self.done, self.refused = root / "working", root / "done", root / "refused"
        self._settled = settled
        self._patience = patience
        self._seen: dict[Path, State] = {}

    @contextmanager
    def held(self) -> Generator[None]:
        """Be the one watcher of the folder. Refuses FOLDER_UNUSABLE, FOLDER_WATCHED."""
        lock = FileLock(self.root / _LOCK)
        try:
            for place in (self.working, self.done, self.refused):
                place.mkdir(exist_ok=True)
            alone = lock.try_exclusive()
        except OSError as error:
            text = f"{self.root}: {error.strerror}. Give a folder where this program may write."
            raise Refusal(Kind.INVALID, "FOLDER_UNUSABLE", text) from None
        if not alone:
            raise Refusal(Kind.CONFLICT, "FOLDER_WATCHED", f"Another program watches {self.root}: stop it first.")
        with lock:
            yield

    def take(self, now: float) -> None:
        """Move what is whole into `working/`, each with what is written beside it first."""
        self._look(now)
        for path, state in sorted(self._seen.items()):
            if path.suffix.lower() == SIDECAR or now - state.since < self._settled:
                continue
            beside = self._beside(path, self.root)
            if beside is not None and now - self._seen[beside].since < self._settled:
                continue
            if beside is None and self._awaits(path) and now - state.since < self._patience:
                continue
            name = _free(self.working, path.name)
            if beside is not None:
                os.replace(beside, self.working / f"{name}{SIDECAR}")
                del self._seen[beside]
            os.replace(path, self.working / name)
            del self._seen[path]

    def waiting(self) -> list[Path]:
        """What is to be sent, in order."""
        return sorted(path for path in self._files(self.working) if path.suffix.lower() != SIDECAR)

    def sidecar(self, path: Path) -> Path | None:
        """What is written beside a file of `working/`."""
        found = path.with_name(f"{path.name}{SIDECAR}")
        return found if found.exists() else None

    def settle(self, path: Path, place: Path, report: str) -> Path:
        """Move a file out of `working/`, its report first; where it is now."""
        name = _free(place, path.name)
        part = place / f".{name}.part"
        part.write_text(report, encoding="utf-8")
        os.replace(part, place / f"{name}{_REPORT}")
        beside = self.sidecar(path)
        os.replace(path, place / name)
        if beside is not None:
            os.replace(beside, place / f"{name}{SIDECAR}")
        return place / name

    def _look(self, now: float) -> None:
        """Note how each file is now, and since when."""
        seen: dict[Path, State] = {}
        for path in self._files(self.root):
            try:
                found = path.stat()
            except FileNotFoundError:
                continue
            mark = (found.st_ino, found.st_size, found.st_mtime_ns)
            before = self._seen.get(path)
            seen[path] = before if before is not None and before.mark == mark else State(mark, now)
        self._seen = seen

    def _awaits(self, path: Path) -> bool:
        taken = path.with_name(f"{path.name}{SIDECAR}").name
        return path.suffix.lower() not in _ALONE and not (self.working / taken).exists()

    def _beside(self, path: Path, place: Path) -> Path | None:
        """`report.pdf.json` or `report.json`."""
        for name in (f"{path.name}{SIDECAR}", f"{path.stem}{SIDECAR}"):
            if place / name in self._seen:
                return place / name
        return None

    @staticmethod
    def _files(place: Path) -> Iterable[Path]:
        """The files of a folder that somebody put there to be sent: no links, nothing hidden or unfinished."""
        for path in place.iterdir():
            name = path.name.lower()
            if path.is_symlink() or not path.is_file() or name.startswith(".") or name in _NOT_OURS:
                continue
            if not name.endswith(_UNFINISHED):
                yield path


def _free(place: Path, name: str) -> str:
    """This name, or one like it that no file of the place has; a report without its file is written again."""
    stem, suffix = Path(name).stem, Path(name).suffix
    chosen, number = name, 1
    while (place / chosen).exists() or _is_other(place / f"{chosen}{_REPORT}"):
        number += 1
        chosen = f"{stem}-{number}{suffix}"
    return chosen


def _is_other(path: Path) -> bool:
    """Whether something that is no report of ours has its name."""
    try:
        with path.open("rb") as file:
            return file.read(len(_HEAD)) != _HEAD
    except FileNotFoundError:
        return False
