"""The face of federation."""

from __future__ import annotations

from ambroise.modules.identity.federation.configuration import read_partners
from ambroise.modules.identity.federation.model import Entered, Partner, PartnerKind, SignedOn, ToEnrol
from ambroise.modules.identity.federation.service import PATH, Federation

__all__ = ["PATH", "Entered", "Federation", "Partner", "PartnerKind", "SignedOn", "ToEnrol", "read_partners"]
