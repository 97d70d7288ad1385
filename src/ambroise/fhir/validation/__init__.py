"""Validation of R4 resources: one generated Python function per shape, compiled when first needed."""

from typing import Any

from ambroise.fhir.validation import compiled, conditions, findings, primitives, rules
from ambroise.fhir.validation.context import Context
from ambroise.fhir.validation.findings import MAX_ISSUES, Issues, Place
from ambroise.kernel.errors import Issue

__all__ = ["validate"]


def validate(resource: dict[str, Any]) -> list[Issue]:
    """What is wrong with a resource by R4 itself, each issue naming its element as a FHIRPath; empty when valid.

    Structure, cardinality, formats, required bindings, targets of references, safety of the narrative; and, once
    the structure is right, the invariants of severity error (the README says which are not evaluated). At most
    MAX_ISSUES are given.
    """
    issues: Issues = []
    type_ = resource.get("resourceType")
    place: Place = (None, type_ if isinstance(type_, str) else "Resource", None)
    rules.inline_resource(resource, place, issues, Context(resource, resource))
    return issues[:MAX_ISSUES]


compiled.provide(
    {
        **{f"is_{name}": test for name, (test, _) in primitives.PRIMITIVES.items()},
        "V_Resource": rules.independent_resource,
        "broken": findings.broken,
        "coded": rules.coded,
        "empty_object": findings.empty_object,
        "extension_rules": rules.extension_rules,
        "distinct_entries": conditions.distinct_entries,
        "in_number_order": conditions.in_number_order,
        "in_order": conditions.in_order,
        "missing": findings.missing,
        "not_array": findings.not_array,
        "not_object": findings.not_object,
        "one": conditions.one,
        "primitives": rules.primitives,
        "reference_rules": rules.reference_rules,
        "resource_rules": rules.resource_rules,
        "targeted": rules.targeted,
        "too_many": findings.too_many,
        "walk": rules.walk,
        "wrong_code": findings.wrong_code,
        "wrong_value": findings.wrong_value,
    }
)
