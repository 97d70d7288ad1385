"""The face of the VIHF: believe an assertion, use it once, and make one for a demonstration."""

from __future__ import annotations

from ambroise.modules.identity.vihf import refusals
from ambroise.modules.identity.vihf.making import Making, make, sign
from ambroise.modules.identity.vihf.model import Mode, Vihf
from ambroise.modules.identity.vihf.service import Assertions, Believed, forget
from ambroise.modules.identity.vihf.use import Use

__all__ = ["Assertions", "Believed", "Making", "Mode", "Use", "Vihf", "forget", "make", "refusals", "sign"]
