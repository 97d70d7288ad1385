"""The use cases of representatives and carers: find, invite, answer, end; children and guardianship; majority."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import hash64, new_id, shard_of
from ambroise.kernel.outbox import emit
from ambroise.modules.identity.api import Ins, PatientIdentity, Trait, Traits, differences, identity_of, identity_under
from ambroise.modules.notification.api import Code, notify
from ambroise.modules.relations import events, repository
from ambroise.modules.relations.model import Answer, Invitation, Known, Traced, is_minor, limits, majority
from ambroise.trust.access.authority import Act
from ambroise.trust.access.facts import Eyes, SpaceState
from ambroise.trust.access.lookups import count_lookup
from ambroise.trust.access.relations import Reach, RelationFact, relations_of, spaces_of_person
from ambroise.trust.access.spaces import space_of
from ambroise.trust.audit.entry import Entry
from ambroise.trust.context import Citizen, Context, Operator, Relation
from ambroise.trust.gateway import Gateway

_LOOKUPS_A_MINUTE: Final = 10
_ASKED: Final = frozenset({Trait.BIRTH_NAME, Trait.FIRST_GIVEN, Trait.BIRTH_DATE})


class Relations(Struct, frozen=True):
    """Who acts for whom."""

    gateway: Gateway

    # Inviting.

    async def count_search(self, tx: Transaction, ctx: Context) -> bool:
        """Count one more search, in a transaction of its own; false beyond what a person does in a minute."""
        done = await count_lookup(tx, hash64(f"relations:{_citizen(ctx).patient}"), ctx.now())
        return done.in_minute <= _LOOKUPS_A_MINUTE

    async def find(self, reader: Reader, ctx: Context, ins: Ins, traits: Traits) -> Known:
        """Somebody with exactly this INS, birth name, first name and birth date, whose space is activated.

        Raises PROFILE_NOT_FOUND, the same whatever is wrong: nobody learns who has a space.
        """
        _citizen(ctx)
        found = await identity_under(reader, ins)
        if found is None or found.merged_into is not None or not _same(found, traits):
            raise _not_found()
        space = await space_of(reader, found.patient)
        if space is None or space.state is not SpaceState.OPEN_ACTIVE:
            raise _not_found()
        return Known(found.patient, found.display_name)

    async def invite_carer(
        self, tx: Transaction, ctx: Context, person: Known, *, scope: Reach, ends_on: date | None = None
    ) -> Invitation:
        """Ask somebody to help as a carer (aidant): to see, or also to act; until a day, or until it is ended.

        Raises OUTGOING_… (three carers a person) and INCOMING_CAREGIVING_DELEGATIONS_LIMIT_REACHED (five people a
        carer), SAME_INVITATION_ALREADY_EXISTS, SAME_ and ANOTHER_DELEGATION_ALREADY_EXISTS.
        """
        patient = _space(ctx)
        ends_at = None
        if ends_on is not None:
            ends_at = datetime.combine(ends_on, datetime.min.time(), ctx.now().tzinfo)
            if ends_at <= ctx.now():
                raise Refusal(Kind.UNPROCESSABLE, "END_DATE", "The last day must be later than today.", element="ends")
        if scope not in ("see", "act"):
            raise Refusal(Kind.INVALID, "SCOPE_UNKNOWN", "A carer sees, or also acts.", element="scope")
        await self.gateway.rights.allow(tx, ctx, patient, Act.RELATE)
        await repository.lock_people(tx, patient, person.patient)
        await self._refuse_relatives(tx, ctx, patient, person, "carer")
        carers = [one for one in await relations_of(tx, patient) if one.kind == "carer" and one.in_force(ctx.now())]
        waiting = await self._waiting(tx, ctx, patient, "carer")
        if len(carers) + len(waiting) >= limits().carers:
            raise _refused("OUTGOING_CAREGIVING_DELEGATIONS_LIMIT_REACHED", "This person has as many carers as may be.")
        await self._refuse_sixth(tx, ctx, person.patient)
        return await self._invite(tx, ctx, patient, person, "carer", scope, ends_at)

    async def invite_representative(self, tx: Transaction, ctx: Context, person: Known) -> Invitation:
        """Ask the other parent to represent the child too: one second representative, until the child is of age.

        Raises NOT_A_MINOR, REPRESENTATIVES_LIMIT_REACHED, and what inviting a carer raises about double invitations.
        """
        child = _space(ctx)
        known = await identity_of(tx, child)
        if known is None or not is_minor(known.traits.birth_date, ctx.now()):
            raise _refused("NOT_A_MINOR", "Only a child has legal representatives by invitation.")
        await self.gateway.rights.allow(tx, ctx, child, Act.RELATE)
        await repository.lock_people(tx, child, person.patient)
        await self._refuse_relatives(tx, ctx, child, person, "representative")
        present = [one for one in await relations_of(tx, child) if one.kind == "representative"]
        if len(present) + len(await self._waiting(tx, ctx, child, "representative")) >= limits().representatives:
            raise _refused("REPRESENTATIVES_LIMIT_REACHED", "This child has two representatives already.")
        ends_at = majority(known.traits.birth_date) if known.traits.birth_date else None
        return await self._invite(tx, ctx, child, person, "representative", "act", ends_at)

    async def withdraw(self, tx: Transaction, ctx: Context, id: UUID) -> None:
        """Take an invitation back before it was answered."""
        one = await self._pending(tx, ctx, id)
        if one.patient != _space(ctx):
            raise _no_invitation()
        await self.gateway.rights.allow(tx, ctx, one.patient, Act.RELATE)
        await self._answered(tx, ctx, one, Answer.WITHDRAWN)

    # Answering.

    async def accept(self, tx: Transaction, ctx: Context, id: UUID) -> Invitation:
        """Accept to act in somebody's space, from now on. Raises INVITATION_NOT_FOUND, INVITATION_ENDED."""
        one = await self._mine(tx, ctx, id)
        await repository.lock_people(tx, one.patient, one.invitee)
        if not await _acts(tx, ctx, one.patient, one.invited_by):
            raise _refused("INVITATION_ENDED", "Whoever sent this invitation represents that person no more.")
        if one.kind == "carer":
            await self._refuse_sixth(tx, ctx, one.invitee)
        await self.gateway.rights.accept_relation(
            tx, ctx, one.patient, one.kind, until=one.ends_at, scope=one.scope, basis="invitation", invitation=one.id
        )
        if one.kind == "representative" and one.ends_at is not None:
            await emit(tx, events.MAJORITY, {}, patient=one.patient, not_before=one.ends_at)
        return await self._answered(tx, ctx, one, Answer.ACCEPTED)

    async def refuse(self, tx: Transaction, ctx: Context, id: UUID) -> Invitation:
        """Decline an invitation."""
        return await self._answered(tx, ctx, await self._mine(tx, ctx, id), Answer.REFUSED)

    async def end(self, tx: Transaction, ctx: Context, person: UUID, kind: Relation) -> None:
        """End what somebody is to the holder of the space that the caller looks at."""
        patient = _space(ctx)
        await self.gateway.rights.end_relation(tx, ctx, patient, person, kind)
        await notify(tx, person, ctx.now(), Code.ENDED_BY_HOLDER, details={"name": await _name(tx, patient)})
        await emit(tx, events.ENDED, {"person": str(person), "kind": kind}, patient=patient)

    async def leave(self, tx: Transaction, ctx: Context, patient: UUID, kind: Relation) -> None:
        """End what the caller is to somebody. A legal representative does not leave a child this way."""
        if kind == "representative":
            raise _refused("REPRESENTATION_STAYS", "The desk ends a legal representation, on a proof.")
        me = _citizen(ctx)
        await self.gateway.rights.leave_relation(tx, ctx, patient, kind)
        if kind == "carer":
            await notify(tx, patient, ctx.now(), Code.ENDED_BY_CARER, details={"name": me.name})
        await emit(tx, events.ENDED, {"person": str(me.patient), "kind": kind}, patient=patient)

    # The desk, and the instance.

    async def attach_child(self, tx: Transaction, ctx: Context, child: UUID, parent: UUID) -> None:
        """Record the parent to whom a child is attached at the insurer, until the child is of age."""
        known = await identity_of(tx, child)
        if known is None or known.traits.birth_date is None or not is_minor(known.traits.birth_date, ctx.now()):
            raise _refused("NOT_A_MINOR", "Only a child is attached to a parent.")
        await repository.lock_people(tx, child, parent)
        others = [one for one in await relations_of(tx, child) if one.kind == "representative" and one.person != parent]
        if len(others) >= limits().representatives:
            raise _refused("REPRESENTATIVES_LIMIT_REACHED", "This child has two representatives already.")
        until = majority(known.traits.birth_date)
        await self.gateway.rights.set_relation(
            tx, ctx, child, parent, "representative", person_name=await _name(tx, parent), until=until, basis="parent"
        )
        await emit(tx, events.MAJORITY, {}, patient=child, not_before=until)

    async def set_guardian(
        self, tx: Transaction, ctx: Context, patient: UUID, guardian: UUID, *, ends_on: date | None = None
    ) -> None:
        """Record that somebody represents a protected adult (R. 1111-40): for the desk, on a judgment."""
        if not isinstance(ctx.actor, Operator):
            raise Refusal(Kind.FORBIDDEN, "DESK_ONLY", "The desk records a guardianship, on a judgment.")
        known = await identity_of(tx, patient)
        if known is None or await identity_of(tx, guardian) is None or patient == guardian:
            raise _not_found()
        if is_minor(known.traits.birth_date, ctx.now()):
            raise _refused("NOT_AN_ADULT", "A child is represented by parents: attach the child instead.")
        until = datetime.combine(ends_on, datetime.min.time(), ctx.now().tzinfo) if ends_on else None
        await self.gateway.rights.set_relation(
            tx,
            ctx,
            patient,
            guardian,
            "representative",
            person_name=await _name(tx, guardian),
            until=until,
            basis="guardianship",
        )

    async def end_for(self, tx: Transaction, ctx: Context, patient: UUID, person: UUID, kind: Relation) -> None:
        """End a relation by the desk."""
        if not isinstance(ctx.actor, Operator):
            raise Refusal(Kind.FORBIDDEN, "DESK_ONLY", "This is for the desk.")
        await self.gateway.rights.end_relation(tx, ctx, patient, person, kind)

    async def come_of_age(self, tx: Transaction, ctx: Context, patient: UUID) -> None:
        """On the eighteenth birthday: parents represent no more (their facts ended at that instant), both are told.

        What was consented to for the child is to be confirmed by the young adult.
        """
        name, ended = await _name(tx, patient), False
        for one in await relations_of(tx, patient):
            if one.kind != "representative" or one.basis == "guardianship" or one.in_force(ctx.now()):
                continue
            await self.gateway.rights.end_relation(tx, ctx, patient, one.person, one.kind)
            await notify(tx, one.person, ctx.now(), Code.CHILD_OF_AGE, details={"name": name})
            ended = True
        if ended:
            await notify(tx, patient, ctx.now(), Code.OF_AGE)

    # What is known.

    async def helpers(self, reader: Reader, ctx: Context) -> tuple[list[RelationFact], list[Invitation]]:
        """Who acts in the space that the caller looks at, and the invitations into it that wait.

        For the holder, and for who represents the holder now, whatever a session that began before still says.
        """
        patient, eyes = _space(ctx), Eyes.of(ctx)
        if not eyes.own and (await self.gateway.facts(reader, ctx, eyes, patient)).relation != "representative":
            return [], []
        people = [one for one in await relations_of(reader, patient) if one.in_force(ctx.now())]
        return people, [
            one for one in await repository.sent(reader, patient) if one.state_at(ctx.now()) is Answer.PENDING
        ]

    async def helped(self, reader: Reader, ctx: Context) -> tuple[list[RelationFact], list[Invitation]]:
        """For whom the caller acts, and the invitations that wait for an answer."""
        me = _citizen(ctx).patient
        people = [one for one in await spaces_of_person(reader, me) if one.in_force(ctx.now())]
        return people, [
            one for one in await repository.received(reader, me) if one.state_at(ctx.now()) is Answer.PENDING
        ]

    # How.

    async def _invite(
        self,
        tx: Transaction,
        ctx: Context,
        patient: UUID,
        person: Known,
        kind: Relation,
        scope: Reach,
        ends_at: datetime | None,
    ) -> Invitation:
        me, now = _citizen(ctx), ctx.now()
        one = Invitation(
            id=new_id(shard_of(patient)),
            patient=patient,
            kind=kind,
            invitee=person.patient,
            invitee_name=person.name,
            invited_by=me.patient,
            inviter_name=await _name(tx, patient),
            scope=scope,
            ends_at=ends_at,
            state=Answer.PENDING,
            sent_at=now,
            expires_at=now + limits().invitation,
        )
        await repository.add(tx, one)
        await self._traced(tx, ctx, one, Traced.RELATION_INVITED)
        await notify(tx, person.patient, now, Code.INVITED, subject=str(one.id), details={"name": one.inviter_name})
        await emit(tx, events.INVITED, {"invitation": str(one.id), "kind": kind}, patient=patient)
        return one

    async def _answered(self, tx: Transaction, ctx: Context, one: Invitation, state: Answer) -> Invitation:
        await repository.answer(tx, one, state, ctx.now())
        await self._traced(tx, ctx, one, Traced(f"relation_{state.value}"))
        if state is not Answer.WITHDRAWN:
            code = Code.INVITATION_ACCEPTED if state is Answer.ACCEPTED else Code.INVITATION_REFUSED
            await notify(tx, one.patient, ctx.now(), code, details={"name": one.invitee_name})
        await emit(tx, events.ANSWERED, {"invitation": str(one.id), "answer": state.value}, patient=one.patient)
        return replace(one, state=state, answered_at=ctx.now())

    async def _traced(self, tx: Transaction, ctx: Context, one: Invitation, event: Traced) -> None:
        about = {"invitation": str(one.id), "kind": one.kind, "party_name": one.invitee_name, "scope": one.scope}
        await self.gateway.trace(tx, ctx, Entry("U", event, one.patient, rule="patient", details=about))

    async def _pending(self, tx: Transaction, ctx: Context, id: UUID) -> Invitation:
        one = await repository.hold(tx, id)
        if one is None:
            raise _no_invitation()
        if one.state_at(ctx.now()) is not Answer.PENDING:
            raise _refused("INVITATION_ENDED", "This invitation was answered, withdrawn, or came to its end.")
        return one

    async def _mine(self, tx: Transaction, ctx: Context, id: UUID) -> Invitation:
        """An invitation that waits for the caller, who answers in his own name."""
        me = _citizen(ctx)
        one = await repository.hold(tx, id)
        if one is None or one.invitee != me.patient or _space(ctx) != me.patient:
            raise _no_invitation()
        return await self._pending(tx, ctx, id)

    async def _waiting(self, tx: Transaction, ctx: Context, patient: UUID, kind: Relation) -> list[Invitation]:
        return [
            one
            for one in await repository.sent(tx, patient)
            if one.kind == kind and one.state_at(ctx.now()) is Answer.PENDING
        ]

    async def _refuse_relatives(
        self, tx: Transaction, ctx: Context, patient: UUID, person: Known, kind: Relation
    ) -> None:
        if person.patient == patient:
            raise _refused("SELF_INVITATION", "Nobody is one's own carer or representative.")
        if any(
            one.invitee == person.patient and one.state_at(ctx.now()) is Answer.PENDING
            for one in await repository.sent(tx, patient)
        ):
            raise _refused("SAME_INVITATION_ALREADY_EXISTS", "An invitation to this person waits for an answer.")
        for one in await relations_of(tx, patient):
            if one.person == person.patient and one.kind != "mediator" and one.in_force(ctx.now()):
                code = "SAME_DELEGATION_ALREADY_EXISTS" if one.kind == kind else "ANOTHER_DELEGATION_ALREADY_EXISTS"
                raise _refused(code, "This person acts in this space already.")

    async def _refuse_sixth(self, tx: Transaction, ctx: Context, carer: UUID) -> None:
        people = [one for one in await spaces_of_person(tx, carer) if one.kind == "carer" and one.in_force(ctx.now())]
        if len(people) >= limits().cared_for:
            raise _refused("INCOMING_CAREGIVING_DELEGATIONS_LIMIT_REACHED", "This carer helps as many as may be.")


async def _acts(reader: Reader, ctx: Context, patient: UUID, inviter: UUID) -> bool:
    """Whether who invited is the holder, or still represents the holder: an invitation does not outlast that right."""
    return inviter == patient or any(
        one.person == inviter and one.kind == "representative" and one.in_force(ctx.now())
        for one in await relations_of(reader, patient)
    )


def _same(found: PatientIdentity, traits: Traits) -> bool:
    reference = replace(found.traits, given_names=None, sex=None, birth_place=None)
    asked = {one.trait for one in differences(reference, traits)}
    return not asked & _ASKED


def _citizen(ctx: Context) -> Citizen:
    if not isinstance(ctx.actor, Citizen):
        raise Refusal(Kind.FORBIDDEN, "NOT_A_CITIZEN", "Only a citizen invites, or helps.")
    return ctx.actor


def _space(ctx: Context) -> UUID:
    return ctx.space or _citizen(ctx).patient


async def _name(reader: Reader, patient: UUID) -> str:
    known = await identity_of(reader, patient)
    return known.display_name if known else ""


def _not_found() -> Refusal:
    return Refusal(
        Kind.NOT_FOUND, "PROFILE_NOT_FOUND", "Nobody with this identity has an activated space; check every trait."
    )


def _no_invitation() -> Refusal:
    return Refusal(Kind.NOT_FOUND, "INVITATION_NOT_FOUND", "No invitation of this id waits for you.")


def _refused(code: str, diagnostics: str) -> Refusal:
    return Refusal(Kind.CONFLICT, code, diagnostics)
