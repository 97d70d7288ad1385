"""The record as somebody else would see it."""

from __future__ import annotations

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.interfaces.web.citizen.parties import professional
from ambroise.interfaces.web.citizen.record.access import Accesses
from ambroise.interfaces.web.citizen.record.base import space_of
from ambroise.interfaces.web.citizen.views import SeenAs
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.professions import DOCTOR, professions, role_of
from ambroise.interfaces.web.records import row_of
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import read_document
from ambroise.trust.access import viewpoint as viewpoints
from ambroise.trust.access.facts import Standing
from ambroise.trust.access.grants import grants_of
from ambroise.trust.access.matrix import matrix
from ambroise.trust.access.rules import entry
from ambroise.trust.access.viewpoint import Viewpoint
from ambroise.trust.context import Context, Purpose

_MOST_SEEN = 200


class Previews(Accesses):
    async def see_as(self, ctx: Context, viewer: str) -> SeenAs:
        async with self._database.reader() as reader:
            await self._hold(reader, ctx)
            name, viewpoint = await self._as_whom(reader, ctx, viewer)
            verdict = entry(viewpoint.facts, viewpoint.eyes)
            if not verdict.allowed:
                return SeenAs(name, [], 0, verdict.rule.value)
            pairs = [("patient", str(space_of(ctx))), ("status", "current"), ("_sort", "-date"), ("_total", "accurate")]
            query = parse("DocumentReference", [*pairs, ("_count", str(_MOST_SEEN))])
            seen = await self._gateway.see_as(reader, ctx, query, viewpoint)
            query = parse("DocumentReference", [*pairs, ("_count", "1")])
            mine = await self._gateway.search(reader, ctx, query)
        rows = [row_of(read_document(decode(stored.body)), ctx) for stored, _ in seen.entries]
        return SeenAs(name, rows, max((mine.total or 0) - (seen.total or len(rows)), 0))

    async def _as_whom(self, reader: Reader, ctx: Context, viewer: str) -> tuple[str, Viewpoint]:
        """Through whose eyes to look, and how they are named."""
        kind, _, key = viewer.partition(":")
        if kind == "metier" and (role := role_of(key)) is not None:
            job = next(one.name for one in professions(ctx.now()) if one.key == key)
            name = gettext("quelqu’un que j’autorise (%(job)s)", job=job.lower())
            return name, await self._supposed(reader, ctx, role)
        if viewer == "inconnu":
            name = gettext("un médecin que vous n’avez pas autorisé")
            return name, await self._supposed(reader, ctx, DOCTOR, standing=Standing.NONE)
        if viewer == "urgence":
            name = gettext("un médecin en cas d’urgence")
            return name, await self._supposed(reader, ctx, DOCTOR, standing=Standing.NONE, purpose=Purpose.BREAK_GLASS)
        for grant in await grants_of(reader, space_of(ctx)):
            if grant.party.id == viewer and grant.in_force(ctx.now()):
                actor = await professional(reader, grant.party)
                if actor is not None:
                    return proper(actor.name), await viewpoints.of_professional(reader, ctx, space_of(ctx), actor)
        raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PERSON", "Choose somebody of the list.")

    async def _supposed(
        self,
        reader: Reader,
        ctx: Context,
        role: tuple[str, str],
        *,
        standing: Standing = Standing.AUTHORISED,
        purpose: Purpose = Purpose.NORMAL,
    ) -> Viewpoint:
        known = matrix(ctx.now()).role(*role)
        return await viewpoints.supposed(reader, ctx, space_of(ctx), known, standing=standing, purpose=purpose)
