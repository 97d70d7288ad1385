"""JSON Patch (RFC 6902) on a decoded resource.

The values that a patch does not touch are the same objects before and after, so a decimal keeps its text.
"""

from collections.abc import Sequence
from copy import deepcopy
from decimal import Decimal
from typing import Any, cast

from ambroise.fhir.patch.errors import malformed, not_applicable, test_failed

Json = Any
_OPERATIONS = frozenset({"add", "remove", "replace", "move", "copy", "test"})
MAX_OPERATIONS = 1000
_MAX_COPIED_NODES = 1_000_000
"""`copy` may double a document at each operation: the sum of what is copied in one patch stays below this."""


def apply_json_patch(resource: dict[str, Json], patch: Json) -> dict[str, Json]:
    """The resource after every operation, or a Refusal: all or nothing, and the argument is left as it was."""
    if not isinstance(patch, list):
        raise malformed("A JSON Patch is an array of operations; see RFC 6902.")
    operations = cast("list[Json]", patch)
    if len(operations) > MAX_OPERATIONS:
        raise malformed(f"A patch holds at most {MAX_OPERATIONS} operations; this one has {len(operations)}.")
    document: Json = deepcopy(resource)
    budget = _CopyBudget()
    for number, operation in enumerate(operations):
        document = _apply(document, _checked(operation, number), budget)
    if not isinstance(document, dict):
        raise not_applicable("After this patch the document is no longer a JSON object.")
    return cast("dict[str, Json]", document)


class _CopyBudget:
    def __init__(self) -> None:
        self.left = _MAX_COPIED_NODES

    def copy(self, value: Json) -> Json:
        self.left -= _weight(value)
        if self.left < 0:
            raise not_applicable("The copies of this patch make the resource too large.")
        return deepcopy(value)


def _weight(value: Json) -> int:
    if isinstance(value, dict):
        return 1 + sum(_weight(item) for item in cast("dict[str, Json]", value).values())
    if isinstance(value, list):
        return 1 + sum(_weight(item) for item in cast("list[Json]", value))
    return 1 + len(value) // 64 if isinstance(value, str) else 1


def _checked(operation: Json, number: int) -> dict[str, Json]:
    where = f"operation {number}"
    if not isinstance(operation, dict):
        raise malformed(f"{where} is not an object.")
    fields = cast("dict[str, Json]", operation)
    name = fields.get("op")
    if not isinstance(name, str) or name not in _OPERATIONS:
        raise malformed(f"{where}: `op` must be one of {', '.join(sorted(_OPERATIONS))}.")
    if not isinstance(fields.get("path"), str):
        raise malformed(f"{where}: `path` must be a JSON Pointer.")
    if name in ("add", "replace", "test") and "value" not in fields:
        raise malformed(f"{where}: `{name}` needs a `value`.")
    if name in ("move", "copy") and not isinstance(fields.get("from"), str):
        raise malformed(f"{where}: `{name}` needs `from`, a JSON Pointer.")
    return fields


def _apply(document: Json, operation: dict[str, Json], budget: _CopyBudget) -> Json:
    name: str = operation["op"]
    path: str = operation["path"]
    tokens = _pointer(path)
    match name:
        case "add":
            return _add(document, tokens, deepcopy(operation["value"]), path)
        case "remove":
            return _remove(document, tokens, path)[0]
        case "replace":
            return _replace(document, tokens, deepcopy(operation["value"]), path)
        case "test":
            if not same_json(_get(document, tokens, path), operation["value"]):
                raise test_failed(f"The value at `{path}` is not the expected one; read the resource again.")
            return document
        case "copy":
            source = _get(document, _pointer(operation["from"]), operation["from"])
            return _add(document, tokens, budget.copy(source), path)
        case _:
            source_tokens = _pointer(operation["from"])
            if len(tokens) > len(source_tokens) and tokens[: len(source_tokens)] == source_tokens:
                raise not_applicable(f"`{operation['from']}` cannot move inside itself.")
            document, moved = _remove(document, source_tokens, operation["from"])
            return _add(document, tokens, moved, path)


def _pointer(text: str) -> tuple[str, ...]:
    """The reference tokens of a JSON Pointer (RFC 6901)."""
    if text == "":
        return ()
    if not text.startswith("/"):
        raise malformed(f"`{text}` is not a JSON Pointer: it must be empty or begin with a slash.")
    tokens = text[1:].split("/")
    for token in tokens:
        if token.replace("~0", "").replace("~1", "").count("~"):
            raise malformed(f"`{text}`: in a JSON Pointer a tilde is written ~0 and a slash ~1.")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in tokens)


def _index(token: str, length: int, path: str, *, appending: bool) -> int:
    if appending and token == "-":  # noqa: S105 - a token of a JSON Pointer.
        return length
    if not (token.isascii() and token.isdigit()) or (len(token) > 1 and token[0] == "0"):
        raise not_applicable(f"`{path}`: `{token}` is not an index of the array.")
    if len(token) > 9 or (index := int(token)) > (length if appending else length - 1):
        raise not_applicable(f"`{path}`: the array has {length} items, there is no place {token}.")
    return index


def _get(document: Json, tokens: Sequence[str], path: str) -> Json:
    here = document
    for token in tokens:
        if isinstance(here, dict):
            members = cast("dict[str, Json]", here)
            if token not in members:
                raise not_applicable(f"`{path}`: there is no `{token}` in the resource.")
            here = members[token]
        elif isinstance(here, list):
            items = cast("list[Json]", here)
            here = items[_index(token, len(items), path, appending=False)]
        else:
            raise not_applicable(f"`{path}`: `{token}` is looked for inside a simple value.")
    return here


def _add(document: Json, tokens: Sequence[str], value: Json, path: str) -> Json:
    if not tokens:
        return value
    parent = _get(document, tokens[:-1], path)
    last = tokens[-1]
    if isinstance(parent, list):
        items = cast("list[Json]", parent)
        items.insert(_index(last, len(items), path, appending=True), value)
    elif isinstance(parent, dict):
        parent[last] = value
    else:
        raise not_applicable(f"`{path}`: nothing can be added inside a simple value.")
    return document


def _remove(document: Json, tokens: Sequence[str], path: str) -> tuple[Json, Json]:
    if not tokens:
        return None, document
    parent = _get(document, tokens[:-1], path)
    last = tokens[-1]
    removed = _get(parent, (last,), path)
    if isinstance(parent, list):
        del parent[int(last)]
    else:
        del parent[last]
    return document, removed


def _replace(document: Json, tokens: Sequence[str], value: Json, path: str) -> Json:
    if not tokens:
        return value
    parent = _get(document, tokens[:-1], path)
    last = tokens[-1]
    _get(parent, (last,), path)
    parent[int(last) if isinstance(parent, list) else last] = value
    return document


def same_json(left: Json, right: Json) -> bool:
    """Equality of RFC 6902 §4.6: numbers by value, so 20.0 equals 20.00; true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | Decimal | float) and isinstance(right, int | Decimal | float):
        return left == right
    if isinstance(left, dict) and isinstance(right, dict):
        a, b = cast("dict[str, Json]", left), cast("dict[str, Json]", right)
        return a.keys() == b.keys() and all(same_json(a[key], b[key]) for key in a)
    if isinstance(left, list) and isinstance(right, list):
        xs, ys = cast("list[Json]", left), cast("list[Json]", right)
        return len(xs) == len(ys) and all(same_json(x, y) for x, y in zip(xs, ys, strict=True))
    return bool(left == right) and isinstance(left, str) is isinstance(right, str)
