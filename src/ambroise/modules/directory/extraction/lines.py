"""One line of an extraction as rows of the directory; keys are checked, what is wrong refuses the line by a code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn

from msgspec import Struct, field

from ambroise.modules.directory.extraction.mapping import Columns, FileKind
from ambroise.modules.directory.keys import adeli_valid, finess_valid, rpps_valid, siren_valid, siret_valid
from ambroise.modules.directory.model import G15, key

R95: Final = "1.2.250.1.213.1.6.1.109"
# Titles whose use is regulated, of which G15 keeps no active code (TRE_R95-UsagerTitre).
_TITLES: Final = frozenset({"71", "72", "73", "93"})
_ADDRESS: Final = re.compile(r"[^@\s|<>\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,252}[A-Za-z0-9])?")
_MAILBOXES: Final = frozenset({"PER", "ORG", "CAB", "APP"})
_PHONE: Final = re.compile(r"[\d+][\d .\-]{3,19}")
_LONGEST: Final = 300
_SEXES: Final = {"M": "M", "MME": "F", "MLLE": "F"}

_SITUATION: Final = ("mode", "genre", "function", "sector", "section", "authority")

Row = dict[str, Any]


class BadLine(Exception):
    """A line that is not taken: its code, and the identifier that it is about."""

    def __init__(self, code: str, about: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.about = about[:40]


class Rows(Struct):
    """What lines become, by table, each under its key so that a batch holds it once."""

    professionals: dict[str, Row] = field(default_factory=dict[str, Row])
    organizations: dict[str, Row] = field(default_factory=dict[str, Row])
    situations: dict[tuple[str, str], Row] = field(default_factory=dict[tuple[str, str], Row])
    skills: dict[tuple[str, str, str], Row] = field(default_factory=dict[tuple[str, str, str], Row])
    entries: dict[tuple[str, str, str], Row] = field(default_factory=dict[tuple[str, str, str], Row])
    mailboxes: dict[str, Row] = field(default_factory=dict[str, Row])
    services: dict[str, Row] = field(default_factory=dict[str, Row])
    devices: dict[str, Row] = field(default_factory=dict[str, Row])


class Reader:
    """Reads the lines of one file. `fictitious`: keys are allowed to be wrong, as those of test people are."""

    def __init__(self, columns: Columns, header: Sequence[str], *, fictitious: bool = False) -> None:
        self._columns = columns
        self._places = columns.places(header)
        self._width = len(header)
        self._fictitious = fictitious
        readers: Mapping[FileKind, Callable[[Mapping[str, str], Rows], None]] = {
            FileKind.ACTIVITY: self._activity,
            FileKind.SKILL: self._skill,
            FileKind.MAILBOX: self._mailbox,
            FileKind.SERVICE: self._service,
            FileKind.DEVICE: self._device,
        }
        self._read = readers[columns.kind]

    def read(self, line: str, rows: Rows) -> None:
        """Add what a line says to `rows`. Raises BadLine."""
        cells = line.split("|")
        # Some extractions close each line by a separator.
        if len(cells) == self._width + 1 and not cells[-1]:
            cells.pop()
        if len(cells) != self._width:
            raise BadLine("COLUMNS")
        said = {name: cells[place].strip().strip('"') for name, place in self._places.items()}
        if any(len(value) > _LONGEST or "\x00" in value for value in said.values()):
            raise BadLine("VALUE_TOO_LONG", said.get("id", ""))
        missing = [name for name in self._columns.required if not said.get(name)]
        if missing:
            raise BadLine("MISSING_" + missing[0].upper(), said.get("id", ""))
        self._read(said, rows)

    def _activity(self, said: Mapping[str, str], rows: Rows) -> None:
        id_nat, rpps = self._person(said)
        place = self._structure(said, rows, id_nat)
        profession = said["profession"]
        label = " - ".join(part for part in (said.get("profession_label"), said.get("skill_label")) if part)
        name = key(f"{said['family']} {said.get('given', '')}")
        known = rows.professionals.get(id_nat)
        city = said.get("city", "") if place else ""
        words = f" {name} {key(label)} {rpps or id_nat[1:]} {key(said.get('structure', ''))} {key(city)}"
        skill = said.get("skill", "") if said.get("skill_kind") or said.get("skill") else ""
        if known is None:
            rows.professionals[id_nat] = {
                "id_nat": id_nat,
                "rpps": rpps,
                "family": said["family"],
                "given": said.get("given", ""),
                "sex": _SEXES.get(said.get("civility", "").upper()),
                "title": said.get("title") or None,
                "civility": said.get("civility") or None,
                "category": said.get("category") or None,
                "profession": profession,
                "profession_system": R95 if profession in _TITLES else G15,
                "specialty": skill or said.get("section") or None,
                "label": label or None,
                "phone": _phone(said.get("phone", "")),
                "search": words,
                "name_key": name,
            }
        elif words not in known["search"]:
            known["search"] += words
        if skill:
            rows.skills[id_nat, said.get("skill_kind") or "S", skill] = {
                "professional": id_nat,
                "kind": said.get("skill_kind") or "S",
                "code": skill,
                "label": said.get("skill_label") or None,
            }
        if place:
            rows.situations[id_nat, place] = {
                "professional": id_nat,
                "organization": place,
                "role_title": label or None,
                **{one: said.get(one) or None for one in _SITUATION},
            }
        specialty = skill or said.get("section", "")
        rows.entries[id_nat, place, specialty] = {
            "professional": id_nat,
            "organization": place,
            "specialty": specialty,
            "profession": profession,
            "name_key": name,
            "given_key": key(f"{said.get('given', '')} {said['family']}"),
            "city_key": key(city),
            "postal": said.get("postal_code", "") if place else "",
        }

    def _structure(self, said: Mapping[str, str], rows: Rows, id_nat: str) -> str:
        """The structure of a line, empty when it has none."""
        finess, siret, siren = said.get("finess", ""), said.get("siret", ""), said.get("siren", "")
        technical = said.get("technical_id", "")
        for number, valid, code in (
            (finess, finess_valid, "FINESS_KEY"),
            (siret, siret_valid, "SIRET_KEY"),
            (siren, siren_valid, "SIREN_KEY"),
        ):
            if number and not valid(number):
                self._wrong(code, number)
        place = f"1{finess}" if finess else f"3{siret}" if siret else f"2{siren}" if siren else technical
        name = said.get("structure") or said.get("trade_name", "")
        if not place or not name:
            return ""
        street = (said.get(part, "") for part in ("number", "number_suffix", "street_type", "street"))
        rows.organizations[place] = {
            "id_nat": place,
            "name": name,
            "facility": said.get("sector") or None,
            "address_line": " ".join(part for part in street if part) or None,
            "postal_code": said.get("postal_code") or None,
            "city": said.get("city") or None,
            "commune": said.get("commune") or None,
            "country": said.get("country") or None,
            "phone": _phone(said.get("phone", "")),
            "email": said["email"] if _ADDRESS.fullmatch(said.get("email", "")) else None,
            "siret": siret or None,
            "siren": siren or None,
            "finess_legal": said.get("finess_legal") or None,
            "technical_id": technical or None,
        }
        return place

    def _skill(self, said: Mapping[str, str], rows: Rows) -> None:
        id_nat, _ = self._person(said)
        kind = said.get("kind") or "S"
        rows.skills[id_nat, kind, said["code"]] = {
            "professional": id_nat,
            "kind": kind,
            "code": said["code"],
            "label": said.get("label") or None,
        }

    def _mailbox(self, said: Mapping[str, str], rows: Rows) -> None:
        kind, address = said["kind"].upper(), said["address"].lower()
        if kind not in _MAILBOXES:
            raise BadLine("MAILBOX_KIND", said["kind"])
        if not _ADDRESS.fullmatch(address):
            raise BadLine("MAILBOX_ADDRESS")
        structure = said.get("structure", "")
        if structure and len(structure) == 9:
            structure = f"1{structure}"
        person = said.get("id_nat") or (f"8{said['id']}" if len(said.get("id", "")) == 11 else "")
        rows.mailboxes[address] = {
            "address": address,
            "kind": kind,
            "professional": person or None,
            "organization": structure or None,
            "service": said.get("service") or None,
        }

    def _service(self, said: Mapping[str, str], rows: Rows) -> None:
        kinds = ("social-equipment", "healthcare-activity")
        if said["kind"] not in kinds:
            raise BadLine("SERVICE_KIND", said["id"])
        place = self._finess(said)
        fields = ("category", "type", "characteristic", "label")
        rows.services[said["id"]] = {
            "id": self._logical_id(said["id"]),
            "organization": place,
            "kind": said["kind"],
            **{one: said.get(one) or None for one in fields},
        }

    def _device(self, said: Mapping[str, str], rows: Rows) -> None:
        status = said.get("status") or "active"
        if status not in ("active", "inactive"):
            raise BadLine("DEVICE_STATUS", said["id"])
        rows.devices[said["id"]] = {
            "id": self._logical_id(said["id"]),
            "organization": self._finess(said),
            **{one: said.get(one) or None for one in ("type", "manufacturer", "model")},
            "status": status,
        }

    def _person(self, said: Mapping[str, str]) -> tuple[str, str | None]:
        """The national identifier of the person, and the RPPS if that is what it is made of."""
        number = said["id"]
        match self._columns.identifier_types.get(said["id_type"]):
            case "RPPS":
                if not rpps_valid(number):
                    self._wrong("RPPS_KEY", number)
                if len(number) != 11:
                    raise BadLine("RPPS_KEY", number)
                id_nat, rpps = f"8{number}", number
            case "ADELI":
                if not adeli_valid(number):
                    self._wrong("ADELI_SHAPE", number)
                id_nat, rpps = f"0{number}", None
            case _:
                raise BadLine("IDENTIFIER_TYPE", number)
        if said.get("id_nat", id_nat) not in ("", id_nat):
            raise BadLine("IDENTIFIERS_DIFFER", number)
        return id_nat, rpps

    def _finess(self, said: Mapping[str, str]) -> str:
        if not finess_valid(said["finess"]):
            self._wrong("FINESS_KEY", said["finess"])
        return f"1{said['finess']}"

    def _logical_id(self, text: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9.\-]{1,64}", text):
            raise BadLine("IDENTIFIER", text)
        return text

    def _wrong(self, code: str, number: str) -> None:
        if not self._fictitious:
            _bad(code, number)


def _bad(code: str, about: str) -> NoReturn:
    raise BadLine(code, about)


def _phone(text: str) -> str | None:
    return text if _PHONE.fullmatch(text) else None
