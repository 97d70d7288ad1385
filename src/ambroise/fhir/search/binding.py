"""Searches about one patient: where that is known, one shard answers."""

from typing import Final
from uuid import UUID

import msgspec

from ambroise.fhir.definitions import SearchParameter, patient_compartment
from ambroise.fhir.search.query import Chain, Clause, Filter, Query, Target, Token
from ambroise.fhir.store.layout import ID
from ambroise.kernel.ids import shard_of

PATIENT: Final = "Patient"
# By these a resource says whose record it belongs to; by `performer` or `link`, whom it mentions.
_OWNING: Final = frozenset({"patient", "subject"})


class Bound(msgspec.Struct, frozen=True):
    """The record that a search stays in."""

    patient: UUID

    @property
    def shard(self) -> int:
        """Where the record lies."""
        return shard_of(self.patient)


def in_records(type: str) -> bool:
    """Whether resources of `type` belong to a patient's record."""
    return type == PATIENT or bool(patient_compartment(type))


def owns(type: str, parameter: SearchParameter) -> bool:
    """Whether a reference by `parameter` to a Patient says in whose record a `type` is."""
    return type != PATIENT and in_records(type) and parameter.code in _OWNING


def patient_asked_for(query: Query) -> str | None:
    """The logical id of the one patient whose record the query is about, if it names one."""
    for clause in query.clauses:
        match clause:
            case Filter(type, parameter, None, (Target((target,)),)) if owns(type, parameter):
                kind, _, id = target.rpartition("/")
                if kind == PATIENT:
                    return id
            case Filter("Patient", parameter, None, (Token(None, str(id)),)) if parameter.code == ID:
                return id
            case _:
                # `subject=id` alone may name a patient or something else: then no record is sure.
                continue
    return None


def identifier_asked_for(query: Query) -> tuple[Filter, Token] | None:
    """The identifier in `patient.identifier=system|value`, when the query is about the patient who bears it."""
    for clause in query.clauses:
        if isinstance(clause, Chain) and owns(clause.type, clause.parameter) and len(clause.targets) == 1:
            inner: Clause = clause.targets[0][1]
            match inner:
                case Filter("Patient", parameter, None, (Token(str(), str()) as token,)) if (
                    parameter.code == "identifier"
                ):
                    return inner, token
                case _:
                    continue
    return None
