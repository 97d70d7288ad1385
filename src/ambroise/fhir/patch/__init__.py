"""Changing a resource by a patch: JSON Patch, FHIRPath Patch, JSON Merge Patch. Pure: a value in, a value out."""

from ambroise.fhir.patch.fhirpath_patch import apply_fhirpath_patch
from ambroise.fhir.patch.json_patch import apply_json_patch
from ambroise.fhir.patch.merge_patch import apply_merge_patch

__all__ = ["apply_fhirpath_patch", "apply_json_patch", "apply_merge_patch"]
