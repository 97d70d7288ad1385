"""The categories under which a citizen finds documents: few words for many document types."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files

from ambroise.modules.record import tables


class Category(StrEnum):
    """A category of the citizen's pages, under the code of the national client."""

    SYNTHESIS = "SYNTHESE"
    PRESCRIPTIONS = "ORD_SOIN"
    IMAGING = "RADIO_SC"
    LABORATORY = "BIOLOGIE"
    REPORTS = "CPT_REND"
    SCREENING = "DEPISTAG"
    CERTIFICATES = "CERT_MED"
    ADMINISTRATIVE = "DOC_ADM"
    PROFILE = "SYNTH_PML"
    DIRECTIVES = "DIR_ANT"
    QUESTIONNAIRES = "QUEST_SANTE"
    VACCINES = "CAR_VAC"
    REIMBURSEMENTS = "REMB"
    OTHER = "AUTR_DOC"


CITIZEN_TYPES: Mapping[Category, str] = {
    Category.SYNTHESIS: "DOCPAT01",
    Category.PRESCRIPTIONS: "DOCPAT02",
    Category.REPORTS: "DOCPAT03",
    Category.IMAGING: "DOCPAT04",
    Category.LABORATORY: "DOCPAT05",
    Category.SCREENING: "DOCPAT06",
    Category.CERTIFICATES: "DOCPAT07",
    Category.ADMINISTRATIVE: "DOCPAT09",
    Category.DIRECTIVES: "EXPPAT_3",
    Category.PROFILE: "DOCPAT08",
    Category.OTHER: "EXPPAT_2",
}
"""The document type of what a citizen adds under each category."""


def category_of(type_code: str) -> Category:
    """The category of a document type: its own row, else that of its class, else the last one."""
    rows = _rows()
    found = rows.get(type_code) or rows.get(f"class:{tables.class_of_type(type_code)}")
    return Category(found) if found else Category.OTHER


@cache
def types_of(category: Category) -> tuple[str, ...]:
    """The document types that are found under a category."""
    return tuple(entry.code for entry in tables.table("document_type").entries if category_of(entry.code) is category)


@cache
def _rows() -> Mapping[str, str]:
    text = files("ambroise.modules.record").joinpath("data/category.tsv").read_text(encoding="utf-8")
    pairs = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {selector: category for selector, category in pairs}
