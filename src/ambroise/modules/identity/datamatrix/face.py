"""What pages and programs do with datamatrix: write one for an identity, draw it, find and read one."""

from __future__ import annotations

from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.datamatrix.content import Scanned, written
from ambroise.modules.identity.ins import Sex
from ambroise.modules.identity.registry.model import PatientIdentity


def datamatrix_of(identity: PatientIdentity) -> str | None:
    """The content for a qualified identity; None for any other, or when a trait has no place in a datamatrix."""
    ins, traits = identity.trust.usable_ins, identity.traits
    given = traits.given_names or traits.first_given
    sex = traits.sex
    if ins is None or traits.birth_date is None or sex is None or sex is Sex.UNDETERMINED:
        return None
    place = traits.birth_place if traits.birth_place and len(traits.birth_place) == 5 else None
    try:
        return written(Scanned(ins, given or "", traits.birth_name or "", sex, traits.birth_date, place))
    except Refusal:
        return None
