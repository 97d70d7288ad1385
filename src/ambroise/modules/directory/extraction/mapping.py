"""Which column of an extraction file says what: configuration, in `data/extractions.toml` or a file of that form."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal


class FileKind(StrEnum):
    """The kinds of extraction files."""

    ACTIVITY = "activity"
    SKILL = "skill"
    MAILBOX = "mailbox"
    SERVICE = "service"
    DEVICE = "device"


class Columns(Struct, frozen=True):
    """How one kind of file is read. `names` gives the column of each field."""

    kind: FileKind
    begins: tuple[str, ...]
    names: Mapping[str, str]
    required: frozenset[str]
    identifier_types: Mapping[str, str]

    def places(self, header: Sequence[str]) -> Mapping[str, int]:
        """Where each field stands under this header. Refuses EXTRACTION_COLUMNS when a required column is missing."""
        at = {name.strip().strip('"'): place for place, name in enumerate(header)}
        missing = sorted(self.names[field] for field in self.required if self.names[field] not in at)
        if missing:
            raise Refusal(
                Kind.UNPROCESSABLE,
                "EXTRACTION_COLUMNS",
                f"The file has no column {', '.join(missing)}; say what its columns are called with --mapping.",
                data={"missing": missing},
            )
        return {field: at[name] for field, name in self.names.items() if name in at}


@lru_cache(maxsize=1)
def shipped() -> Mapping[FileKind, Columns]:
    """The mapping that is shipped."""
    return mapping_of((files("ambroise.modules.directory") / "data" / "extractions.toml").read_text("utf-8"))


def mapping_of(text: str) -> Mapping[FileKind, Columns]:
    """A mapping written in TOML. Refuses EXTRACTION_MAPPING."""
    try:
        raw = tomllib.loads(text)
        return {kind: _columns(kind, cast(Mapping[str, Any], raw[kind.value])) for kind in FileKind if kind in raw}
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        text = f"The mapping of columns cannot be read ({error}); its form is that of data/extractions.toml."
        raise Refusal(Kind.INVALID, "EXTRACTION_MAPPING", text) from error


def kind_of(name: str, mapping: Mapping[FileKind, Columns]) -> FileKind:
    """What an extraction file is, by its name. Refuses EXTRACTION_UNKNOWN."""
    for kind, columns in mapping.items():
        if name.lower().startswith(tuple(beginning.lower() for beginning in columns.begins)):
            return kind
    known = ", ".join(beginning for columns in mapping.values() for beginning in columns.begins[:1])
    raise Refusal(Kind.INVALID, "EXTRACTION_UNKNOWN", f"{name[:80]} begins like no extraction ({known}); say --kind.")


def _columns(kind: FileKind, raw: Mapping[str, Any]) -> Columns:
    names = {str(field): str(name) for field, name in raw["columns"].items()}
    required = frozenset(map(str, raw["required"]))
    if not required <= set(names):
        raise KeyError(f"{kind.value}: a required field has no column")
    types = cast(Mapping[str, str], raw.get("identifier_types", {}))
    return Columns(kind, tuple(raw["begins"]), names, required, dict(types))
