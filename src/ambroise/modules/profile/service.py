"""The use cases of the profile: tell, change, take back, hide, say "I have none"."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal
from uuid import UUID

from msgspec.structs import replace

from ambroise.fhir.json import decode
from ambroise.fhir.search import parse
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.outbox import emit
from ambroise.modules.identity.api import identity_of
from ambroise.modules.notification.api import Code as NoticeCode
from ambroise.modules.notification.api import notify
from ambroise.modules.profile import limits, links, reading, repository, states
from ambroise.modules.profile.fhir import HOUSE
from ambroise.modules.profile.grouping import key_of
from ambroise.modules.profile.kinds import kind_of_section
from ambroise.modules.profile.looking import Looking, today_of
from ambroise.modules.profile.model import DECLARABLE, Draft, Item, Section
from ambroise.modules.profile.states import State
from ambroise.modules.profile.writing import Teller, write
from ambroise.trust.access.facts import Eyes, Viewer
from ambroise.trust.audit.entry import PatientEvent
from ambroise.trust.context import Citizen, Context
from ambroise.trust.gateway import Action, Flags, Gateway, Label, Stored, author_of

CHANGED: Final = "profile.changed"
"""Something was told, changed or taken back; the payload says of which section."""
_NO_FLAGS = Flags(0)
# The resources of the sections that links lead to.
_TYPES = {
    Section.ILLNESSES: "Condition",
    Section.ALLERGIES: "AllergyIntolerance",
    Section.TREATMENTS: "MedicationStatement",
}


class Traced(PatientEvent):
    """The acts of the profile."""

    PROFILE_TOLD = "profile_told"
    PROFILE_NONE = "profile_none"
    PROFILE_SHOWN = "profile_shown"
    PROFILE_HIDDEN = "profile_hidden"
    PROFILE_CODE_MADE = "profile_code_made"
    PROFILE_CODE_REVOKED = "profile_code_revoked"
    PROFILE_CODE_OPENED = "profile_code_opened"


class Profile(Looking):
    """The medical profile of a space."""

    def __init__(self, database: Database, gateway: Gateway) -> None:
        super().__init__(database, gateway)

    async def add(self, tx: Transaction, ctx: Context, patient: UUID, draft: Draft) -> str:
        """Tell something; its reference. Raises what `limits.check` refuses."""
        draft = await self._checked(tx, ctx, patient, draft)
        await repository.lock(tx, patient)
        state = (await self._states(tx, ctx, patient)).get(draft.section)
        await self._one_only(tx, ctx, patient, draft)
        resource = write(draft, patient, teller_of(ctx))
        label = self._label(ctx, patient, draft.section, hidden=bool(state and state.hidden))
        stored = await self.gateway.file(tx, ctx, resource, label, event=Traced.PROFILE_TOLD)
        await _changed(tx, patient, draft.section)
        if draft.section is Section.CONTACTS and ctx.acting_for is not None:
            details = {"name": ctx.actor.name}
            await notify(tx, patient, ctx.now(), NoticeCode.RELATIVE_ADDED, details=details)
        if state is not None and state.none_since:
            await self._say(tx, ctx, patient, draft.section, state, none=False)
        return f"{stored.type}/{stored.id}"

    async def change(self, tx: Transaction, ctx: Context, patient: UUID, reference: str, draft: Draft) -> None:
        """Say it otherwise. Only what the holder's side told changes."""
        draft = await self._checked(tx, ctx, patient, draft)
        await repository.lock(tx, patient)
        current = await self._open(tx, ctx, Action.UPDATE, patient, reference)
        self._same_section(current, draft)
        await self._refuse_confirmed(tx, ctx, patient, current)
        await self._one_only(tx, ctx, patient, draft, besides=current.id)
        resource = write(draft, patient, teller_of(ctx))
        await self.gateway.rewrite(tx, ctx, Action.UPDATE, current, {**resource, "id": current.id})
        await _changed(tx, patient, draft.section)

    async def remove(self, tx: Transaction, ctx: Context, patient: UUID, reference: str) -> None:
        """Take back what the holder's side told, with the links that lead to it."""
        current = await self._open(tx, ctx, Action.DELETE, patient, reference)
        await self._refuse_confirmed(tx, ctx, patient, current)
        await self._unlink(tx, ctx, patient, {reference})
        item = reading.read(current)
        await self.gateway.remove(tx, ctx, current.type, current.id)
        if item is not None:
            await _changed(tx, patient, item.section)

    async def hide(self, tx: Transaction, ctx: Context, patient: UUID, reference: str, *, hidden: bool) -> None:
        """Hide a line from professionals, with the links that lead to it; or show it again, without them."""
        if hidden:
            await self._unlink(tx, ctx, patient, {reference})
        await self._mask(tx, ctx, patient, reference, hidden=hidden)

    async def _mask(self, tx: Transaction, ctx: Context, patient: UUID, reference: str, *, hidden: bool) -> None:
        type, _, id = reference.partition("/")
        flags = {"set": Flags.MASKED} if hidden else {"clear": Flags.MASKED}
        event = Traced.PROFILE_HIDDEN if hidden else Traced.PROFILE_SHOWN
        label = await self.gateway.relabel(tx, ctx, Action.MASK, type, id, event=event, **flags)
        if label.patient != patient:
            raise Refusal(Kind.NOT_FOUND, "NOT_FOUND", "This is of another space.")

    async def hide_section(
        self, tx: Transaction, ctx: Context, patient: UUID, section: Section, *, hidden: bool
    ) -> None:
        """Hide a whole section, what is told later included, or show it again."""
        await repository.lock(tx, patient)
        state = (await self._states(tx, ctx, patient)).get(section)
        if state is None:
            await self._say(tx, ctx, patient, section, None, none=False, hidden=hidden)
        elif state.hidden is not hidden:
            await self._mask(tx, ctx, patient, f"List/{state.id}", hidden=hidden)
        items = (await self.sheet_in(tx, ctx, patient, (section,)))[section].items
        changed = [one.reference for item in items for one in (item, *item.same) if one.id and one.hidden is not hidden]
        if hidden:
            await self._unlink(tx, ctx, patient, set(changed))
        for reference in changed:
            await self._mask(tx, ctx, patient, reference, hidden=hidden)

    async def declare_none(self, tx: Transaction, ctx: Context, patient: UUID, section: Section, *, none: bool) -> None:
        """Say "I have none" of a section that is empty, or take it back."""
        if section not in DECLARABLE:
            raise Refusal(Kind.UNPROCESSABLE, "PROFILE_NOT_DECLARABLE", "One does not say this of that section.")
        await repository.lock(tx, patient)
        if none and any(not item.denied for item in (await self.sheet_in(tx, ctx, patient, (section,)))[section].items):
            raise Refusal(Kind.CONFLICT, "PROFILE_NOT_EMPTY", "Something is there: take it back first.")
        state = (await self._states(tx, ctx, patient)).get(section)
        await self._say(tx, ctx, patient, section, state, none=none)

    async def item(self, ctx: Context, patient: UUID, section: Section, id: str) -> Item:
        """One line of a section. Raises NOT_FOUND."""
        found = (await self.sheet(ctx, patient, (section,)))[section].items
        for item in (one for group in found for one in (group, *group.same)):
            if item.id == id:
                return item
        raise Refusal(Kind.NOT_FOUND, "NOT_FOUND", "There is no such line.")

    async def _checked(self, tx: Transaction, ctx: Context, patient: UUID, draft: Draft) -> Draft:
        if draft.section is Section.TREATMENTS:
            name, comment = limits.shortened(draft.name, draft.comment)
            draft = replace(draft, name=name, comment=comment)
        known = await identity_of(tx, patient)
        limits.check(draft, known.traits.birth_date if known else None, today_of(ctx))
        if draft.links:
            await self._check_links(tx, ctx, patient, draft)
        return draft

    async def _check_links(self, tx: Transaction, ctx: Context, patient: UUID, draft: Draft) -> None:
        """A link leads to a line of the right section of this record, which nobody hides."""
        section = links.TO.get(draft.section)
        items = (await self.sheet_in(tx, ctx, patient, (section,)))[section].items if section else ()
        there = {one.reference for item in items for one in (item, *item.same) if not (one.hidden or one.withheld)}
        if not set(draft.links) <= there:
            raise Refusal(Kind.UNPROCESSABLE, "PROFILE_LINK_UNKNOWN", "There is no such line to link.", element="links")

    async def _unlink(self, tx: Transaction, ctx: Context, patient: UUID, references: Collection[str]) -> None:
        """Take the links that lead to these lines out of what the holder's side told."""
        sections = {one for one, to in links.TO.items() if {_TYPES[to]} & {ref.partition("/")[0] for ref in references}}
        if not sections:
            return
        sheet = await self.sheet_in(tx, ctx, patient, sections)
        lines = (one for part in sheet.parts.values() for item in part.items for one in (item, *item.same))
        for line in (one for one in lines if one.own and set(one.links) & set(references)):
            current = await self.gateway.open(tx, ctx, Action.UPDATE, line.type, line.id)
            await self.gateway.rewrite(tx, ctx, Action.UPDATE, current, links.without(decode(current.body), references))

    async def _states(self, tx: Transaction, ctx: Context, patient: UUID) -> dict[Section, State]:
        if not isinstance(ctx.actor, Citizen):
            # What the holder says of a section binds what the holder tells, not what professionals file.
            return {}
        pairs = [("patient", f"Patient/{patient}"), ("code", f"{HOUSE}|{states.MARK}")]
        page = await self.gateway.search(tx, ctx, parse("List", pairs, now=ctx.now()))
        return dict(filter(None, (states.read(stored) for stored, _ in page.entries)))

    async def _say(
        self,
        tx: Transaction,
        ctx: Context,
        patient: UUID,
        section: Section,
        state: State | None,
        *,
        none: bool,
        hidden: bool = False,
    ) -> None:
        resource = states.write(section, patient, teller_of(ctx), none=none)
        if state is None:
            label = self._label(ctx, patient, section, hidden=hidden)
            await self.gateway.file(tx, ctx, resource, label, event=Traced.PROFILE_NONE)
            return
        current = await self.gateway.open(tx, ctx, Action.UPDATE, "List", state.id)
        await self.gateway.rewrite(
            tx, ctx, Action.UPDATE, current, {**resource, "id": current.id}, event=Traced.PROFILE_NONE
        )

    def _label(self, ctx: Context, patient: UUID, section: Section, *, hidden: bool) -> Label:
        author, organization = author_of(ctx)
        told = isinstance(ctx.actor, Citizen)
        flags = (Flags.PATIENT_AUTHORED if told else _NO_FLAGS) | (Flags.MASKED if hidden else _NO_FLAGS)
        return Label(patient, kind_of_section(section), flags, author, organization)

    async def _open(self, tx: Transaction, ctx: Context, action: Action, patient: UUID, reference: str) -> Stored:
        type, _, id = reference.partition("/")
        current = await self.gateway.open(tx, ctx, action, type, id)
        if current.label.patient != patient or reading.read(current) is None:
            raise Refusal(Kind.NOT_FOUND, "NOT_FOUND", "There is no such line.")
        return current

    def _same_section(self, current: Stored, draft: Draft) -> None:
        item = reading.read(current)
        if item is None or item.section is not draft.section:
            raise Refusal(Kind.UNPROCESSABLE, "PROFILE_SECTION_CHANGED", "A line stays in its section.")

    async def _refuse_confirmed(self, tx: Transaction, ctx: Context, patient: UUID, current: Stored) -> None:
        """A vaccination that a professional wrote as well is no longer the holder's to change."""
        item = reading.read(current)
        if item is None or item.section is not Section.VACCINATIONS:
            return
        page = await self.gateway.search(
            tx, ctx, parse("Immunization", [("patient", f"Patient/{patient}")], now=ctx.now())
        )
        others = (reading.read(stored) for stored, _ in page.entries if stored.id != current.id)
        if any(one and not one.own and key_of(one) == key_of(item) for one in others):
            raise Refusal(Kind.FORBIDDEN, "PROFILE_CONFIRMED", "A professional confirmed this vaccination.")

    async def _one_only(self, tx: Transaction, ctx: Context, patient: UUID, draft: Draft, *, besides: str = "") -> None:
        """One trusted contact (personne de confiance), one referring midwife, one corresponding pharmacist."""
        asked = draft.details.get("contact", "").split(",") if draft.section is Section.CONTACTS else ()
        role = draft.details.get("role", "") if draft.section is Section.NETWORK else ""
        if "TRUSTED_CONTACT" not in asked and role not in ("SAGE_FEMME_REFERENTE", "PHARMACIEN_CORRESPONDANT"):
            return
        type = "RelatedPerson" if asked else "CareTeam"
        page = await self.gateway.search(tx, ctx, parse(type, [("patient", f"Patient/{patient}")], now=ctx.now()))
        for stored, _ in page.entries:
            item = reading.read(stored)
            if item is None or item.id == besides:
                continue
            if asked and "TRUSTED_CONTACT" in item.details.get("contact", "").split(","):
                raise Refusal(Kind.CONFLICT, "PROFILE_ONE_TRUSTED", "There is one trusted contact at most.")
            if role and item.details.get("role") == role:
                raise Refusal(Kind.CONFLICT, "PROFILE_ONE_ROLE", "There is one such professional at most.")


async def _changed(tx: Transaction, patient: UUID, section: Section) -> None:
    """Tell those who work something out from the profile that a section of it changed."""
    await emit(tx, CHANGED, {"section": section.value}, patient=patient)


def teller_of(ctx: Context) -> Teller:
    """Who tells, from the context of the request."""
    by: Literal["patient", "representative", "carer", "professional"] = "professional"
    if Eyes.of(ctx).viewer is Viewer.CITIZEN:
        acting = ctx.acting_for is not None and ctx.relation is not None
        by = ("carer" if ctx.relation == "carer" else "representative") if acting else "patient"
    return Teller(by, ctx.actor.name, ctx.now().isoformat(timespec="seconds"))
