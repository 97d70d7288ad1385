"""The citizen's pages on the real record: every question and every act goes through the door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from uuid import UUID

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.interfaces.web.accesses import documents_named, events
from ambroise.interfaces.web.citizen.filing import metadata
from ambroise.interfaces.web.citizen.parties import described, parties, professional, said
from ambroise.interfaces.web.citizen.views import (
    Directory,
    EmergencyChoices,
    History,
    HistoryFilter,
    Home,
    NewDocument,
    Notice,
    Person,
    Profession,
    SeenAs,
    Space,
)
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.professions import G15, professions, role_of
from ambroise.interfaces.web.records import Records, fileable, row_of, sniffed
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.views import (
    AccessEvent,
    Content,
    DocumentFilter,
    DocumentList,
    DocumentPage,
    Viewer,
)
from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.directory import api as directory
from ambroise.modules.identity.api import identity_of
from ambroise.modules.notification import api as notification
from ambroise.modules.record.api import (
    Document,
    Incoming,
    Record,
    ReportKind,
    Submission,
    read_document,
    reports,
)
from ambroise.trust.access.decide import Action as Wanted
from ambroise.trust.access.decide import judge_entry, refusal
from ambroise.trust.access.facts import Eyes, Standing
from ambroise.trust.access.grants import Grant, grants_of
from ambroise.trust.access.people import Party
from ambroise.trust.access.relations import spaces_of_person
from ambroise.trust.access.spaces import space_of
from ambroise.trust.audit.history import Filters, TraceLine
from ambroise.trust.context import Citizen, Context, Professional

_LINES = 80
_RECENT_LINES = 200
_MOST_SEEN = 200
_QUIET = ("search", "history", "simulate", "identify")
_GROUPS = {"soignants": "professionals", "moi": "mine", "services": "services"}


class CitizenRecord:
    """Answers the citizen's pages."""

    def __init__(self, records: Records, record: Record) -> None:
        self._records = records
        self._record = record
        self._database = records.database
        self._gateway = records.gateway

    async def spaces(self, ctx: Context) -> Sequence[Space]:
        me = _citizen(ctx)
        async with self._database.reader() as reader:
            found = [Space(me.patient, proper(me.name))]
            for fact in await spaces_of_person(reader, me.patient):
                if fact.until is not None and fact.until <= ctx.now():
                    continue
                known = await identity_of(reader, fact.patient)
                if known is not None:
                    found.append(Space(fact.patient, proper(known.display_name), fact.kind, known.traits.birth_date))
        return found

    async def home(self, ctx: Context) -> Home:
        space = _space(ctx)
        async with self._database.reader() as reader:
            told = await notification.notices(reader, ctx, count=5)
            filters = Filters(group="professionals")
            lines, _ = await self._gateway.access_history(reader, ctx, space, filters, count=12)
        latest = await self._records.latest(ctx, space, 3)
        subjects = [(one.subject or "").rpartition("/")[2] for one in told]
        named = await self._records.named(ctx, space, list({*documents_named(lines), *filter(None, subjects)}))
        last = next(iter(events(lines, _citizen(ctx).patient, named, frozenset())), None)
        notices = [_notice(one, named) for one in told]
        return Home(notices, [row_of(one, ctx) for one in latest], last)

    async def mark_read(self, ctx: Context, notice: UUID) -> None:
        async with self._database.transaction() as tx:
            await notification.mark_read(tx, ctx, notice)

    async def documents(self, ctx: Context, wanted: DocumentFilter) -> DocumentList:
        page = await self._records.page(ctx, _space(ctx), wanted)
        async with self._database.reader() as reader:
            told = await notification.notices(reader, ctx, count=100)
        fresh = {(one.subject or "").rpartition("/")[2] for one in told}
        rows = [row_of(one, ctx, new=one.id in fresh) for one in page.documents]
        return DocumentList(rows, page.total, page.older)

    async def document(self, ctx: Context, id: str) -> DocumentPage:
        opened = await self._records.open(ctx, id, f"/documents/{id}")
        document = opened.document
        async with self._database.reader() as reader:
            space = await space_of(reader, document.patient)
            grants = [one for one in await grants_of(reader, document.patient) if one.in_force(ctx.now())]
            viewers = await self._viewers(reader, ctx, document, grants)
        await self._seen(ctx, id)
        treating = next((proper(one.party.name) for one in grants if one.state == "treating"), None)
        return DocumentPage(
            row=row_of(document, ctx),
            media_type=document.media_type,
            size=document.size,
            filed=document.filed,
            html=opened.html,
            frame=opened.frame,
            frame_at=opened.frame_at,
            joined=opened.joined,
            results=await self._records.results(ctx, document),
            viewers=viewers,
            comment=document.comment,
            version=document.version,
            can_delete=document.by_patient,
            emergency_opens_masked=bool(space and space.emergency_masked),
            treating=treating,
        )

    async def content(self, ctx: Context, id: str) -> Content:
        return await self._records.content(ctx, id)

    async def joined(self, ctx: Context, id: str, name: str) -> Content:
        return await self._records.joined(ctx, id, name)

    async def set_masked(self, ctx: Context, id: str, masked: bool) -> None:
        async with self._database.transaction() as tx:
            await (self._record.mask(tx, ctx, id) if masked else self._record.unmask(tx, ctx, id))

    async def add(self, ctx: Context, new: NewDocument) -> str:
        content = await asyncio.to_thread(fileable, new.content)
        media_type = sniffed(content)
        submission = Submission((Incoming(content, None, metadata(_space(ctx), _citizen(ctx).name, new, media_type)),))
        async with self._database.transaction() as tx:
            filed = await self._record.submit(tx, ctx, submission)
        return str(filed.documents[0].document)

    async def delete(self, ctx: Context, id: str) -> None:
        async with self._database.transaction() as tx:
            await self._record.withdraw(tx, ctx, id)

    async def report_document(self, ctx: Context, id: str, words: str) -> None:
        async with self._database.transaction() as tx:
            document = await self._record.document(tx, ctx, id)
            if document.by_patient:
                raise Refusal(Kind.FORBIDDEN, "OWN_DOCUMENT", "Delete a document of one's own instead.")
            await reports.report(tx, ctx, document.patient, ReportKind.MISFILED_DOCUMENT, id, {"words": words})

    async def people(self, ctx: Context) -> Sequence[Person]:
        space = _space(ctx)
        async with self._database.reader() as reader:
            await self._hold(reader, ctx)
            grants = [one for one in await grants_of(reader, space) if one.in_force(ctx.now())]
            filters = Filters(group="professionals", refused=False)
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
                    one.entry.label or "",
                    one.structure.name if one.structure else "",
                    one.structure and one.structure.city,
                ),
            )
            for one in people
        ]
        return [*found, *(Directory(one.id_nat, one.name, one.city or "", "organization") for one in places)]

    async def block(self, ctx: Context, id: str) -> None:
        async with self._database.transaction() as tx:
            await self._gateway.rights.block(tx, ctx, _space(ctx), await self._party(tx, ctx, id))

    async def unblock(self, ctx: Context, id: str) -> None:
        async with self._database.transaction() as tx:
            await self._gateway.rights.unblock(tx, ctx, _space(ctx), await self._party(tx, ctx, id))

    async def authorise(self, ctx: Context, id: str) -> None:
        async with self._database.transaction() as tx:
            await self._gateway.rights.authorise(tx, ctx, _space(ctx), await self._party(tx, ctx, id))

    async def withdraw(self, ctx: Context, id: str) -> None:
        space = _space(ctx)
        async with self._database.transaction() as tx:
            party = await self._party(tx, ctx, id)
            teams = {one.team for one in await grants_of(tx, space) if one.party.id == id and one.state != "blocked"}
            for team in teams or {None}:
                await self._gateway.rights.revoke(tx, ctx, space, party, team=team)

    async def emergency_choices(self, ctx: Context) -> EmergencyChoices:
        async with self._database.reader() as reader:
            await self._hold(reader, ctx)
            space = await space_of(reader, _space(ctx))
        if space is None:
            raise Refusal(Kind.NOT_FOUND, "SPACE_NOT_FOUND", "This person has no space.")
        return EmergencyChoices(space.etreat, space.btg, space.emergency_masked)

    async def choose_emergency(self, ctx: Context, choices: EmergencyChoices) -> None:
        async with self._database.transaction() as tx:
            await self._gateway.rights.set_emergency_consents(
                tx, ctx, _space(ctx), etreat=choices.call_centre, btg=choices.break_glass, masked=choices.masked
            )

    async def professions(self, ctx: Context) -> Sequence[Profession]:
        return professions()

    async def see_as(self, ctx: Context, viewer: str) -> SeenAs:
        name, role, standing, refused = await self._as_whom(ctx, viewer)
        if refused is not None or role is None:
            return SeenAs(name, [], 0, refused or "not_authorised")
        pairs = [("patient", str(_space(ctx))), ("status", "current"), ("_sort", "-date"), ("_total", "accurate")]
        query = parse("DocumentReference", [*pairs, ("_count", str(_MOST_SEEN))])
        async with self._database.reader() as reader:
            seen = await self._gateway.see_as(reader, ctx, query, role, standing=standing)
            query = parse("DocumentReference", [*pairs, ("_count", "1")])
            mine = await self._gateway.search(reader, ctx, query)
        rows = [row_of(read_document(decode(stored.body)), ctx) for stored, _ in seen.entries]
        return SeenAs(name, rows, max((mine.total or 0) - (seen.total or len(rows)), 0))

    async def history(self, ctx: Context, wanted: HistoryFilter) -> History:
        space = _space(ctx)
        filters = Filters(
            group=_GROUPS.get(wanted.who),  # type: ignore[arg-type]
            refused=True if wanted.what == "refus" else None,
            purposes=("bris_de_glace", "centre_15") if wanted.what == "urgence" else (),
        )
        async with self._database.reader() as reader:
            lines, older = await self._gateway.access_history(
                reader, ctx, space, filters, cursor=wanted.cursor or None, count=_LINES
            )
            mine = frozenset(one.subject for one in await reports.mine(reader, ctx))
        named = await self._records.named(ctx, space, documents_named(lines))
        found = events(lines, _citizen(ctx).patient, named, mine)
        # Each document that one reads oneself is told; one's own lists and looks at this page are under « Moi ».
        whole = [one for one in found if one.actor_kind != "self" or one.action not in _QUIET]
        return History(found if wanted.who == "moi" else whole, older)

    async def export_history(self, ctx: Context) -> AsyncIterator[AccessEvent]:
        space, cursor = _space(ctx), None
        while True:
            async with self._database.reader() as reader:
                lines, cursor = await self._gateway.access_history(
                    reader, ctx, space, cursor=cursor, count=_RECENT_LINES
                )
            named = await self._records.named(ctx, space, documents_named(lines))
            for event in events(lines, _citizen(ctx).patient, named, frozenset()):
                yield event
            if cursor is None:
                return

    async def event(self, ctx: Context, id: str) -> AccessEvent:
        lines = await self._lines(ctx, id)
        named = await self._records.named(ctx, _space(ctx), documents_named(lines))
        return events(lines, _citizen(ctx).patient, named, frozenset())[0]

    async def report_access(self, ctx: Context, id: str, words: str, *, block: bool) -> None:
        line = (await self._lines(ctx, id))[0]
        details = {
            "words": words,
            "actor": line.actor_id,
            "actor_name": line.actor_name,
            "at": line.at.isoformat(),
            "rule": line.rule,
            "organization_name": line.organization_name,
        }
        async with self._database.transaction() as tx:
            await reports.report(tx, ctx, _space(ctx), ReportKind.UNRECOGNISED_ACCESS, id, details)
            if block and line.actor_kind == "professional":
                party = Party(line.actor_id, line.actor_name)
                await self._gateway.rights.block(tx, ctx, _space(ctx), party)

    # Steps

    async def _lines(self, ctx: Context, id: str) -> list[TraceLine]:
        """One line of the history."""
        try:
            filters = Filters(id=UUID(id))
        except ValueError:
            raise _unknown_access() from None
        async with self._database.reader() as reader:
            lines, _ = await self._gateway.access_history(reader, ctx, _space(ctx), filters, count=1)
        if not lines:
            raise _unknown_access()
        return lines

    async def _hold(self, reader: Reader, ctx: Context) -> None:
        """Make sure, from the facts of now, that this citizen may look at the space."""
        eyes = Eyes.of(ctx)
        verdict = judge_entry(await self._gateway.facts(reader, ctx, eyes, _space(ctx)), eyes)
        if not verdict.allowed:
            raise refusal(Wanted.READ, "Patient", verdict.rule)

    async def _seen(self, ctx: Context, id: str) -> None:
        """What was told of a document is read once the document is open."""
        async with self._database.transaction() as tx:
            for one in await notification.notices(tx, ctx, count=100):
                if (one.subject or "").rpartition("/")[2] == id:
                    await notification.mark_read(tx, ctx, one.id)

    async def _viewers(
        self, reader: Reader, ctx: Context, document: Document, grants: Sequence[Grant]
    ) -> Sequence[Viewer]:
        """The people known to this record, and whether each may read this document now."""
        found: dict[str, Professional] = {}
        for grant in grants:
            if grant.party.kind == "professional" and grant.party.id not in found:
                actor = await professional(reader, grant.party)
                if actor is not None:
                    found[grant.party.id] = actor
        if not found:
            return ()
        told = await self._gateway.explain(reader, ctx, "DocumentReference", document.id, list(found.values()))
        return [Viewer(proper(one.viewer.name), one.allowed, one.rule.value) for one in told]

    async def _party(self, reader: Reader, ctx: Context, id: str) -> Party:
        """Whom an id of the directory, or of a grant, names."""
        for grant in await grants_of(reader, _space(ctx)):
            if grant.party.id == id:
                return grant.party
        structure = await directory.structure(reader, id)
        if structure is not None:
            return Party(id, structure.name, "organization")
        people = await directory.situations(reader, id[1:])
        if not people:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PERSON", "The directory knows nobody by this id.")
        return Party.of(people[0])

    async def _as_whom(self, ctx: Context, viewer: str) -> tuple[str, tuple[str, str] | None, Standing, str | None]:
        """Through whose eyes to look: a name, a role, a standing, and why nothing is seen, if nothing is."""
        kind, _, key = viewer.partition(":")
        if kind == "metier" and (role := role_of(key)) is not None:
            name = next(one.name for one in professions() if one.key == key)
            return name, role, Standing.AUTHORISED, None
        if viewer == "inconnu":
            return gettext("un médecin que vous n’avez pas autorisé"), None, Standing.NONE, "not_authorised"
        if viewer == "urgence":
            choices = await self.emergency_choices(ctx)
            standing = Standing.TREATING if choices.masked else Standing.AUTHORISED
            refused = None if choices.break_glass else "emergency_refused"
            return gettext("un médecin en cas d’urgence"), (G15, "10"), standing, refused
        async with self._database.reader() as reader:
            await self._hold(reader, ctx)
            grants = [one for one in await grants_of(reader, _space(ctx)) if one.in_force(ctx.now())]
            person = next((one for one in grants if one.party.id == viewer), None)
            actor = await professional(reader, person.party) if person else None
        if person is None or actor is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PERSON", "Choose somebody of the list.")
        states = {one.state for one in grants if one.party.id == viewer}
        if "blocked" in states:
            return actor.name, None, Standing.BLOCKED, "blocked"
        standing = Standing.TREATING if states & {"treating", "administrator"} else Standing.AUTHORISED
        return actor.name, (actor.profession_system, actor.profession), standing, None


def _citizen(ctx: Context) -> Citizen:
    if not isinstance(ctx.actor, Citizen):
        raise Refusal(Kind.FORBIDDEN, "NOT_A_CITIZEN", "These pages are for citizens.")
    return ctx.actor


def _space(ctx: Context) -> UUID:
    return ctx.acting_for or _citizen(ctx).patient


def _notice(one: notification.Notice, named: Mapping[str, Document]) -> Notice:
    """A notice, with the title of its document."""
    document = named.get((one.subject or "").rpartition("/")[2])
    return Notice(one.id, one.at, one.code, one.subject, {"title": document.title} if document else {})


def _unknown_access() -> Refusal:
    return Refusal(Kind.NOT_FOUND, "NO_SUCH_ACCESS", "The history has no such access.")
