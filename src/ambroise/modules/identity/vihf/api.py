"""The face of the VIHF: take an assertion, and make one for a demonstration."""

from __future__ import annotations

from ambroise.modules.identity.vihf import refusals
from ambroise.modules.identity.vihf.making import Making, make, sign
from ambroise.modules.identity.vihf.model import Mode, Vihf
from ambroise.modules.identity.vihf.service import Assertions, forget

__all__ = ["Assertions", "Making", "Mode", "Vihf", "forget", "make", "refusals", "sign"]
