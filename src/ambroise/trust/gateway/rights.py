"""Changing who may do what in a space: each act decided, written and traced together, and told to the outbox."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.outbox import emit
from ambroise.trust.access import feeding, grants, relations, restrictions, spaces
from ambroise.trust.access.authority import Act, authority
from ambroise.trust.access.decide import Action, refusal
from ambroise.trust.access.facts import Eyes, SpaceState
from ambroise.trust.access.people import Party
from ambroise.trust.access.relations import Basis, Reach
from ambroise.trust.access.rules import Rule
from ambroise.trust.audit.entry import REFUSED, Entry, Event, record
from ambroise.trust.audit.entry import Action as Code
from ambroise.trust.context import Citizen, Context, Professional, Relation

if TYPE_CHECKING:
    from ambroise.trust.gateway.core import Core


class Rights:
    """Authorisations, blocks, emergency choices, relations, the state of a space."""

    def __init__(self, door: Core) -> None:
        self._door = door

    async def open_space(
        self, tx: Transaction, ctx: Context, patient: UUID, *, state: SpaceState = SpaceState.OPEN_INACTIVE
    ) -> None:
        """Open a space (or reopen a closed one)."""
        rule = await self._allow(tx, ctx, patient, Act.OPEN, Event.SPACE_OPENED)
        await spaces.open_space(tx, ctx, patient, state=state)
        await self._done(tx, ctx, patient, "C", Event.SPACE_OPENED, rule, {"state": state.value})

    async def set_state(self, tx: Transaction, ctx: Context, patient: UUID, state: SpaceState) -> None:
        """Close, suspend, reopen, mark as deceased or purged."""
        rule = await self._allow(tx, ctx, patient, Act.STATE, Event.SPACE_STATE)
        await spaces.set_state(tx, ctx, patient, state)
        await self._done(tx, ctx, patient, "U", Event.SPACE_STATE, rule, {"state": state.value})

    async def live(
        self,
        tx: Transaction,
        ctx: Context,
        patient: UUID,
        state: SpaceState,
        *,
        act: Act = Act.LIVE,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Take a step of the life of a space, which the module of that life found possible."""
        rule = await self._allow(tx, ctx, patient, act, Event.SPACE_STATE)
        await spaces.set_state(tx, ctx, patient, state)
        await self._done(tx, ctx, patient, "U", Event.SPACE_STATE, rule, {"state": state.value, **(details or {})})

    async def allow(self, tx: Transaction, ctx: Context, patient: UUID, act: Act) -> str:
        """The rule under which this caller may do an act; a refusal is traced, then raised."""
        return await self._allow(tx, ctx, patient, act, Event.SPACE_STATE)

    async def set_emergency_consents(
        self, tx: Transaction, ctx: Context, patient: UUID, *, etreat: bool, btg: bool, masked: bool
    ) -> None:
        """Record the three emergency choices."""
        rule = await self._allow(tx, ctx, patient, Act.CHOICES, Event.EMERGENCY_CHOICES)
        await spaces.set_emergency_consents(tx, ctx, patient, etreat=etreat, btg=btg, masked=masked)
        chosen = {"etreat": etreat, "btg": btg, "masked": masked}
        await self._done(tx, ctx, patient, "U", Event.EMERGENCY_CHOICES, rule, chosen)

    async def set_masked_by_default(self, tx: Transaction, ctx: Context, patient: UUID, masked: bool) -> None:
        """Record whether new documents arrive masked."""
        rule = await self._allow(tx, ctx, patient, Act.CHOICES, Event.DEFAULT_MASKING)
        await spaces.set_masked_by_default(tx, ctx, patient, masked)
        await self._done(tx, ctx, patient, "U", Event.DEFAULT_MASKING, rule, {"masked": masked})

    async def set_feed_opposed(
        self, tx: Transaction, ctx: Context, patient: UUID, opposed: bool, *, reason: str | None = None
    ) -> None:
        """Record an opposition to feeding, with its legitimate reason (motif légitime), or its end."""
        if opposed and not reason:
            raise Refusal(
                Kind.INVALID, "OPPOSITION_REASON_MISSING", "An opposition to feeding needs its legitimate reason."
            )
        rule = await self._allow(tx, ctx, patient, Act.CHOICES, Event.FEED_OPPOSITION)
        await spaces.set_feed_opposed(tx, ctx, patient, opposed)
        if not opposed:
            await feeding.allow_everybody(tx, patient)
        await self._done(tx, ctx, patient, "U", Event.FEED_OPPOSITION, rule, {"opposed": opposed, "reason": reason})

    async def oppose_feeding(
        self, tx: Transaction, ctx: Context, patient: UUID, structure: Party, *, opposed: bool
    ) -> None:
        """Record that the patient opposes one structure's feeding, or no longer does, as that structure collected it.

        The professional who records it answers for the legitimate reason (motif légitime).
        """
        rule = await self._allow(tx, ctx, patient, Act.FEEDING, Event.FEED_OPPOSITION, structure)
        if opposed:
            await feeding.oppose(tx, ctx, patient, structure)
        else:
            await feeding.allow(tx, patient, structure)
        about = {"opposed": opposed, **(_about(structure) or {})}
        await self._done(tx, ctx, patient, "U", Event.FEED_OPPOSITION, rule, about)

    async def authorise(
        self, tx: Transaction, ctx: Context, patient: UUID, party: Party, *, until: datetime | None = None
    ) -> None:
        """Record consent to this professional or structure reading: by the patient, or collected by a professional."""
        rule = await self._allow(tx, ctx, patient, Act.AUTHORISE, Event.AUTHORISED, party)
        await grants.authorise(tx, ctx, patient, party, until=until)
        await self._granted(tx, ctx, patient, Event.AUTHORISED, rule, party)

    async def authorise_another(self, tx: Transaction, ctx: Context, patient: UUID, party: Party) -> None:
        """Record the consent that a professional who reads collected for another one (CSP R. 1111-46).

        Nobody but the patient learns of a block: for somebody blocked nothing is recorded but that it was tried.
        """
        rule = await self._allow(tx, ctx, patient, Act.AUTHORISE, Event.AUTHORISED, party)
        if await grants.blocked_among(tx, patient, [party]):
            await self._set_aside(tx, ctx, patient, party)
            return
        await grants.authorise(tx, ctx, patient, party)
        await self._granted(tx, ctx, patient, Event.AUTHORISED, rule, party)

    async def open_presence(self, tx: Transaction, ctx: Context, patient: UUID) -> datetime:
        """Let the professional who calls read for a while, the patient being there; until when.

        The module that checked what the patient showed answers for it. Raises FORBIDDEN, traced, for a blocked
        professional, a closed space, or a profession that reads within a care team only.
        """
        if not isinstance(ctx.actor, Professional):
            raise refusal(Action.CREATE, "Consent", Rule.WRITE_RESERVED)
        me = Party.of(ctx.actor)
        rule = await self._allow(tx, ctx, patient, Act.MEET, Event.PRESENCE_OPENED, me)
        until = ctx.now() + grants.presence_lasts()
        await grants.open_presence(tx, ctx, patient, me, until)
        about = {**(_about(me) or {}), "until": until.isoformat()}
        await self._done(tx, ctx, patient, "E", Event.PRESENCE_OPENED, rule, about)
        return until

    async def end_presence(self, tx: Transaction, ctx: Context, patient: UUID, party: Party) -> None:
        """End at once what presence opened; a lasting consent stays."""
        rule = await self._allow(tx, ctx, patient, Act.REVOKE, Event.PRESENCE_ENDED, party)
        if await grants.revoke(tx, ctx, patient, party, team=grants.PRESENCE):
            await self._granted(tx, ctx, patient, Event.PRESENCE_ENDED, rule, party)

    async def authorise_care_team(
        self,
        tx: Transaction,
        ctx: Context,
        patient: UUID,
        team: UUID,
        members: Sequence[Party],
        *,
        until: datetime | None = None,
    ) -> None:
        """Record the first consent to a care team, which covers its members (Conseil d'État, 15 October 2025).

        The professional who records it is one of them. Members whom the patient blocked stay blocked, and nobody but
        the patient learns it.
        """
        held = [one.party for one in await self._team(tx, patient, team) if one.in_force(ctx.now())]
        oneself = next((one for one in (*members, *held) if _is_oneself(ctx, one)), None)
        rule = await self._allow(tx, ctx, patient, Act.FORM_TEAM, Event.CARE_TEAM_AUTHORISED, oneself)
        blocked = await grants.authorise_care_team(tx, ctx, patient, team, members, until=until)
        for one in blocked:
            await self._set_aside(tx, ctx, patient, one)
        covered = [one for one in members if one not in blocked]
        details = {"team": str(team), "members": [one.id for one in covered], "party_name": _names(covered)}
        await self._done(tx, ctx, patient, "C", Event.CARE_TEAM_AUTHORISED, rule, details)

    async def end_care_team(self, tx: Transaction, ctx: Context, patient: UUID, team: UUID) -> None:
        """End at once what the first consent gave to a care team; what members hold otherwise stays."""
        rule = await self._allow(tx, ctx, patient, Act.REVOKE, Event.CARE_TEAM_ENDED)
        members = [one.party for one in await self._team(tx, patient, team)]
        ended = [one for one in members if await grants.revoke(tx, ctx, patient, one, team=team)]
        if ended:
            details = {"team": str(team), "members": [one.id for one in ended], "party_name": _names(ended)}
            await self._done(tx, ctx, patient, "D", Event.CARE_TEAM_ENDED, rule, details)

    async def _team(self, tx: Transaction, patient: UUID, team: UUID) -> list[grants.Grant]:
        return [one for one in await grants.grants_of(tx, patient) if one.via == "care_team" and one.team == team]

    async def declare_treating(
        self, tx: Transaction, ctx: Context, patient: UUID, party: Party, *, until: datetime | None = None
    ) -> None:
        """Record the treating doctor."""
        rule = await self._allow(tx, ctx, patient, Act.DECLARE_TREATING, Event.TREATING_DECLARED, party)
        await grants.declare_treating(tx, ctx, patient, party, until=until)
        await self._granted(tx, ctx, patient, Event.TREATING_DECLARED, rule, party)

    async def appoint_administrator(
        self, tx: Transaction, ctx: Context, patient: UUID, party: Party, *, until: datetime | None = None
    ) -> None:
        """Record an administrator doctor."""
        rule = await self._allow(tx, ctx, patient, Act.APPOINT, Event.ADMINISTRATOR_APPOINTED, party)
        await grants.appoint_administrator(tx, ctx, patient, party, until=until)
        await self._granted(tx, ctx, patient, Event.ADMINISTRATOR_APPOINTED, rule, party)

    async def revoke(
        self, tx: Transaction, ctx: Context, patient: UUID, party: Party, *, team: UUID | None = None
    ) -> None:
        """End an authorisation at once."""
        rule = await self._allow(tx, ctx, patient, Act.REVOKE, Event.REVOKED, party)
        if await grants.revoke(tx, ctx, patient, party, team=team):
            await self._granted(tx, ctx, patient, Event.REVOKED, rule, party)

    async def block(self, tx: Transaction, ctx: Context, patient: UUID, party: Party) -> None:
        """Block a professional or a structure."""
        rule = await self._allow(tx, ctx, patient, Act.BLOCK, Event.BLOCKED, party)
        await grants.block(tx, ctx, patient, party)
        await self._granted(tx, ctx, patient, Event.BLOCKED, rule, party)

    async def unblock(self, tx: Transaction, ctx: Context, patient: UUID, party: Party) -> None:
        """Lift a block; consent must be given anew."""
        rule = await self._allow(tx, ctx, patient, Act.UNBLOCK, Event.UNBLOCKED, party)
        if await grants.unblock(tx, ctx, patient, party):
            await self._granted(tx, ctx, patient, Event.UNBLOCKED, rule, party)

    async def listed(self, tx: Transaction, ctx: Context, patient: UUID) -> list[grants.Grant]:
        """Who may read and who is blocked, for whoever may block somebody: the patient's side, the doctor in charge."""
        rule = await self._allow(tx, ctx, patient, Act.BLOCK, Event.RIGHTS_READ)
        held = [one for one in await grants.grants_of(tx, patient) if one.in_force(ctx.now())]
        await record(tx, ctx, Entry("R", Event.RIGHTS_READ, patient, rule=rule, count=len(held)))
        return held

    async def restrict(
        self,
        tx: Transaction,
        ctx: Context,
        patient: UUID,
        party: Party,
        *,
        kinds: Collection[int] = (),
        document: UUID | None = None,
        until: datetime | None = None,
    ) -> UUID:
        """Keep some kinds of documents, or one document, from a professional or a structure; the id of the gesture."""
        if not kinds and document is None:
            raise Refusal(Kind.INVALID, "RESTRICTION_EMPTY", "Say which documents to keep from this person.")
        if until is not None and until <= ctx.now():
            raise Refusal(Kind.INVALID, "RESTRICTION_OVER", "Choose an end that is still to come.", element="until")
        rule = await self._allow(tx, ctx, patient, Act.RESTRICT, Event.RESTRICTED, party)
        id = await restrictions.restrict(tx, ctx, patient, party, kinds=kinds, document=document, until=until)
        what = {"restriction": str(id), "kinds": sorted(kinds), "document": str(document) if document else None}
        about = {**(_about(party) or {}), **what, "until": until.isoformat() if until else None}
        await self._done(tx, ctx, patient, "U", Event.RESTRICTED, rule, about)
        return id

    async def lift_restriction(self, tx: Transaction, ctx: Context, patient: UUID, id: UUID) -> None:
        """Undo one of those gestures."""
        rule = await self._allow(tx, ctx, patient, Act.RESTRICT, Event.RESTRICTION_LIFTED)
        for one in await restrictions.restrictions_of(tx, patient):
            if one.id == id and await restrictions.lift(tx, patient, id):
                about = {**(_about(one.party) or {}), "restriction": str(id)}
                await self._done(tx, ctx, patient, "U", Event.RESTRICTION_LIFTED, rule, about)
                return
        raise Refusal(Kind.NOT_FOUND, "NO_SUCH_RESTRICTION", "Nothing is kept from anybody under this id.")

    async def set_relation(
        self,
        tx: Transaction,
        ctx: Context,
        patient: UUID,
        person: UUID,
        kind: Relation,
        *,
        person_name: str = "",
        until: datetime | None = None,
        scope: Reach = "act",
        basis: Basis = "declared",
    ) -> None:
        """Record a legal representative, a carer or a mediator."""
        rule = await self._allow(tx, ctx, patient, Act.RELATE, Event.RELATION_SET)
        await relations.set_relation(
            tx, ctx, patient, person, kind, person_name=person_name, until=until, scope=scope, basis=basis
        )
        about = {"person": str(person), "kind": kind, "scope": scope, "party_name": person_name}
        await self._done(tx, ctx, patient, "C", Event.RELATION_SET, rule, about)

    async def accept_relation(
        self,
        tx: Transaction,
        ctx: Context,
        patient: UUID,
        kind: Relation,
        *,
        until: datetime | None,
        scope: Reach,
        basis: Basis,
        invitation: UUID,
    ) -> None:
        """Record that the caller accepted to act in a space whose holder's side asked it, by an invitation or a code.

        The module that keeps invitations answers for it; the caller can give this to nobody but himself.
        """
        actor = await self._himself(tx, ctx, patient, Event.RELATION_SET)
        await relations.set_relation(
            tx, ctx, patient, actor.patient, kind, person_name=actor.name, until=until, scope=scope, basis=basis
        )
        about = {
            "person": str(actor.patient),
            "kind": kind,
            "scope": scope,
            "party_name": actor.name,
            "invitation": str(invitation),
        }
        await self._done(tx, ctx, patient, "C", Event.RELATION_SET, kind, about)

    async def end_relation(self, tx: Transaction, ctx: Context, patient: UUID, person: UUID, kind: Relation) -> None:
        """End a relation, for the holder's side and the desk."""
        rule = await self._allow(tx, ctx, patient, Act.RELATE, Event.RELATION_ENDED)
        await self._ended(tx, ctx, patient, person, kind, rule)

    async def leave_relation(self, tx: Transaction, ctx: Context, patient: UUID, kind: Relation) -> None:
        """End what the caller himself is to somebody."""
        actor = await self._himself(tx, ctx, patient, Event.RELATION_ENDED)
        await self._ended(tx, ctx, patient, actor.patient, kind, kind)

    async def _ended(
        self, tx: Transaction, ctx: Context, patient: UUID, person: UUID, kind: Relation, rule: str
    ) -> None:
        if await relations.end_relation(tx, ctx, patient, person, kind):
            await self._done(tx, ctx, patient, "D", Event.RELATION_ENDED, rule, {"person": str(person), "kind": kind})

    async def _himself(self, tx: Transaction, ctx: Context, patient: UUID, event: Event) -> Citizen:
        """The citizen who acts in his own name; anybody else is refused, and it is traced."""
        if isinstance(ctx.actor, Citizen) and Eyes.of(ctx).own:
            return ctx.actor
        rule = Rule.WRITE_RESERVED
        await self._door.note(ctx, Entry("U", event, patient, rule=rule.value, outcome=REFUSED))
        raise refusal(Action.CREATE, "Consent", rule)

    async def _allow(
        self, tx: Transaction, ctx: Context, patient: UUID, act: Act, event: Event, party: Party | None = None
    ) -> str:
        """The rule that allows an act; a refusal is traced on its own, then raised."""
        eyes = Eyes.of(ctx)
        facts = await self._door.facts(tx, ctx, eyes, patient)
        verdict = authority(facts, eyes, act, for_oneself=party is not None and _is_oneself(ctx, party))
        if eyes.person is not None and eyes.space != patient:
            verdict = verdict._replace(allowed=False, rule=Rule.OTHER_SPACE)
        if not verdict.allowed:
            details = _about(party)
            await self._door.note(
                ctx, Entry("U", event, patient, rule=verdict.rule.value, outcome=REFUSED, details=details)
            )
            raise refusal(Action.CREATE, "Consent", verdict.rule)
        return verdict.rule.value

    async def _set_aside(self, tx: Transaction, ctx: Context, patient: UUID, party: Party) -> None:
        """Leave the line of a consent that a block keeps from counting."""
        entry = Entry("U", Event.AUTHORISED, patient, rule=Rule.BLOCKED.value, outcome=REFUSED, details=_about(party))
        await record(tx, ctx, entry)

    async def _granted(
        self, tx: Transaction, ctx: Context, patient: UUID, event: Event, rule: str, party: Party
    ) -> None:
        await self._done(tx, ctx, patient, "U", event, rule, _about(party) or {})

    async def _done(
        self, tx: Transaction, ctx: Context, patient: UUID, code: Code, event: Event, rule: str, details: dict[str, Any]
    ) -> None:
        self._door.forget_facts(tx)
        await record(tx, ctx, Entry(code, event, patient, rule=rule, details=details))
        await emit(tx, f"access.{event.value}", details, patient=patient)


def _is_oneself(ctx: Context, party: Party) -> bool:
    return isinstance(ctx.actor, Professional) and party.id in (ctx.actor.id, ctx.actor.organization)


def _names(parties: Sequence[Party]) -> str:
    return ", ".join(one.name or one.id for one in parties)


def _about(party: Party | None) -> dict[str, Any] | None:
    """Who an act is about, for the trace: the name as it was then."""
    return None if party is None else {"party": party.id, "party_name": party.name, "party_kind": party.kind}
