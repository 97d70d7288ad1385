"""The claims of access tokens that are our own words; whoever reads a token finds them under these names."""

from __future__ import annotations

from typing import Final

OURS: Final = "amb_"
"""How each of them begins: none leaves in an answer for others."""
ROLE: Final = f"{OURS}role"
RPPS: Final = f"{OURS}rpps"
ORGANIZATION: Final = f"{OURS}organization"
"""FINESS of the organisation for which a professional acts."""
FAMILY: Final = f"{OURS}family"
"""The family that a token comes from, and ends with."""
LIMITED: Final = f"{OURS}launch"
"""A token that opens what its scopes name and nothing else: `patient`, the one in context, or empty."""
