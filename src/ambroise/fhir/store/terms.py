"""Search terms: 64-bit hashes that stand in a resource's `terms` and that a search computes again.

Each form has its own letter and the number of its parameter, so that no two forms can be taken for each other.
Codes are compared without case, as R4 advises when in doubt.
"""

from functools import lru_cache

from ambroise.kernel.ids import hash64

_MANY = 16_384
_FEW = 4_096


def system_and_code(parameter: int, system: str, code: str) -> int:
    """`system|code`"""
    return hash64(f"{parameter}\x1fb\x1f{system}\x1f{code.lower()}")


def code_in_any_system(parameter: int, code: str) -> int:
    """`code`"""
    return hash64(f"{parameter}\x1fc\x1f{code.lower()}")


def code_without_system(parameter: int, code: str) -> int:
    """`|code`"""
    return hash64(f"{parameter}\x1fn\x1f{code.lower()}")


def any_code_of(parameter: int, system: str) -> int:
    """`system|`"""
    return hash64(f"{parameter}\x1fs\x1f{system}")


@lru_cache(_MANY)
def of_token(parameter: int, system: str | None, code: str | None) -> tuple[int, ...]:
    """Every form that a stored token answers to."""
    if code is None:
        return (any_code_of(parameter, system),) if system else ()
    any_system = code_in_any_system(parameter, code)
    if not system:
        return any_system, code_without_system(parameter, code)
    return any_system, system_and_code(parameter, system, code), any_code_of(parameter, system)


def of_type(parameter: int, type_system: str, type_code: str, value: str) -> int:
    """`:of-type` on an identifier; an empty system stands for any."""
    return hash64(f"{parameter}\x1ft\x1f{type_system}\x1f{type_code.lower()}\x1f{value.lower()}")


def uri(parameter: int, address: str) -> int:
    """A uri, exactly."""
    return hash64(f"{parameter}\x1fu\x1f{address}")


def below(parameter: int, address: str) -> int:
    """A uri that is `address` or lies under it."""
    return hash64(f"{parameter}\x1fd\x1f{address.rstrip('/')}")


@lru_cache(_FEW)
def of_uri(parameter: int, address: str) -> tuple[int, ...]:
    """Every form that a stored uri answers to: itself, itself without a version, and what lies above it."""
    bare = address.partition("|")[0]
    return tuple(
        {uri(parameter, form) for form in (address, bare)} | {below(parameter, above) for above in ancestors(bare)}
    )


@lru_cache(_FEW)
def reference_mask(parameter: int) -> int:
    """What turns a handle into the term of a reference. SQL does the same: `handle # mask`."""
    return hash64(f"{parameter}\x1fr")


@lru_cache(_MANY)
def handle(target: str) -> int:
    """The handle of `Type/id`, of a URL or of a canonical."""
    return hash64(f"\x1fh\x1f{target}")


def reference(parameter: int, target: str) -> int:
    """A reference to `target`."""
    return handle(target) ^ reference_mask(parameter)


@lru_cache(_FEW)
def unit(system: str, code: str) -> int:
    """The unit of a quantity, `system|code`; an empty system stands for any, and for the unit as people write it."""
    return hash64(f"\x1fq\x1f{system}\x1f{code}")


def ancestors(address: str) -> list[str]:
    """A uri and every shorter path above it, longest first: `a://b/c/d`, `a://b/c`, `a://b`."""
    found = [address.rstrip("/")]
    start = address.find("://") + 3 if "://" in address else 0
    end = found[0].rfind("/")
    while end > start:
        found.append(address[:end])
        end = address.rfind("/", 0, end)
    return found
