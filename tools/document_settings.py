"""Write docs/operations/settings.md from the settings themselves: `python tools/document_settings.py`."""

from __future__ import annotations

import json
import types
import typing
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from msgspec import NODEFAULT, Meta
from msgspec.structs import FieldInfo, fields

from ambroise.kernel.settings import PREFIX, Settings

PAGE = Path(__file__).parent.parent / "docs" / "operations" / "settings.md"

_HEAD = """# Settings

Written by `tools/document_settings.py`; a test keeps it true. Every setting is an environment variable. Secrets are
never values: they are paths of files that only the service's user can read.

| Variable | What it is | Values | Default |
|---|---|---|---|
"""


def page() -> str:
    return _HEAD + "\n".join(_line(field) for field in fields(Settings)) + "\n"


def _line(field: FieldInfo) -> str:
    hints = typing.get_type_hints(Settings, include_extras=True)[field.name]
    said, *_ = [one for one in typing.get_args(hints) if isinstance(one, Meta)]
    default = field.default_factory() if field.default is NODEFAULT else field.default
    values = _values(typing.get_args(hints)[0])
    return f"| `{PREFIX}{field.name.upper()}` | {said.description} | {values} | {_default(default)} |"


def _values(annotation: Any) -> str:
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in typing.get_args(annotation))
    if origin in (typing.Union, types.UnionType):
        return _values(next(part for part in typing.get_args(annotation) if part is not type(None)))
    if origin is Annotated:
        return _values(typing.get_args(annotation)[0])
    if origin in (dict, frozenset):
        return "JSON"
    return {Path: "path", int: "number", str: "text", date: "date", bool: "`true`, `false`"}[annotation]


def _default(value: Any) -> str:
    if value is None or value == {}:
        return "none"
    if isinstance(value, frozenset):
        return f"`{json.dumps(sorted(value))}`"
    return f"`{value}`"


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
