"""Identifiers that carry their shard.

A UUIDv7 has 48 bits of milliseconds, 12 bits `rand_a` and 62 bits `rand_b`. We keep the shard (0 to 1023) in the
10 low bits of `rand_a`, so that a read by id knows its shard without a lookup. The two high bits of `rand_a` stay
random.
"""

import hashlib
import os
import time
from uuid import UUID

SHARDS = 1024

_SHARD_MASK = SHARDS - 1
_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62
_RAND_B = (1 << 62) - 1


def new_id(shard: int | None = None) -> UUID:
    """Make a time-ordered id on `shard`, or on a random shard."""
    noise = int.from_bytes(os.urandom(10), "big")
    rand_a = noise >> 62 & 0xFFF
    if shard is not None:
        if not 0 <= shard < SHARDS:
            raise ValueError(f"a shard lies between 0 and {SHARDS - 1}, not {shard}")
        rand_a = rand_a & ~_SHARD_MASK | shard
    milliseconds = time.time_ns() // 1_000_000 & 0xFFFF_FFFF_FFFF
    return UUID(int=milliseconds << 80 | _VERSION_7 | rand_a << 64 | _VARIANT | noise & _RAND_B)


def shard_of(id: UUID) -> int:
    """Read the shard that an id carries."""
    return id.int >> 64 & _SHARD_MASK


def hash64(text: str) -> int:
    """Hash a search term to a signed 64-bit integer, the same on every machine and for ever."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
