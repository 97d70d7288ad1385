"""Write docs/operations/settings.md from the settings themselves: `python tools/document_settings.py`."""

from __future__ import annotations

import json
import types
import typing
from datetime import date
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from ambroise.kernel.settings import Settings

PAGE = Path(__file__).parent.parent / "docs" / "operations" / "settings.md"

_HEAD = """# Settings

Written by `tools/document_settings.py`; a test keeps it true. Every setting is an environment variable. Secrets are
never values: they are paths of files that only the service's user can read.

| Variable | What it is | Values | Default |
|---|---|---|---|
"""


def page() -> str:
    return _HEAD + "\n".join(_line(name, field) for name, field in Settings.model_fields.items()) + "\n"


def _line(name: str, field: FieldInfo) -> str:
    return (
        f"| `AMBROISE_{name.upper()}` | {field.description} | {_values(field.annotation)} | {_default(field.default)} |"
    )


def _values(annotation: Any) -> str:
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in typing.get_args(annotation))
    if origin in (typing.Union, types.UnionType):
        return _values(next(part for part in typing.get_args(annotation) if part is not type(None)))
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
