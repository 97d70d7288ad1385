"""The record as somebody else would see it."""

from __future__ import annotations

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.interfaces.web.citizen.parties import professional
from ambroise.interfaces.web.citizen.record.access import Accesses
from ambroise.interfaces.web.citizen.record.base import space_of
from ambroise.interfaces.web.citizen.views import SeenAs
from ambroise.interfaces.web.professions import G15, professions, role_of
from ambroise.interfaces.web.records import row_of
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import read_document
from ambroise.trust.access.facts import Standing
from ambroise.trust.access.grants import grants_of
from ambroise.trust.context import Context

_MOST_SEEN = 200


class Previews(Accesses):
    async def see_as(self, ctx: Context, viewer: str) -> SeenAs:
        name, role, standing, refused = await self._as_whom(ctx, viewer)
        if refused is not None or role is None:
            return SeenAs(name, [], 0, refused or "not_authorised")
        pairs = [("patient", str(space_of(ctx))), ("status", "current"), ("_sort", "-date"), ("_total", "accurate")]
        query = parse("DocumentReference", [*pairs, ("_count", str(_MOST_SEEN))])
        async with self._database.reader() as reader:
            seen = await self._gateway.see_as(reader, ctx, query, role, standing=standing)
            query = parse("DocumentReference", [*pairs, ("_count", "1")])
            mine = await self._gateway.search(reader, ctx, query)
        rows = [row_of(read_document(decode(stored.body)), ctx) for stored, _ in seen.entries]
        return SeenAs(name, rows, max((mine.total or 0) - (seen.total or len(rows)), 0))

    async def _as_whom(self, ctx: Context, viewer: str) -> tuple[str, tuple[str, str] | None, Standing, str | None]:
        """Through whose eyes to look: a name, a role, a standing, and why nothing is seen, if nothing is."""
        kind, _, key = viewer.partition(":")
        if kind == "metier" and (role := role_of(key)) is not None:
            job = next(one.name for one in professions(ctx.now()) if one.key == key)
            return gettext("quelqu’un que j’autorise (%(job)s)", job=job.lower()), role, Standing.AUTHORISED, None
        if viewer == "inconnu":
            return gettext("un médecin que vous n’avez pas autorisé"), None, Standing.NONE, "not_authorised"
        if viewer == "urgence":
            choices = await self.emergency_choices(ctx)
            standing = Standing.TREATING if choices.masked else Standing.AUTHORISED
            refused = None if choices.break_glass else "emergency_refused"
            return gettext("un médecin en cas d’urgence"), (G15, "10"), standing, refused
        async with self._database.reader() as reader:
            await self._hold(reader, ctx)
            grants = [one for one in await grants_of(reader, space_of(ctx)) if one.in_force(ctx.now())]
            person = next((one for one in grants if one.party.id == viewer), None)
            actor = await professional(reader, person.party) if person else None
        if person is None or actor is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PERSON", "Choose somebody of the list.")
        states = {one.state for one in grants if one.party.id == viewer}
        if "blocked" in states:
            return actor.name, None, Standing.BLOCKED, "blocked"
        standing = Standing.TREATING if states & {"treating", "administrator"} else Standing.AUTHORISED
        return actor.name, (actor.profession_system, actor.profession), standing, None
