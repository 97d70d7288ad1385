"""The content of an INS datamatrix (ANS, « INS : Format datamatrix », v2.2, 26 September 2023): written and read.

A header of 26 characters (`IS`, the version, 22 zeros), then blocks `S1` to `S7`. A block of variable length ends at
the separator GS unless it has its maximum length or is the last one; the blocks may come in any order.
"""

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final, NoReturn

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.ins import (
    INS_OIDS,
    Difference,
    Gap,
    Ins,
    Sex,
    Trait,
    Traits,
    differences,
    matricule_is_valid,
    normal_name,
    starts_with_first_name,
)

GS: Final = "\x1d"
VERSION: Final = "01"
HEADER: Final = f"IS{VERSION}{'0' * 22}"
LONGEST: Final = 400

# How some readers hand over what surrounds the content: the symbology (ISO/IEC 15424) and a separator in letters.
_SYMBOLOGY: Final = re.compile(r"^\]d[0-6]")
_SEPARATOR_IN_WORDS: Final = "<GS>"
_PLACE: Final = re.compile(r"\d{5}|2[AB]\d{3}")
_NAME: Final = re.compile(r"[A-Z' \-]+")
_DATE: Final = re.compile(r"(\d{2})-(\d{2})-(\d{4})")


class Problem(StrEnum):
    """Why a content is no INS datamatrix; pages have a sentence for each."""

    OTHER_SYMBOL = "other_symbol"
    VERSION = "version"
    HEADER = "header"
    TOO_LONG = "too_long"
    BLOCK_UNKNOWN = "block_unknown"
    BLOCK_TWICE = "block_twice"
    BLOCK_MISSING = "block_missing"
    LENGTH = "length"
    MATRICULE = "matricule"
    OID = "oid"
    NAME = "name"
    SEX = "sex"
    BIRTH_DATE = "birth_date"
    BIRTH_PLACE = "birth_place"


class Block(Struct, frozen=True):
    """One block: its tag, its shortest and its longest value."""

    tag: str
    shortest: int
    longest: int

    @property
    def fixed(self) -> bool:
        return self.shortest == self.longest


MATRICULE: Final = Block("S1", 15, 15)
OID: Final = Block("S2", 19, 20)
GIVEN_NAMES: Final = Block("S3", 1, 100)
BIRTH_NAME: Final = Block("S4", 1, 100)
SEX: Final = Block("S5", 1, 1)
BIRTH_DATE: Final = Block("S6", 10, 10)
BIRTH_PLACE: Final = Block("S7", 5, 5)
BLOCKS: Final = (MATRICULE, OID, GIVEN_NAMES, BIRTH_NAME, SEX, BIRTH_DATE, BIRTH_PLACE)
_BY_TAG: Final = {block.tag: block for block in BLOCKS}


class Scanned(Struct, frozen=True):
    """A qualified identity as a datamatrix states it; the birth place may be absent."""

    ins: Ins
    given_names: str
    birth_name: str
    sex: Sex
    birth_date: date
    birth_place: str | None = None

    @property
    def traits(self) -> Traits:
        """The traits stated: the list of first names, which does not tell the first first-name."""
        return Traits(
            birth_name=self.birth_name,
            given_names=self.given_names,
            birth_date=self.birth_date,
            sex=self.sex,
            birth_place=self.birth_place,
        )

    def differences_from(self, reference: Traits) -> tuple[Difference, ...]:
        """What the symbol states otherwise than a registry; what it leaves unsaid is no difference."""
        found = [one for one in differences(reference, self.traits) if one.gap is Gap.DIFFERS]
        first = reference.first_given
        if first and not reference.given_names and not starts_with_first_name(self.given_names, first):
            found.append(Difference(Trait.FIRST_GIVEN, Gap.DIFFERS))
        return tuple(found)


def written(said: Scanned) -> str:
    """The content for an identity; names are written as the INSi service writes them.

    Raises Refusal DATAMATRIX_INVALID when a value has no place in a datamatrix.
    """
    values = {
        MATRICULE: said.ins.matricule,
        OID: said.ins.oid,
        GIVEN_NAMES: _normal(GIVEN_NAMES, said.given_names),
        BIRTH_NAME: _normal(BIRTH_NAME, said.birth_name),
        SEX: said.sex.value,
        BIRTH_DATE: said.birth_date.strftime("%d-%m-") + f"{said.birth_date.year:04}",
    }
    if said.birth_place:
        values[BIRTH_PLACE] = said.birth_place.upper()
    parts = [HEADER]
    for position, (block, value) in enumerate(values.items(), start=1):
        if not block.shortest <= len(value) <= block.longest:
            _refuse(Problem.LENGTH, block)
        closed = block.fixed or len(value) == block.longest or position == len(values)
        parts.append(f"{block.tag}{value}{'' if closed else GS}")
    content = "".join(parts)
    read(content)
    return content


def read(content: str) -> Scanned:
    """The identity that a datamatrix states. Raises DATAMATRIX_INVALID, with `data["problem"]` and the block."""
    blocks = _blocks(_body(content))
    for block in BLOCKS[:-1]:
        if block not in blocks:
            _refuse(Problem.BLOCK_MISSING, block)
    return Scanned(
        ins=_ins(blocks[MATRICULE], blocks[OID]),
        given_names=_name(GIVEN_NAMES, blocks[GIVEN_NAMES]),
        birth_name=_name(BIRTH_NAME, blocks[BIRTH_NAME]),
        sex=_sex(blocks[SEX]),
        birth_date=_birth_date(blocks[BIRTH_DATE]),
        birth_place=_birth_place(blocks.get(BIRTH_PLACE)),
    )


def _body(content: str) -> str:
    text = _SYMBOLOGY.sub("", content.strip(" \r\n\t")).replace(_SEPARATOR_IN_WORDS, GS)
    if len(text) > LONGEST:
        _refuse(Problem.TOO_LONG)
    if not text.startswith("IS"):
        _refuse(Problem.OTHER_SYMBOL)
    if text[2:4] != VERSION:
        _refuse(Problem.VERSION)
    if text[: len(HEADER)] != HEADER:
        _refuse(Problem.HEADER)
    return text[len(HEADER) :]


def _blocks(text: str) -> Mapping[Block, str]:
    found: dict[Block, str] = {}
    position = 0
    while position < len(text):
        block = _BY_TAG.get(text[position : position + 2])
        if block is None:
            _refuse(Problem.BLOCK_UNKNOWN)
        if block in found:
            _refuse(Problem.BLOCK_TWICE, block)
        position += 2
        end = position + block.longest
        if not block.fixed and (separator := text.find(GS, position, end)) >= 0:
            end = separator
        value = text[position:end]
        if not block.shortest <= len(value) <= block.longest:
            _refuse(Problem.LENGTH, block)
        found[block] = value
        position += len(value)
        # Some writers close every block: a separator too many does no harm.
        position += text.startswith(GS, position)
    return found


def _ins(matricule: str, oid: str) -> Ins:
    if not matricule_is_valid(matricule):
        _refuse(Problem.MATRICULE, MATRICULE)
    if oid not in INS_OIDS:
        _refuse(Problem.OID, OID)
    return Ins(matricule, oid)


def _normal(block: Block, text: str) -> str:
    try:
        return normal_name(text)
    except ValueError:
        _refuse(Problem.NAME, block)


def _name(block: Block, text: str) -> str:
    if not _NAME.fullmatch(text) or not any(sign.isalpha() for sign in text):
        _refuse(Problem.NAME, block)
    return text


def _sex(text: str) -> Sex:
    if text not in (Sex.MALE, Sex.FEMALE):
        _refuse(Problem.SEX, SEX)
    return Sex(text)


def _birth_date(text: str) -> date:
    match = _DATE.fullmatch(text)
    try:
        if match and text.isascii():
            return date(int(match[3]), int(match[2]), int(match[1]))
    except ValueError:
        pass
    _refuse(Problem.BIRTH_DATE, BIRTH_DATE)


def _birth_place(text: str | None) -> str | None:
    if text is not None and not (text.isascii() and _PLACE.fullmatch(text)):
        _refuse(Problem.BIRTH_PLACE, BIRTH_PLACE)
    return text


_WORDS: Final[Mapping[Problem, str]] = {
    Problem.OTHER_SYMBOL: "the content does not begin with IS: this is another symbol than an INS datamatrix",
    Problem.VERSION: f"the version is not {VERSION}, the only one published",
    Problem.HEADER: "the header has 26 characters: IS, the version, then 22 zeros",
    Problem.TOO_LONG: f"the content has more than {LONGEST} characters",
    Problem.BLOCK_UNKNOWN: "a block is none of S1 to S7; is a separator missing before it?",
    Problem.BLOCK_TWICE: "a block stands twice",
    Problem.BLOCK_MISSING: "a mandatory block is missing",
    Problem.LENGTH: "a value is too short or too long",
    Problem.MATRICULE: "the matricule is malformed, or its key is wrong",
    Problem.OID: "the OID is none of an INS",
    Problem.NAME: "a name holds something else than capitals A to Z, space, apostrophe and hyphen",
    Problem.SEX: "the sex is M or F",
    Problem.BIRTH_DATE: "the birth date is written DD-MM-YYYY",
    Problem.BIRTH_PLACE: "the birth place is a COG code of 5 characters",
}


def _refuse(problem: Problem, block: Block | None = None) -> NoReturn:
    where = f" (block {block.tag})" if block else ""
    data = {"problem": problem.value, **({"block": block.tag} if block else {})}
    raise Refusal(Kind.UNPROCESSABLE, "DATAMATRIX_INVALID", f"{_WORDS[problem]}{where}", data=data)
