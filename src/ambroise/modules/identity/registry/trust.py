"""The trust given to an identity: its status, its attributes, its INS, and what may change them.

RNIV (référentiel national d'identitovigilance) 1 v2.0: four statuses, mutually exclusive (EXI SI 07); an INS stands
with the statuses recovered and qualified only; doubtful and fictitious identities are provisional, without INS, and
are never sent to the INSi service (EXI ID 24 and 26, EXI SI 09).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, NoReturn, cast

from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.ins import Ins


class Status(StrEnum):
    """The status of trust of an identity (statut de confiance, RNIV EXI SI 07)."""

    PROVISIONAL = "PROV"
    RECOVERED = "RECUP"
    VALIDATED = "VALI"
    QUALIFIED = "QUAL"


class Attribute(StrEnum):
    """What is known of an identity besides its status (attributs, RNIV EXI ID 24 and 26)."""

    HOMONYM = "homonyme"
    DOUBTFUL = "douteuse"
    FICTITIOUS = "fictive"


class Change(StrEnum):
    """What happens to the trust of an identity."""

    OPENED = "opened"
    INS_RECOVERED = "ins_recovered"
    INS_REPLACED = "ins_replaced"
    DOCUMENT_CHECKED = "document_checked"
    VERIFICATION_FAILED = "verification_failed"
    TRAIT_CORRECTED = "trait_corrected"
    DOUBTED = "doubted"
    DOUBT_LIFTED = "doubt_lifted"
    DECLARED_FICTITIOUS = "declared_fictitious"
    HOMONYM_MARKED = "homonym_marked"
    HOMONYM_UNMARKED = "homonym_unmarked"


_NEVER_ASKED: Final = frozenset({Attribute.DOUBTFUL, Attribute.FICTITIOUS})
_WITH_INS: Final = frozenset({Status.RECOVERED, Status.QUALIFIED})
_CHECKED: Final = {Status.PROVISIONAL: Status.VALIDATED, Status.RECOVERED: Status.QUALIFIED}
_ASKED: Final = {Status.PROVISIONAL: Status.RECOVERED, Status.VALIDATED: Status.QUALIFIED}
_DENIED: Final = {Status.RECOVERED: Status.PROVISIONAL, Status.QUALIFIED: Status.VALIDATED}


class Trust(Struct, frozen=True):
    """A status with its attributes and its INS; what the RNIV excludes cannot be made."""

    status: Status
    ins: Ins | None = None
    attributes: frozenset[Attribute] = frozenset()

    def __post_init__(self) -> None:
        if (self.ins is not None) != (self.status in _WITH_INS):
            raise ValueError(f"an identity {self.status.value} {'has no' if self.ins else 'has an'} INS")
        if self.attributes & _NEVER_ASKED and self.status is not Status.PROVISIONAL:
            raise ValueError("a doubtful or fictitious identity is provisional")
        if Attribute.FICTITIOUS in self.attributes and len(self.attributes) > 1:
            raise ValueError("fictitious combines with no other attribute")

    @property
    def usable_ins(self) -> Ins | None:
        """The INS under which data may be referenced: a qualified identity's only (EXI ID 29)."""
        return self.ins if self.status is Status.QUALIFIED else None

    @property
    def may_be_asked(self) -> bool:
        """Whether the INSi service may be called with these traits."""
        return not self.attributes & _NEVER_ASKED

    def recovered(self, ins: Ins) -> Trust:
        """INSi answered with one identity: provisional becomes recovered, validated becomes qualified.

        With an INS already, the new one takes its place and the status stays.
        """
        if not self.may_be_asked:
            _refuse("INSI_NOT_ALLOWED", "A doubtful or fictitious identity is never sent to INSi: settle it first.")
        return replace(self, status=_ASKED.get(self.status, self.status), ins=ins)

    def checked(self) -> Trust:
        """An identity document was seen: provisional becomes validated, recovered becomes qualified."""
        if not self.may_be_asked:
            _refuse("IDENTITY_DOUBTFUL", "Lift the doubt (or the fiction) before an identity document is recorded.")
        return replace(self, status=_CHECKED.get(self.status, self.status))

    def denied(self) -> Trust:
        """INSi does not confirm the identity: the INS is dropped, what a document proved stays."""
        if self.status not in _DENIED:
            _refuse("IDENTITY_WITHOUT_INS", "There is no INS to verify.")
        return replace(self, status=_DENIED[self.status], ins=None)

    def reset(self) -> Trust:
        """A strict trait changed: everything is to be done again."""
        return replace(self, status=Status.PROVISIONAL, ins=None)

    def doubted(self) -> Trust:
        """Somebody doubts this identity: provisional, without INS."""
        if Attribute.FICTITIOUS in self.attributes:
            _refuse("IDENTITY_FICTITIOUS", "A fictitious identity is not also doubtful.")
        return Trust(Status.PROVISIONAL, None, self.attributes | {Attribute.DOUBTFUL})

    def settled(self) -> Trust:
        """The doubt is lifted: still provisional, INSi and documents may speak again."""
        if Attribute.DOUBTFUL not in self.attributes:
            _refuse("IDENTITY_NOT_DOUBTFUL", "Nobody doubts this identity.")
        return replace(self, attributes=self.attributes - {Attribute.DOUBTFUL})

    def fictitious(self) -> Trust:
        """This identity is made up (a test in production, an anonymous stay)."""
        return Trust(Status.PROVISIONAL, None, frozenset({Attribute.FICTITIOUS}))

    def homonym(self, marked: bool) -> Trust:
        """Somebody else has nearly the same traits: professionals are warned. Any status."""
        if marked and Attribute.FICTITIOUS in self.attributes:
            _refuse("IDENTITY_FICTITIOUS", "A fictitious identity takes no other attribute.")
        changed = self.attributes | {Attribute.HOMONYM} if marked else self.attributes - {Attribute.HOMONYM}
        return replace(self, attributes=changed)


class Proof(Struct, frozen=True):
    """A kind of identity document. `alone`: enough by itself; else it needs one that is, of who presents it."""

    code: str
    label: str
    alone: bool


@lru_cache(maxsize=1)
def proofs() -> Mapping[str, Proof]:
    """The documents that prove an identity, by code; the level of each is the instance's to set (EXI ID 19)."""
    text = (files("ambroise.modules.identity.registry") / "data" / "proofs.toml").read_text("utf-8")
    listed = cast(Mapping[str, Mapping[str, Any]], tomllib.loads(text)["proof"])
    return {code: Proof(code, str(one["label"]), bool(one["alone"])) for code, one in listed.items()}


def check_proof(code: str, companion: str | None) -> None:
    """Refuse (PROOF_INSUFFICIENT) a document that does not prove an identity, alone or with its companion."""
    proof = proofs().get(code)
    beside = proofs().get(companion or "")
    if proof is None or not (proof.alone or (beside is not None and beside.alone)):
        _refuse(
            "PROOF_INSUFFICIENT",
            "This document does not prove an identity by itself: see an identity card, a passport or a residence "
            "permit, the representative's for a child. A carte Vitale never proves one.",
        )


def _refuse(code: str, diagnostics: str) -> NoReturn:
    raise Refusal(Kind.CONFLICT, code, diagnostics)
