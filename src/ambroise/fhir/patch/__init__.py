"""Changing a resource by a patch: JSON Patch (RFC 6902) and FHIRPath Patch (FHIR R4). Pure: a value in, a value out."""

from ambroise.fhir.patch.fhirpath_patch import apply_fhirpath_patch
from ambroise.fhir.patch.json_patch import apply_json_patch

__all__ = ["apply_fhirpath_patch", "apply_json_patch"]
