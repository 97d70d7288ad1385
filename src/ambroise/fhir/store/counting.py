"""How much there is of each kind, for who plans a change of the rules: numbers, nothing else."""

from __future__ import annotations

from collections.abc import Collection

from ambroise.fhir.definitions import type_number
from ambroise.fhir.store.types import Permit
from ambroise.kernel.db import Reader


async def by_kind(reader: Reader, permit: Permit, type: str, kinds: Collection[int]) -> dict[int, int]:
    """How many present resources of a type there are of each of these kinds. Looks at every one of that type."""
    rows = await reader.fetch_all(
        "select kind, count(*) from resource where type = %s and not deleted and kind = any(%s) group by kind",
        (type_number(type), sorted(kinds)),
    )
    return dict(rows)
