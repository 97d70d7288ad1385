"""JSON Merge Patch (RFC 7396), which some FHIR clients send: what is given replaces, null removes."""

from copy import deepcopy
from typing import Any, cast

Json = Any


def apply_merge_patch(resource: dict[str, Json], patch: dict[str, Json]) -> dict[str, Json]:
    """The resource after the patch; the argument is left as it was. Lists are replaced whole."""
    merged = dict(resource)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            before: Json = merged.get(name)
            held = cast("dict[str, Json]", before) if isinstance(before, dict) else {}
            merged[name] = apply_merge_patch(held, cast("dict[str, Json]", value))
        else:
            merged[name] = deepcopy(value)
    return merged
