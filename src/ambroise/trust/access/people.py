"""Naming people and structures: in grants, in the trace, and on pages."""

from __future__ import annotations

from functools import cached_property
from typing import Literal, TypeAlias

from msgspec import Struct

from ambroise.kernel.ids import hash64
from ambroise.trust.context import Citizen, Context, Operator, Professional

PartyKind: TypeAlias = Literal["professional", "organization"]


class Party(Struct, frozen=True, dict=True):
    """A professional (PS_IdNat) or a structure (Struct_IdNat) that a patient may authorise or block."""

    id: str
    name: str = ""
    kind: PartyKind = "professional"

    @cached_property
    def key(self) -> int:
        """The number that stands for this party in labels and grants."""
        return hash64(self.id)

    @staticmethod
    def of(actor: Professional) -> Party:
        """The professional as a party."""
        return Party(actor.id, actor.name)


def recorder(ctx: Context) -> str:
    """Who records a fact, as one line for the row: kind and id."""
    return f"{actor_kind(ctx)}:{actor_id(ctx)}"


def actor_kind(ctx: Context) -> str:
    """The sort of actor, as the trace names it."""
    return type(ctx.actor).__name__.lower()


def actor_id(ctx: Context) -> str:
    """The stable identifier of the actor; never an INS."""
    match ctx.actor:
        case Citizen(patient=patient):
            return str(patient)
        case Professional(id=id):
            return id
        case Operator(id=id):
            return str(id)
        case system:
            return system.name
