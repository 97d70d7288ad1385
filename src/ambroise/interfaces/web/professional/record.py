"""The professional's pages on the real record: every question and every act goes through the door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from ambroise.interfaces.web.examinations import Examined
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.opening import opened_page
from ambroise.interfaces.web.professional.colleagues import colleague
from ambroise.interfaces.web.professional.describing import professional_of
from ambroise.interfaces.web.professional.filing import Filing
from ambroise.interfaces.web.professional.views import (
    Alarm,
    Asked,
    Colleague,
    Deposit,
    Deposited,
    PatientIdentity,
    PatientQuery,
    ProfessionalDocuments,
    Standing,
)
from ambroise.interfaces.web.records import Records, reported_as, row_of
from ambroise.interfaces.web.views import Content, DocumentFilter, DocumentList, DocumentPage, DocumentRow, Examinations
from ambroise.interfaces.xdm.filing import Zips
from ambroise.interfaces.xdm.writing import MOST
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.consent.api import Consents, Request, Requests
from ambroise.modules.directory import api as directory
from ambroise.modules.identity.api import Ins, Sex, check_ins, identity_of
from ambroise.modules.identity.api import PatientIdentity as Known
from ambroise.modules.notification.api import emergencies_for
from ambroise.modules.record.api import (
    Document,
    Record,
    ReportKind,
    reports,
    tables,
)
from ambroise.trust.access.decide import judge_entry
from ambroise.trust.access.facts import Eyes
from ambroise.trust.access.facts import Standing as Rank
from ambroise.trust.access.grants import grants_of, patients_of
from ambroise.trust.access.people import Party
from ambroise.trust.access.spaces import space_of
from ambroise.trust.audit.history import last_visit
from ambroise.trust.context import Context
from ambroise.trust.gateway import Gateway, Traits

_MOST_PATIENTS = 30
_MOST_NEWS = 200
_MOST_COLLEAGUES = 12
_TEST_INS = "urn:oid:1.2.250.1.213.1.4.10"
_INS = ("urn:oid:1.2.250.1.213.1.4.8", "urn:oid:1.2.250.1.213.1.4.9")
# What a professional does not file by hand: the patient's own pages, reimbursements, management documents.
_NOT_BY_HAND = ("90", "60", "95")
_SEXES: Mapping[Sex, str] = {Sex.FEMALE: "female", Sex.MALE: "male"}


class ProfessionalRecord:
    """Answers the professional's pages."""

    def __init__(self, records: Records, record: Record, zips: Zips) -> None:
        self._records = records
        self._record = record
        self._examined = Examined(records)
        self._filing = Filing(records, record, zips)
        self._database = records.database
        self._gateway: Gateway = records.gateway
        self._requests = Requests(records.gateway)
        self._consents = Consents(records.gateway)

    async def my_patients(self, ctx: Context) -> Sequence[PatientIdentity]:
        me = professional_of(ctx)
        parties = [Party.of(me)]
        if me.organization:
            parties.append(Party(me.organization, me.organization_name or "", "organization"))
        async with self._database.reader() as reader:
            patients = await patients_of(reader, parties, ctx.now(), limit=_MOST_PATIENTS)
            found = [await identity_of(reader, patient) for patient in patients]
        return [_identity(one) for one in found if one is not None]

    async def alarms(self, ctx: Context) -> Sequence[Alarm]:
        async with self._database.reader() as reader:
            found = await emergencies_for(reader, ctx)
            known = {one: await identity_of(reader, one) for one in {one.patient for one in found}}
        return [
            Alarm(one.patient, _full_name(who), proper(one.party.name), one.purpose.value, one.opened)
            for one in found
            if (who := known[one.patient]) is not None
        ]

    async def find(self, ctx: Context, query: PatientQuery) -> Sequence[PatientIdentity]:
        async with self._database.reader() as reader:
            if query.ins:
                systems = (_TEST_INS,) if ctx.demonstration else _INS
                people = [
                    one
                    for system in systems
                    for one in await self._gateway.find_patient(reader, ctx, ins=(system, query.ins))
                ]
            elif query.birth_date is not None:
                traits = Traits(query.birth_name, query.first_name, query.birth_date, query.sex)
                people = await self._gateway.find_patient(reader, ctx, traits=traits)
            else:
                raise Refusal(Kind.INVALID, "TRAITS_MISSING", "Give the INS, or every trait.")
            found = [await identity_of(reader, one.patient) for one in people]
        return [_identity(one) for one in found if one is not None]

    async def identity(self, ctx: Context, patient: UUID) -> PatientIdentity:
        async with self._database.reader() as reader:
            # The door traces that this identity was looked at, and refuses when the space must not even be known.
            await self._gateway.read(reader, ctx, "Patient", str(patient))
            known = await identity_of(reader, patient)
        if known is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PATIENT", "No such patient.")
        return _identity(known)

    async def standing(self, ctx: Context, patient: UUID) -> Standing:
        eyes = Eyes.of(ctx)
        async with self._database.reader() as reader:
            facts = await self._gateway.facts(reader, ctx, eyes, patient)
            space = await space_of(reader, patient)
            grants = await grants_of(reader, patient)
            visited = await last_visit(reader, ctx, patient)
        verdict = judge_entry(facts, eyes)
        treating = next(
            (proper(one.party.name) for one in grants if one.state == "treating" and one.in_force(ctx.now())), None
        )
        return Standing(
            allowed=verdict.allowed,
            rule=verdict.rule.value,
            treating=treating,
            treats=facts.standing is Rank.TREATING,
            break_glass=bool(space and space.btg),
            emergency_opens_masked=bool(space and space.emergency_masked),
            last_visit=visited if verdict.allowed else None,
        )

    async def documents(
        self, ctx: Context, patient: UUID, wanted: DocumentFilter, last_visit: datetime | None
    ) -> ProfessionalDocuments:
        page = await self._records.page(ctx, patient, wanted)
        rows = [_marked(row_of(one, ctx), one, last_visit) for one in page.documents]
        inside = await self._records.inside(ctx, patient, wanted)
        if last_visit is None:
            return ProfessionalDocuments(rows, page.total, page.older, inside=inside)
        since = await self._records.page(ctx, patient, DocumentFilter(after=last_visit), count=_MOST_NEWS)
        news = Counter(row_of(one, ctx).category for one in since.documents)
        return ProfessionalDocuments(rows, page.total, page.older, inside, news=dict(news.most_common()))

    async def attempt(self, ctx: Context, patient: UUID) -> None:
        await self._records.latest(ctx, patient, 1)

    async def document(self, ctx: Context, patient: UUID, id: str) -> DocumentPage:
        opened = await self._records.open(ctx, id, f"/pro/patients/{patient}/documents/{id}")
        page = await self._described(ctx, patient, opened.document)
        return await opened_page(ctx, self._records, self._examined, page, opened)

    async def examinations(self, ctx: Context, patient: UUID, words: str) -> Examinations:
        return await self._examined.done(ctx, patient, words)

    async def about(self, ctx: Context, patient: UUID, id: str) -> DocumentPage:
        return await self._described(ctx, patient, await self._records.described(ctx, id))

    async def _described(self, ctx: Context, patient: UUID, document: Document) -> DocumentPage:
        """What the page says of a document besides its content."""
        if document.patient != patient:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_DOCUMENT", "This patient has no such document.")
        async with self._database.reader() as reader:
            reported = await reported_as(reader, ctx, document)
        return DocumentPage(
            row=row_of(document, ctx),
            media_type=document.media_type,
            size=document.size,
            filed=document.filed,
            comment=document.comment,
            version=document.version,
            can_mask=False,
            reported=reported,
        )

    async def content(self, ctx: Context, patient: UUID, id: str) -> Content:
        return await self._records.content(ctx, id)

    async def joined(self, ctx: Context, patient: UUID, id: str, name: str) -> Content:
        return await self._records.joined(ctx, id, name)

    async def report_document(self, ctx: Context, patient: UUID, id: str, words: str) -> None:
        async with self._database.transaction() as tx:
            document = await self._record.document(tx, ctx, id)
            if document.patient != patient:
                raise Refusal(Kind.NOT_FOUND, "NO_SUCH_DOCUMENT", "This patient has no such document.")
            await reports.report(tx, ctx, patient, ReportKind.MISFILED_DOCUMENT, id, {"words": words})

    async def report_duplicate(self, ctx: Context, patient: UUID, matricule: str, words: str) -> None:
        _check_matricule(ctx, matricule)
        await self.identity(ctx, patient)
        found = await self.find(ctx, PatientQuery(ins=matricule))
        if not found:
            raise Refusal(Kind.NOT_FOUND, "INS_UNKNOWN", "No space is open under this INS.")
        other = found[0].patient
        if other == patient:
            raise Refusal(Kind.INVALID, "SAME_SPACE", "A space is not a duplicate of itself.")
        details = {"words": words}
        async with self._database.transaction() as tx:
            await reports.report(tx, ctx, patient, ReportKind.DUPLICATE_IDENTITY, str(other), details)

    async def report_changed_ins(self, ctx: Context, patient: UUID, matricule: str, words: str) -> None:
        _check_matricule(ctx, matricule)
        if (await self.identity(ctx, patient)).ins == matricule:
            raise Refusal(Kind.INVALID, "INS_UNCHANGED", "Give the new matricule: this one is the present one.")
        details = {"words": words, "matricule": matricule}
        async with self._database.transaction() as tx:
            await reports.report(tx, ctx, patient, ReportKind.CHANGED_INS, str(patient), details)

    async def report_wrong_traits(
        self, ctx: Context, patient: UUID, traits: Sequence[str], proof: str, words: str
    ) -> None:
        await self.identity(ctx, patient)
        details = {"words": words, "traits": list(traits), "proof": proof}
        async with self._database.transaction() as tx:
            await reports.report(tx, ctx, patient, ReportKind.WRONG_TRAITS, str(patient), details)

    async def deposit(self, ctx: Context, patient: UUID, deposit: Deposit) -> Sequence[Deposited]:
        return await self._filing.deposit(ctx, patient, deposit)

    async def zipped(self, ctx: Context, patient: UUID, ids: Sequence[str]) -> Content:
        return await self._records.zipped(ctx, patient, ids)

    async def recent(self, ctx: Context, patient: UUID, wanted: DocumentFilter) -> DocumentList:
        page = await self._records.page(ctx, patient, wanted, count=MOST)
        return DocumentList([row_of(one, ctx) for one in page.documents], page.total, page.older)

    def document_types(self) -> Sequence[tuple[str, str]]:
        entries = tables.table("document_type").entries
        offered = [(one.code, one.label) for one in entries if tables.class_of_type(one.code) not in _NOT_BY_HAND]
        return sorted(offered, key=lambda one: one[1].casefold())

    async def record_consent(self, ctx: Context, patient: UUID, *, treating: bool) -> None:
        async with self._database.transaction() as tx:
            await (self._consents.as_treating if treating else self._consents.for_oneself)(tx, ctx, patient)

    async def find_colleagues(self, ctx: Context, words: str) -> Sequence[Colleague]:
        async with self._database.reader() as reader:
            found = await directory.search(reader, words, limit=_MOST_COLLEAGUES)
        me = professional_of(ctx).id
        return [colleague(one) for one in found if one.entry.id_nat != me]

    async def colleagues(self, ctx: Context, ids: Sequence[str]) -> Sequence[Colleague]:
        async with self._database.reader() as reader:
            known = [(id, await directory.exercises(reader, id[1:])) for id in dict.fromkeys(ids)]
        return [colleague(found[0]) for id, found in known if found and found[0].entry.id_nat == id]

    async def team(self, ctx: Context, patient: UUID) -> Sequence[Colleague]:
        async with self._database.reader() as reader:
            members = await self._consents.team(reader, ctx, patient)
        return [
            Colleague(one.party.id, proper(one.party.name), "", one.since, proper(one.recorded_name)) for one in members
        ]

    async def record_consent_for(self, ctx: Context, patient: UUID, id: str) -> None:
        other = (await self._parties(ctx, [id]))[0]
        async with self._database.transaction() as tx:
            await self._consents.for_another(tx, ctx, patient, other)

    async def record_team(self, ctx: Context, patient: UUID, ids: Sequence[str]) -> None:
        members = await self._parties(ctx, ids)
        async with self._database.transaction() as tx:
            await self._consents.for_team(tx, ctx, patient, members)

    async def _parties(self, ctx: Context, ids: Sequence[str]) -> list[Party]:
        """Those whom the directory knows; raises NO_SUCH_PERSON for anybody else."""
        known = await self.colleagues(ctx, ids)
        if len(known) < len(set(ids)):
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PERSON", "The directory knows nobody by this id.")
        return [Party(one.id, one.name) for one in known]

    async def ask_consent(self, ctx: Context, patient: UUID, reason: str) -> None:
        async with self._database.transaction() as tx:
            await self._requests.ask(tx, ctx, patient, reason)

    async def asked(self, ctx: Context, patient: UUID) -> Asked | None:
        async with self._database.reader() as reader:
            found = await self._requests.latest(reader, ctx, patient)
        return _asked(found, ctx) if found else None

    async def all_asked(self, ctx: Context) -> Sequence[Asked]:
        async with self._database.reader() as reader:
            found = await self._requests.sent(reader, ctx)
            known = {one.patient: await identity_of(reader, one.patient) for one in found}
        return [
            replace(_asked(one, ctx), name=_full_name(identity))
            for one in found
            if (identity := known[one.patient]) is not None
        ]

    async def open_emergency(self, ctx: Context, patient: UUID) -> None:
        async with self._database.transaction() as tx:
            await self._gateway.open_emergency(tx, ctx, patient)


def _asked(one: Request, ctx: Context) -> Asked:
    return Asked(
        patient=one.patient,
        state=one.state(ctx.now()).value,
        asked=one.asked_at,
        expires=one.expires_at,
        again=one.again_from(),
        answered=one.answered_at,
    )


def _full_name(known: Known) -> str:
    shown = _identity(known)
    return f"{shown.birth_name.upper()} {shown.first_name}".strip()


def _marked(row: DocumentRow, document: Document, last_visit: datetime | None) -> DocumentRow:
    """The row, which says whether it is new, or changed, since the last visit."""
    fresh = last_visit is not None and document.filed > last_visit
    return replace(row, new=fresh and document.version == 1, changed=fresh and document.version > 1)


def _check_matricule(ctx: Context, matricule: str) -> None:
    """Refuse (INS_INVALID) what is no matricule, or has a wrong key."""
    system = _TEST_INS if ctx.demonstration else _INS[0]
    check_ins(Ins(matricule, system.removeprefix("urn:oid:")), demonstration=ctx.demonstration)


def _identity(known: Known) -> PatientIdentity:
    traits = known.traits
    return PatientIdentity(
        patient=known.patient,
        birth_name=traits.birth_name or "",
        first_name=proper(traits.first_given or (traits.given_names or "").partition(" ")[0]),
        birth_date=traits.birth_date,
        sex=_SEXES.get(traits.sex, "unknown") if traits.sex else "unknown",  # type: ignore[arg-type]
        ins=usable.matricule if (usable := known.trust.usable_ins) else None,
        used_name=known.used_name,
        birth_place=traits.birth_place,
        status=known.status.value,
        attributes=tuple(sorted(one.value for one in known.attributes)),
    )
