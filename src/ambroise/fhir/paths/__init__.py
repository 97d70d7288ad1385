"""Paths into resources: search parameter extraction, and FHIRPath on one resource."""

from ambroise.fhir.paths.evaluation import evaluate, select
from ambroise.fhir.paths.extracted import Extracted
from ambroise.fhir.paths.extraction import extract
from ambroise.fhir.paths.nodes import Node
from ambroise.fhir.paths.ranges import date_range, number_range
from ambroise.fhir.paths.syntax import PathError, parse

__all__ = [
    "Extracted",
    "Node",
    "PathError",
    "date_range",
    "evaluate",
    "extract",
    "number_range",
    "parse",
    "select",
]
