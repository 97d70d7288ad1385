"""Who uses a data folder: one instance at most, and any number of commands beside it."""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

_START_SECONDS = 60.0


class FolderBusy(Exception):
    """Another instance runs on the folder; the message names it."""


class FileLock:
    """A lock that the operating system drops when its holder dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def try_exclusive(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def note(self, text: str) -> None:
        """Write who holds the lock, for the message to who does not get it."""
        assert self._descriptor is not None  # noqa: S101 - a note without the lock is a programming error.
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def _try(self, how: int) -> bool:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if how == fcntl.LOCK_EX:
                self.release()
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


@contextmanager
def instance(folder: Path) -> Generator[None]:
    """Be the one instance of a data folder. Raises FolderBusy when another one runs."""
    path = folder / "instance.lock"
    lock = FileLock(path)
    if not lock.try_exclusive():
        holder = path.read_text().strip() or "another process"
        raise FolderBusy(
            f"Ambroise already runs on {folder} ({holder}). Stop it first, or choose another folder with --data."
        )
    lock.note(f"process {os.getpid()}")
    with lock:
        yield


@contextmanager
def starting(folder: Path) -> Generator[None]:
    """Be alone while the server starts or stops; waits for whoever does so now."""
    lock = FileLock(folder / "start.lock")
    deadline = time.monotonic() + _START_SECONDS
    while not lock.try_exclusive():
        if time.monotonic() > deadline:
            raise FolderBusy(
                f"Another process has been starting PostgreSQL in {folder} for {_START_SECONDS:.0f} seconds."
            )
        time.sleep(0.02)
    with lock:
        yield
