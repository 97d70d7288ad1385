"""A point of view: somebody's eyes with the facts that hold for them, as they are or as they would be.

Whoever asks "who could see this?" or "what would they see?" is answered by the rules themselves, over a viewpoint.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from ambroise.kernel.db import Reader
from ambroise.trust.access.decide import Action, Target, facts_about, judge
from ambroise.trust.access.facts import Eyes, Facts, Standing, Viewer
from ambroise.trust.access.matrix import Role
from ambroise.trust.access.rules import Verdict
from ambroise.trust.context import Context, Professional, Purpose


class Viewpoint(msgspec.Struct, frozen=True):
    """Who looks, and what the rules know about them and the patient."""

    eyes: Eyes
    facts: Facts

    def judge(self, target: Target) -> Verdict:
        """Whether this viewer sees a resource, and under which rule."""
        return judge(self.facts, self.eyes, Action.READ, target)


async def of_professional(reader: Reader, ctx: Context, patient: UUID, viewer: Professional) -> Viewpoint:
    """A professional as things are."""
    return await _of_eyes(reader, ctx, patient, Eyes.of(Context(viewer, ctx.clock)))


async def of_relative(reader: Reader, ctx: Context, patient: UUID, person: UUID) -> Viewpoint:
    """Somebody who acts for the patient, as things are; the patient, when it is the same person."""
    eyes = Eyes(Viewer.CITIZEN, 0, space=patient, person=person, own=person == patient)
    return await _of_eyes(reader, ctx, patient, eyes)


async def of_author(reader: Reader, ctx: Context, patient: UUID, author: int, organization: int) -> Viewpoint:
    """Who wrote something, known by the keys of its label alone, as things are."""
    return await _of_eyes(reader, ctx, patient, Eyes(Viewer.PROFESSIONAL, author, organization))


async def of_structure(reader: Reader, ctx: Context, patient: UUID, organization: int, role: Role) -> Viewpoint:
    """Anybody of this role in a structure, as things are."""
    return await _of_eyes(reader, ctx, patient, Eyes(Viewer.PROFESSIONAL, 0, organization, role))


async def supposed(
    reader: Reader,
    ctx: Context,
    patient: UUID,
    role: Role,
    *,
    standing: Standing = Standing.AUTHORISED,
    purpose: Purpose = Purpose.NORMAL,
) -> Viewpoint:
    """Anybody of this role, were they in this standing; in an emergency, were it opened as the patient permits."""
    eyes = Eyes(Viewer.PROFESSIONAL, 0, role=role, purpose=purpose)
    found = await _of_eyes(reader, ctx, patient, eyes)
    facts = msgspec.structs.replace(
        found.facts,
        standing=standing,
        in_care_team=standing is not Standing.NONE,
        emergency_open=purpose is not Purpose.NORMAL,
    )
    return Viewpoint(eyes, facts)


async def _of_eyes(reader: Reader, ctx: Context, patient: UUID, eyes: Eyes) -> Viewpoint:
    """These eyes, with the facts of now."""
    return Viewpoint(eyes, await facts_about(reader, ctx, eyes, patient))
