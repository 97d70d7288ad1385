"""Passwords: what is accepted (CNIL deliberation 2022-100), how they are kept (argon2id)."""

from __future__ import annotations

import asyncio
import gzip
import re
import unicodedata
from enum import StrEnum
from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from ambroise.modules.identity.model import PasswordHash

SHORTEST = 12
SHORTEST_OF_FOUR_CLASSES = 9
LONGEST = 256
_FEWEST_DISTINCT = 5

# OWASP's second choice for argon2id: 19 MiB and two passes, about 25 ms here.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

_LOOK_ALIKES = str.maketrans("0134578@$!", "oieastbasi")
_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "azertyuiopqsdfghjklmwxcvbn",
    "qwertyuiopasdfghjklzxcvbnm",
    "01234567890123456789",
)


class Weakness(StrEnum):
    """Why a password is refused."""

    TOO_SHORT = "PASSWORD_TOO_SHORT"
    TOO_LONG = "PASSWORD_TOO_LONG"
    CLASSES = "PASSWORD_CLASSES"
    COMMON = "PASSWORD_COMMON"
    PERSONAL = "PASSWORD_PERSONAL"
    REPETITIVE = "PASSWORD_REPETITIVE"


def weakness(password: str, *personal: str) -> Weakness | None:
    """Why this password is too easy to guess, or None. `personal`: the names that it must not contain.

    Twelve characters of any sort give at least 56 bits, above the 50 that a throttled sign-in asks for.
    """
    return Weakness.TOO_SHORT if len(password) < SHORTEST else _guessable(password, personal)


def citizen_weakness(password: str, *personal: str) -> Weakness | None:
    """Why a citizen may not take this password: nine characters of four classes (as Mon espace santé asks), or twelve.

    Lower case, upper case, digit, special. Twelve of any sort are as strong (CNIL deliberation 2022-100).
    """
    if len(password) < SHORTEST_OF_FOUR_CLASSES:
        return Weakness.TOO_SHORT
    if len(password) < SHORTEST and not _has_four_classes(password):
        return Weakness.CLASSES
    return _guessable(password, personal)


def _has_four_classes(password: str) -> bool:
    return (
        any(one.islower() for one in password)
        and any(one.isupper() for one in password)
        and any(one.isdigit() for one in password)
        and any(not one.isalnum() for one in password)
    )


def _guessable(password: str, personal: tuple[str, ...]) -> Weakness | None:
    plain = _plain(password)
    if len(password) > LONGEST:
        return Weakness.TOO_LONG
    if len(set(plain)) < _FEWEST_DISTINCT or _is_a_run(plain):
        return Weakness.REPETITIVE
    if any(len(part) >= 4 and part in plain for name in personal for part in re.split(r"\W+", _plain(name))):
        return Weakness.PERSONAL
    if _is_common(plain):
        return Weakness.COMMON
    return None


def hash_password(password: str) -> PasswordHash:
    """Hash a password for keeping. Takes some 25 ms of processor on purpose: call it in a thread from a server."""
    return PasswordHash(_hasher.hash(unicodedata.normalize("NFKC", password)))


async def hash_in_thread(password: str) -> PasswordHash:
    """Hash a password without making the other requests wait."""
    return await asyncio.to_thread(hash_password, password)


async def matches(kept: str | None, password: str) -> bool:
    """Whether this is the password kept. Takes the same time when nothing is kept."""
    return await asyncio.to_thread(_matches, kept, password)


def needs_rehash(kept: str) -> bool:
    """Whether the hash was made with parameters that are no longer ours."""
    return _hasher.check_needs_rehash(kept)


def _matches(kept: str | None, password: str) -> bool:
    if len(password) > LONGEST:
        return False
    try:
        return _hasher.verify(kept or _nobody(), unicodedata.normalize("NFKC", password)) and kept is not None
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """A hash that no password matches but that costs the same to try."""
    return _hasher.hash("nobody has this password")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()


def _is_a_run(plain: str) -> bool:
    halves = {plain[:size] for size in range(1, len(plain) // 2 + 1) if plain == plain[:size] * (len(plain) // size)}
    return bool(halves) or any(plain in run or plain[::-1] in run for run in _RUNS)


def _is_common(plain: str) -> bool:
    core = _EDGES.sub("", plain)
    letters = plain.strip("!?.,;:-_*+$@# ").translate(_LOOK_ALIKES)
    candidates = {plain, core, letters, _EDGES.sub("", letters)}
    return not candidates.isdisjoint(_common())


@cache
def _common() -> frozenset[str]:
    data = files("ambroise.modules.identity").joinpath("data")
    ours = data.joinpath("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    counted = gzip.decompress(data.joinpath("common_passwords.gz").read_bytes()).decode().splitlines()
    return frozenset(counted).union(line for line in ours if line and not line.startswith("#"))
