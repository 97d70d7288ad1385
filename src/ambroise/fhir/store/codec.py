"""Bodies as they lie in the database: zstd with a trained dictionary, whose number is the first byte.

Number 0 means no dictionary. Dictionaries belong to the package and never change once used (tools/train_dictionary.py).
"""

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from threading import local
from typing import Final

import zstandard

from ambroise.kernel.db import Transaction

CURRENT: Final = 1
_LEVEL: Final = 3
_MOST_BYTES: Final = 128 * 1024 * 1024
_PLAIN: Final = 0


class _Tools(local):
    """zstd contexts are not for two threads at once."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(
            level=_LEVEL, dict_data=_dictionary(CURRENT), write_checksum=False, write_dict_id=False
        )
        self.decompress = _Decompress({_PLAIN: zstandard.ZstdDecompressor().decompress})


class _Decompress(dict[int, Callable[[bytes, int], bytes]]):
    """What opens bodies, by the number of their dictionary."""

    def __missing__(self, number: int) -> Callable[[bytes, int], bytes]:
        found = self[number] = zstandard.ZstdDecompressor(dict_data=_dictionary(number)).decompress
        return found


def pack(body: bytes) -> bytes:
    """The stored form of `body`."""
    return _PREFIX + _tools.compressor.compress(body)


def unpack(packed: bytes) -> bytes:
    """The body that `pack` was given; empty for the empty body of a deleted resource."""
    if not packed:
        return b""
    return _tools.decompress[packed[0]](packed[1:], _MOST_BYTES)


@cache
def content(number: int) -> bytes:
    """The bytes of a dictionary. Raises FileNotFoundError for a number that this version does not know."""
    return files("ambroise.fhir.store").joinpath("dictionaries", f"{number:03}.zstd").read_bytes()


@cache
def _dictionary(number: int) -> zstandard.ZstdCompressionDict:
    dictionary = zstandard.ZstdCompressionDict(content(number))
    if number == CURRENT:
        dictionary.precompute_compress(level=_LEVEL)  # pyright: ignore[reportUnknownMemberType]
    return dictionary


async def keep_dictionaries(tx: Transaction) -> None:
    """Put the dictionaries in use into the database, so that a dump holds all that reading it takes. Safe to repeat."""
    for number in range(1, CURRENT + 1):
        await tx.execute(
            "insert into dictionary (number, sha256, content) values (%s, %s, %s) on conflict (number) do nothing",
            (number, sha256(content(number)).digest(), content(number)),
        )


_PREFIX: Final = bytes([CURRENT])
_tools: Final = _Tools()
