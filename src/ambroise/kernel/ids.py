"""Identifiers that carry their shard.

A UUIDv7 has 48 bits of milliseconds, 12 bits `rand_a` and 62 bits `rand_b`. We keep the shard (0 to 1023) in the
10 low bits of `rand_a`, so that a read by id knows its shard without a lookup. The two high bits of `rand_a` stay
random.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from uuid import UUID

SHARDS = 1024

_SHARD_MASK = SHARDS - 1
_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62
_RAND_B = (1 << 62) - 1


_NOISE_BYTES = 10
_TAKEN_AT_ONCE = 256


class _Noise:
    """Random bytes, taken from the system many at a time. No two callers get the same, in threads and forks either."""

    def __init__(self) -> None:
        self.forget()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """Let go of what was taken: after a fork, another process has it too."""
        self._taken: Iterator[bytes] = iter(())

    def next(self) -> int:
        # Advancing an iterator is one step: no other thread gets the same bytes.
        noise = next(self._taken, None)
        while noise is None:
            block = os.urandom(_NOISE_BYTES * _TAKEN_AT_ONCE)
            places = range(0, len(block), _NOISE_BYTES)
            self._taken = iter([block[place : place + _NOISE_BYTES] for place in places])
            noise = next(self._taken, None)
        return int.from_bytes(noise, "big")


_noise = _Noise()


def new_id(shard: int | None = None) -> UUID:
    """Make a time-ordered id on `shard`, or on a random shard."""
    noise = _noise.next()
    rand_a = noise >> 62 & 0xFFF
    if shard is not None:
        if not 0 <= shard < SHARDS:
            raise ValueError(f"a shard lies between 0 and {SHARDS - 1}, not {shard}")
        rand_a = rand_a & ~_SHARD_MASK | shard
    milliseconds = time.time_ns() // 1_000_000 & 0xFFFF_FFFF_FFFF
    return UUID(int=milliseconds << 80 | _VERSION_7 | rand_a << 64 | _VARIANT | noise & _RAND_B)


def random_id() -> UUID:
    """A UUID of nothing but chance (version 4), for names outside this house: the system is asked once for many."""
    return UUID(int=_noise.next() << 48 | _noise.next() >> 32, version=4)


def shard_of(id: UUID) -> int:
    """Read the shard that an id carries."""
    return id.int >> 64 & _SHARD_MASK


def hash64(text: str) -> int:
    """Hash a search term to a signed 64-bit integer, the same on every machine and for ever."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
