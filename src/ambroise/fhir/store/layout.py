"""How the search parameters of a type are laid out in the tables, worked out from the definitions.

- One date is the principal one: it stands in columns of its own and gives lists their order.
- A parameter that is the union of others (`combo-code`), or the same as another (`phonetic`), is not stored: a search
  reads those that it is made of.
- What is always searched within one record keeps its texts in its row: few rows are read for them.
- A reference parameter that narrows another one (`patient` of `subject`) shares its terms: a reference names its type.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

import msgspec

from ambroise.fhir.definitions import SearchParameter, is_resource_type, search_parameters

LAST_UPDATED: Final = "_lastUpdated"
ID: Final = "_id"

# The clinical date that people sort by. Types that are absent have none.
_PRINCIPAL_DATES: Final = MappingProxyType(
    {
        "AdverseEvent": "date",
        "AllergyIntolerance": "date",
        "Appointment": "date",
        "AuditEvent": "date",
        "Basic": "created",
        "Bundle": "timestamp",
        "CarePlan": "date",
        "CareTeam": "date",
        "ChargeItem": "occurrence",
        "Claim": "created",
        "ClaimResponse": "created",
        "ClinicalImpression": "date",
        "Communication": "sent",
        "CommunicationRequest": "authored",
        "Composition": "date",
        "Condition": "recorded-date",
        "Consent": "date",
        "Contract": "issued",
        "CoverageEligibilityRequest": "created",
        "CoverageEligibilityResponse": "created",
        "DetectedIssue": "identified",
        "DeviceRequest": "authored-on",
        "DiagnosticReport": "date",
        "DocumentManifest": "created",
        "DocumentReference": "date",
        "Encounter": "date",
        "EpisodeOfCare": "date",
        "ExplanationOfBenefit": "created",
        "FamilyMemberHistory": "date",
        "Flag": "date",
        "Goal": "start-date",
        "ImagingStudy": "started",
        "Immunization": "date",
        "ImmunizationEvaluation": "date",
        "ImmunizationRecommendation": "date",
        "Invoice": "date",
        "List": "date",
        "MeasureReport": "date",
        "Media": "created",
        "MedicationAdministration": "effective-time",
        "MedicationDispense": "whenhandedover",
        "MedicationRequest": "authoredon",
        "MedicationStatement": "effective",
        "NutritionOrder": "datetime",
        "Observation": "date",
        "Patient": "birthdate",
        "PaymentNotice": "created",
        "Person": "birthdate",
        "Procedure": "date",
        "Provenance": "recorded",
        "QuestionnaireResponse": "authored",
        "RelatedPerson": "birthdate",
        "RequestGroup": "authored",
        "ResearchSubject": "date",
        "RiskAssessment": "date",
        "Schedule": "date",
        "ServiceRequest": "authored",
        "Slot": "start",
        "Specimen": "collected",
        "SupplyRequest": "date",
        "Task": "authored-on",
        "VisionPrescription": "datewritten",
    }
)


_TEXTS_INSIDE: Final = frozenset({"DocumentReference", "List"})


class Layout(msgspec.Struct, frozen=True):
    """What the tables hold for one type.

    principal  the number of the parameter in `date_low`, `date_high`, or -1
    stored     for a parameter that is not stored: the numbers of those that it is made of
    narrows    for a reference parameter that narrows another: the number whose terms it shares
    inside     whether texts stand in the row, among its `displays`, instead of the table of texts
    skipped    numbers without entries of their own: those of `stored` and those that are columns
    """

    principal: int
    stored: Mapping[int, tuple[int, ...]]
    narrows: Mapping[int, int]
    inside: bool
    skipped: frozenset[int]

    def numbers(self, parameter: SearchParameter) -> tuple[int, ...]:
        """The numbers under which the values of `parameter` are stored."""
        return self.stored.get(parameter.number, (parameter.number,))


@cache
def layout(type_: str) -> Layout:
    """The layout of a resource type. Raises KeyError."""
    parameters = search_parameters(type_)
    principal = _PRINCIPAL_DATES.get(type_)
    stored = _unions(parameters)
    columns = {parameters[ID].number, parameters[LAST_UPDATED].number}
    return Layout(
        principal=parameters[principal].number if principal else -1,
        stored=MappingProxyType(stored),
        narrows=MappingProxyType(_narrowings(parameters)),
        inside=type_ in _TEXTS_INSIDE,
        skipped=frozenset(stored) | columns,
    )


def _unions(parameters: Mapping[str, SearchParameter]) -> dict[int, tuple[int, ...]]:
    ordered = sorted(parameters.values(), key=lambda parameter: parameter.number)
    found: dict[int, tuple[int, ...]] = {}
    for parameter in ordered:
        if parameter.type not in ("token", "quantity", "string"):
            continue
        parts = _parts(parameter)
        smaller = [
            other
            for other in ordered
            if other.type == parameter.type
            and other.number not in found
            and (_parts(other) < parts or (_parts(other) == parts and other.number < parameter.number))
        ]
        if smaller and frozenset[str]().union(*map(_parts, smaller)) == parts:
            found[parameter.number] = tuple(other.number for other in smaller)
    return found


def _parts(parameter: SearchParameter) -> frozenset[str]:
    return frozenset(part.strip().strip("()").strip() for part in parameter.expression.split("|"))


def _narrowings(parameters: Mapping[str, SearchParameter]) -> dict[int, int]:
    by_expression = {p.expression: p for p in parameters.values() if p.type == "reference"}
    found: dict[int, int] = {}
    for parameter in parameters.values():
        whole, narrowed, kept = parameter.expression.partition(".where(resolve() is ")
        wider = by_expression.get(whole)
        if parameter.type == "reference" and narrowed and wider is not None and is_resource_type(kept.rstrip(")")):
            found[parameter.number] = wider.number
    return found
