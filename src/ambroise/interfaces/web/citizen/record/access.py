"""Who may see the record: the people, what they may do, the choices for emergencies."""

from __future__ import annotations

from collections.abc import Sequence

from ambroise.interfaces.web.citizen.parties import described, parties, said
from ambroise.interfaces.web.citizen.record.base import Base, space_of
from ambroise.interfaces.web.citizen.views import Directory, EmergencyChoices, FilingChoices, Person, Profession
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.professions import plain_label, professions
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.directory import api as directory
from ambroise.trust.access import spaces
from ambroise.trust.access.feeding import oppositions_of
from ambroise.trust.access.grants import grants_of
from ambroise.trust.access.people import Party
from ambroise.trust.audit.history import LOOKS, Filters
from ambroise.trust.context import Context

_RECENT_LINES = 200


class Accesses(Base):
    async def people(self, ctx: Context) -> Sequence[Person]:
        space = space_of(ctx)
        async with self._database.reader() as reader:
            await self._hold(reader, ctx)
            grants = [one for one in await grants_of(reader, space) if one.in_force(ctx.now())]
            filters = Filters(group="professionals", refused=False, events=LOOKS)
            lines, _ = await self._gateway.access_history(reader, ctx, space, filters, count=_RECENT_LINES)
            return [await described(reader, party) for party in parties(grants, lines)]

    async def find_people(self, ctx: Context, words: str) -> Sequence[Directory]:
        async with self._database.reader() as reader:
            people = await directory.search(reader, words, limit=10)
            places = await directory.search_structures(reader, words, limit=6)
        found = [
            Directory(
                one.entry.id_nat,
                proper(one.entry.name),
                said(
                    plain_label(one.entry.label or ""),
                    one.structure.name if one.structure else "",
                    one.structure and one.structure.city,
                ),
            )
            for one in people
        ]
        return [*found, *(Directory(one.id_nat, one.name, one.city or "", "organization") for one in places)]

    async def block(self, ctx: Context, id: str) -> None:
        async with self._database.transaction() as tx:
            await self._gateway.rights.block(tx, ctx, space_of(ctx), await self._party(tx, ctx, id))

    async def unblock(self, ctx: Context, id: str) -> None:
        async with self._database.transaction() as tx:
            await self._gateway.rights.unblock(tx, ctx, space_of(ctx), await self._party(tx, ctx, id))

    async def authorise(self, ctx: Context, id: str) -> None:
        async with self._database.transaction() as tx:
            await self._gateway.rights.authorise(tx, ctx, space_of(ctx), await self._party(tx, ctx, id))

    async def withdraw(self, ctx: Context, id: str) -> None:
        space = space_of(ctx)
        async with self._database.transaction() as tx:
            party = await self._party(tx, ctx, id)
            teams = {one.team for one in await grants_of(tx, space) if one.party.id == id and one.state != "blocked"}
            for team in teams or {None}:
                await self._gateway.rights.revoke(tx, ctx, space, party, team=team)

    async def withdraw_team(self, ctx: Context, id: str) -> None:
        space = space_of(ctx)
        async with self._database.transaction() as tx:
            held = [one for one in await grants_of(tx, space) if one.party.id == id and one.via == "care_team"]
            for team in {one.team for one in held if one.team is not None}:
                await self._gateway.rights.end_care_team(tx, ctx, space, team)

    async def end_presence(self, ctx: Context, id: str) -> None:
        async with self._database.transaction() as tx:
            await self._gateway.rights.end_presence(tx, ctx, space_of(ctx), await self._party(tx, ctx, id))

    async def emergency_choices(self, ctx: Context) -> EmergencyChoices:
        space = await self._space(ctx)
        return EmergencyChoices(space.etreat, space.btg, space.emergency_masked)

    async def choose_emergency(self, ctx: Context, choices: EmergencyChoices) -> None:
        async with self._database.transaction() as tx:
            await self._gateway.rights.set_emergency_consents(
                tx, ctx, space_of(ctx), etreat=choices.call_centre, btg=choices.break_glass, masked=choices.masked
            )

    async def filing_choices(self, ctx: Context) -> FilingChoices:
        space = await self._space(ctx)
        async with self._database.reader() as reader:
            structures = await oppositions_of(reader, space.patient)
        return FilingChoices(space.masked_by_default, space.feed_opposed, structures=tuple(structures))

    async def let_structure_file(self, ctx: Context, id: str) -> None:
        """End the opposition to one structure; nothing where there is none."""
        opposed = [one.structure for one in (await self.filing_choices(ctx)).structures if one.structure.id == id]
        async with self._database.transaction() as tx:
            for structure in opposed:
                await self._gateway.rights.oppose_feeding(tx, ctx, space_of(ctx), structure, opposed=False)

    async def choose_filing(self, ctx: Context, choices: FilingChoices) -> None:
        """Keep what changed: each choice that did leaves its own line in the history."""
        present, rights, patient = await self.filing_choices(ctx), self._gateway.rights, space_of(ctx)
        async with self._database.transaction() as tx:
            if choices.masked != present.masked:
                await rights.set_masked_by_default(tx, ctx, patient, choices.masked)
            if choices.opposed != present.opposed:
                await rights.set_feed_opposed(tx, ctx, patient, choices.opposed, reason=choices.reason or None)

    async def _space(self, ctx: Context) -> spaces.Space:
        async with self._database.reader() as reader:
            await self._hold(reader, ctx)
            space = await spaces.space_of(reader, space_of(ctx))
        if space is None:
            raise Refusal(Kind.NOT_FOUND, "SPACE_NOT_FOUND", "This person has no space.")
        return space

    async def professions(self, ctx: Context) -> Sequence[Profession]:
        return professions(ctx.now())

    async def _party(self, reader: Reader, ctx: Context, id: str) -> Party:
        """Whom an id of the directory, or of a grant, names."""
        for grant in await grants_of(reader, space_of(ctx)):
            if grant.party.id == id:
                return grant.party
        structure = await directory.structure(reader, id)
        if structure is not None:
            return Party(id, structure.name, "organization")
        people = await directory.situations(reader, id[1:])
        if not people:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PERSON", "The directory knows nobody by this id.")
        return Party.of(people[0])
