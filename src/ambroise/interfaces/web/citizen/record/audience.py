"""Who could see one document: everybody whom the rules let in, or keep out, and why."""

from __future__ import annotations

from collections.abc import Sequence

from ambroise.fhir.json import decode
from ambroise.interfaces.web.citizen.parties import described, parties, professional
from ambroise.interfaces.web.citizen.record.base import space_of
from ambroise.interfaces.web.citizen.record.see_as import Previews
from ambroise.interfaces.web.citizen.views import Audience, Person
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.professions import DOCTOR, SHOWN, role_of
from ambroise.interfaces.web.records import row_of
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.views import Viewer
from ambroise.kernel.db import Reader
from ambroise.kernel.ids import hash64
from ambroise.modules.record.api import Document, read_document
from ambroise.trust.access import viewpoint as viewpoints
from ambroise.trust.access.decide import Target
from ambroise.trust.access.facts import Standing
from ambroise.trust.access.grants import grants_of
from ambroise.trust.access.matrix import matrix
from ambroise.trust.access.people import Party
from ambroise.trust.access.relations import relations_of
from ambroise.trust.access.rules import Rule, Verdict
from ambroise.trust.context import Context, Purpose


class Audiences(Previews):
    async def audience(self, ctx: Context, id: str) -> Audience:
        async with self._database.reader() as reader:
            stored = await self._gateway.read(reader, ctx, "DocumentReference", id)
            document = read_document(decode(stored.body))
            target = Target(stored.type, stored.label, stored.key)
            return Audience(
                row_of(document, ctx),
                await self._professionals(reader, ctx, target, document),
                await self._relatives(reader, ctx, target),
                await self._in_emergencies(reader, ctx, target),
                await self._if_authorised(reader, ctx, target),
            )

    async def _professionals(
        self, reader: Reader, ctx: Context, target: Target, document: Document
    ) -> Sequence[Viewer]:
        """Who wrote it, then the people and structures that have, or had and lost, the holder's agreement."""
        found = await self._author(reader, ctx, target, document)
        grants = [one for one in await grants_of(reader, space_of(ctx)) if one.in_force(ctx.now())]
        for party in parties(grants, ()):
            person = await described(reader, party)
            if person.name not in (one.name for one in found):
                found.append(await self._known(reader, ctx, target, person))
        return found

    async def _author(self, reader: Reader, ctx: Context, target: Target, document: Document) -> list[Viewer]:
        label = target.label
        if document.by_patient or not (label.author or label.author_organization):
            return []
        view = await viewpoints.of_author(reader, ctx, space_of(ctx), label.author, label.author_organization)
        name = next((one.name for one in document.authors if one.name), document.place or "")
        return [_viewer(proper(name), view.judge(target), gettext("L’auteur du document"))]

    async def _known(self, reader: Reader, ctx: Context, target: Target, person: Person) -> Viewer:
        if person.kind == "organization":
            return await self._structure(reader, ctx, target, person)
        actor = await professional(reader, Party(person.id, person.name))
        if actor is None:
            # Without a profession the matrix lets nobody read, but the rules before it may be the reason.
            view = await viewpoints.of_author(reader, ctx, space_of(ctx), hash64(person.id), 0)
            return _viewer(person.name, view.judge(target), gettext("Métier inconnu de l’annuaire"))
        view = await viewpoints.of_professional(reader, ctx, space_of(ctx), actor)
        return _viewer(person.name, view.judge(target), person.about)

    async def _structure(self, reader: Reader, ctx: Context, target: Target, person: Person) -> Viewer:
        """Whoever works there, each as the profession may."""
        present, jobs, verdict = matrix(ctx.now()), list[str](), Verdict(False, Rule.MATRIX)
        for key, _, job in SHOWN:
            role = present.role(*(role_of(key) or DOCTOR))
            view = await viewpoints.of_structure(reader, ctx, space_of(ctx), hash64(person.id), role)
            one = view.judge(target)
            if one.allowed:
                jobs.append(gettext(job).lower())
            if one.allowed or not jobs:
                verdict = one
        return _viewer(person.name, verdict, ", ".join(jobs) if jobs else person.about)

    async def _relatives(self, reader: Reader, ctx: Context, target: Target) -> Sequence[Viewer]:
        """The holder, and who acts in the space."""
        space = space_of(ctx)
        myself = await viewpoints.of_relative(reader, ctx, space, space)
        name = gettext("La personne elle-même") if ctx.acting_for else gettext("Vous")
        found = [_viewer(name, myself.judge(target))]
        for relation in await relations_of(reader, space):
            if relation.in_force(ctx.now()):
                view = await viewpoints.of_relative(reader, ctx, space, relation.person)
                found.append(_viewer(proper(relation.person_name), view.judge(target)))
        return found

    async def _in_emergencies(self, reader: Reader, ctx: Context, target: Target) -> Sequence[Viewer]:
        ways = (
            (gettext("Le Samu, quand vous appelez le 15"), Purpose.CENTRE_15),
            (gettext("Un médecin, si votre vie est en danger"), Purpose.BREAK_GLASS),
        )
        found: list[Viewer] = []
        for name, purpose in ways:
            view = await self._supposed(reader, ctx, DOCTOR, standing=Standing.NONE, purpose=purpose)
            found.append(_viewer(name, view.judge(target)))
        return found

    async def _if_authorised(self, reader: Reader, ctx: Context, target: Target) -> Sequence[Viewer]:
        """What agreeing would change, one profession at a time."""
        found: list[Viewer] = []
        for key, _, job in SHOWN:
            view = await self._supposed(reader, ctx, role_of(key) or DOCTOR)
            found.append(_viewer(gettext(job), view.judge(target)))
        return found


def _viewer(name: str, verdict: Verdict, detail: str = "") -> Viewer:
    return Viewer(name, verdict.allowed, verdict.rule.value, detail)
