"""Who asks, on whose behalf, why, and by which way in: the context every use case receives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct, field

from ambroise.kernel.clock import Clock
from ambroise.kernel.ids import hash64, new_id
from ambroise.trust.limits import Limits


class Purpose(StrEnum):
    """The access mode of a professional (TRE_R248 mode d'accès)."""

    NORMAL = "normal"
    BREAK_GLASS = "bris_de_glace"
    CENTRE_15 = "centre_15"


Relation: TypeAlias = Literal["representative", "carer", "mediator"]
Channel: TypeAlias = Literal["fhir", "web", "cli", "load", "xds", "mail", "partner", "job", "hl7"]


class Citizen(Struct, frozen=True, dict=True):
    """A citizen signed in to a space. `patient` is the logical id of that person's own Patient."""

    patient: UUID
    name: str

    @cached_property
    def key(self) -> int:
        """The number that stands for this person as an author."""
        return hash64(f"citizen:{self.patient}")


class Professional(Struct, frozen=True, dict=True):
    """A health or social professional in one exercise situation.

    `id` is the PS_IdNat ("8" then the RPPS); `profession` is a code of `profession_system` (an OID): the pair counts,
    since code 93 means different things in two tables. `organization` is the Struct_IdNat ("1" then the FINESS) and
    `organization_setting` its practice setting (JDV_J04).
    """

    id: str
    rpps: str
    name: str
    profession: str
    profession_system: str = "1.2.250.1.71.1.2.7"
    specialty: str | None = None
    organization: str | None = None
    organization_name: str | None = None
    organization_setting: str | None = None
    role_title: str | None = None

    @cached_property
    def key(self) -> int:
        """The number that stands for this professional in labels and grants."""
        return hash64(self.id)

    @cached_property
    def organization_key(self) -> int:
        """The number that stands for the structure of this situation, 0 when there is none."""
        return hash64(self.organization) if self.organization else 0


class Operator(Struct, frozen=True, dict=True):
    """A member of the desk, with the duties that the operator of the instance gave."""

    id: UUID | str
    name: str
    duties: frozenset[str] = frozenset()

    @cached_property
    def key(self) -> int:
        """The number that stands for this operator as an author."""
        return hash64(f"operator:{self.id}")


class System(Struct, frozen=True, dict=True):
    """The instance itself: its jobs, its loader, and the operator's token for conformance work."""

    name: str = "system"

    @cached_property
    def key(self) -> int:
        """The number that stands for the instance as an author."""
        return hash64(f"system:{self.name}")


Actor: TypeAlias = Citizen | Professional | Operator | System


class Context(Struct, frozen=True):
    """Everything the door and the trace need to know about one request.

    `acting_for` is the Patient a citizen represents or cares for, with the `relation` claimed: the door checks it
    against the facts. `secret` hides the trace of this access from legal representatives (connexion secrète).
    `limits` is what the token of the request leaves of it all.
    """

    actor: Actor
    clock: Clock
    purpose: Purpose = Purpose.NORMAL
    reason: str | None = None
    acting_for: UUID | None = None
    relation: Relation | None = None
    secret: bool = False
    channel: Channel = "fhir"
    software: str | None = None
    request_id: UUID = field(default_factory=new_id)
    demonstration: bool = False
    details: Mapping[str, str] = field(default_factory=dict[str, str])
    limits: Limits | None = None

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        return self.clock.now()

    @property
    def space(self) -> UUID | None:
        """The space a citizen is looking at: the one acted for, or their own. None for everybody else."""
        if isinstance(self.actor, Citizen):
            return self.acting_for or self.actor.patient
        return None
