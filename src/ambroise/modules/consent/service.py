"""Asking, accepting, refusing, taking the answer back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.kernel.outbox import emit
from ambroise.modules.consent import repository
from ambroise.modules.consent.model import Request, State, Traced, limits
from ambroise.trust.access.authority import Act, authority
from ambroise.trust.access.decide import Action, judge_entry, refusal
from ambroise.trust.access.facts import Eyes
from ambroise.trust.access.grants import grants_of
from ambroise.trust.access.people import Party, recorder
from ambroise.trust.access.rules import Rule
from ambroise.trust.audit.entry import DONE, REFUSED, Entry
from ambroise.trust.context import Context, Professional, Purpose
from ambroise.trust.gateway import Gateway

_DAY = timedelta(days=1)
_SHOWN = timedelta(days=90)


class Requests:
    """The use cases of requests for consent (demandes d'accord)."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def ask(self, tx: Transaction, ctx: Context, patient: UUID, reason: str) -> Request:
        """Ask a patient, who is told, for consent to read; the answer says nothing of a block.

        Raises FORBIDDEN where consent would open nothing, CONFLICT when the caller reads already or asked before,
        THROTTLED when the caller asks too often.
        """
        me = _professional(ctx)
        await repository.hold(tx, me.key)
        blocked = await self._may_ask(tx, ctx, patient)
        await self._refuse_too_many(tx, ctx, patient, me)
        now = ctx.now()
        made = Request(
            id=new_id(shard_of(patient)),
            patient=patient,
            party=Party.of(me),
            role=(me.profession_system, me.profession),
            specialty=me.specialty,
            organization_name=me.organization_name,
            reason=reason.strip(),
            asked_at=now,
            expires_at=now + limits().lasts,
        )
        await repository.insert(tx, made, silent=blocked)
        if blocked:
            await self._traced(tx, ctx, Traced.ASKED, made, Rule.BLOCKED.value, REFUSED)
            return made
        await self._traced(tx, ctx, Traced.ASKED, made, None)
        await emit(tx, "consent.asked", _ids(made), patient=patient)
        return made

    async def accept(self, tx: Transaction, ctx: Context, id: UUID) -> Request:
        """Let the professional read: the consent is recorded as any other. Raises CONFLICT when it is over."""
        found = await self._open(tx, ctx, id)
        await self._gateway.rights.authorise(tx, ctx, found.patient, found.party)
        return await self._answered(tx, ctx, found, State.ACCEPTED)

    async def refuse(self, tx: Transaction, ctx: Context, id: UUID) -> Request:
        """Say no. Raises CONFLICT when it is over."""
        found = await self._open(tx, ctx, id)
        rule = await self._decides(tx, ctx, found.patient)
        await self._traced(tx, ctx, Traced.REFUSED, found, rule)
        return await self._answered(tx, ctx, found, State.REFUSED)

    async def reopen(self, tx: Transaction, ctx: Context, id: UUID) -> Request:
        """Take an answer back while the request lasts: it waits again, and what was given is withdrawn."""
        found = await self._find(tx, ctx, id)
        if found.answer is None or found.expires_at <= ctx.now():
            raise Refusal(Kind.CONFLICT, "REQUEST_OVER", "There is no answer to take back any more.")
        if found.answer is State.ACCEPTED:
            await self._gateway.rights.revoke(tx, ctx, found.patient, found.party)
        else:
            await self._traced(tx, ctx, Traced.REOPENED, found, await self._decides(tx, ctx, found.patient))
        await repository.answer(tx, found, None, None, None)
        await emit(tx, "consent.reopened", _ids(found), patient=found.patient)
        return replace(found, answer=None, answered_at=None)

    async def waiting(self, reader: Reader, ctx: Context) -> list[Request]:
        """What waits for an answer of the space that a citizen looks at, newest first."""
        space = _space(ctx)
        eyes = Eyes.of(ctx)
        verdict = judge_entry(await self._gateway.facts(reader, ctx, eyes, space), eyes)
        if not verdict.allowed:
            raise refusal(Action.READ, "Patient", verdict.rule)
        # Who was authorised or blocked since needs no answer any more.
        settled = {one.party.id for one in await grants_of(reader, space) if one.in_force(ctx.now())}
        return [one for one in await repository.waiting(reader, space, ctx.now()) if one.party.id not in settled]

    async def latest(self, reader: Reader, ctx: Context, patient: UUID) -> Request | None:
        """The last request of the calling professional to this patient."""
        return await repository.latest(reader, patient, _professional(ctx).key)

    async def sent(self, reader: Reader, ctx: Context, *, count: int = 20) -> list[Request]:
        """What the calling professional asked lately, newest first."""
        return await repository.sent(reader, _professional(ctx).key, ctx.now() - _SHOWN, count)

    # Steps

    async def _may_ask(self, tx: Transaction, ctx: Context, patient: UUID) -> bool:
        """Whether the patient blocked the caller; raises where a consent would open nothing."""
        ctx = replace(ctx, purpose=Purpose.NORMAL)
        eyes = Eyes.of(ctx)
        facts = await self._gateway.facts(tx, ctx, eyes, patient)
        verdict = authority(facts, eyes, Act.AUTHORISE, for_oneself=True)
        if eyes.role.care_team_only:
            raise refusal(Action.CREATE, "Consent", Rule.CARE_TEAM_ONLY)
        if not verdict.allowed and verdict.rule is not Rule.BLOCKED:
            raise refusal(Action.CREATE, "Consent", verdict.rule)
        if judge_entry(facts, eyes).allowed:
            raise Refusal(Kind.CONFLICT, "CONSENT_GIVEN", "This patient has consented already.")
        return verdict.rule is Rule.BLOCKED

    async def _refuse_too_many(self, tx: Transaction, ctx: Context, patient: UUID, me: Professional) -> None:
        now = ctx.now()
        last = await repository.latest(tx, patient, me.key)
        if last is not None and now < last.again_from():
            code = "REQUEST_WAITS" if last.state(now) is State.WAITING else "REQUEST_TOO_SOON"
            raise Refusal(Kind.CONFLICT, code, f"This patient was asked already; ask again after {last.again_from()}.")
        if await repository.count_sent(tx, me.key, now - _DAY) >= limits().per_day:
            raise Refusal(Kind.THROTTLED, "REQUESTS_TOO_MANY", "Too many patients were asked today; go on tomorrow.")

    async def _find(self, tx: Transaction, ctx: Context, id: UUID) -> Request:
        found = await repository.lock(tx, _space(ctx), id)
        if found is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_REQUEST", "There is no such request.")
        return found

    async def _open(self, tx: Transaction, ctx: Context, id: UUID) -> Request:
        found = await self._find(tx, ctx, id)
        if found.state(ctx.now()) is not State.WAITING:
            raise Refusal(Kind.CONFLICT, "REQUEST_OVER", "This request was answered, or has expired.")
        return found

    async def _decides(self, tx: Transaction, ctx: Context, patient: UUID) -> str:
        """The rule by which the caller answers for the holder; the same people who may authorise."""
        eyes = Eyes.of(ctx)
        verdict = authority(await self._gateway.facts(tx, ctx, eyes, patient), eyes, Act.AUTHORISE)
        if not verdict.allowed:
            raise refusal(Action.CREATE, "Consent", verdict.rule)
        return verdict.rule.value

    async def _answered(self, tx: Transaction, ctx: Context, found: Request, answer: State) -> Request:
        await repository.answer(tx, found, answer, ctx.now(), recorder(ctx))
        await emit(tx, f"consent.{answer.value}", _ids(found), patient=found.patient)
        return replace(found, answer=answer, answered_at=ctx.now())

    async def _traced(
        self, tx: Transaction, ctx: Context, what: Traced, about: Request, rule: str | None, outcome: int = DONE
    ) -> None:
        details = {"party": about.party.id, "party_name": about.party.name}
        entry = Entry("U", what, about.patient, rule=rule, outcome=outcome, details=details)
        await self._gateway.trace(tx, ctx, entry)


def _ids(one: Request) -> dict[str, str]:
    return {"request": str(one.id), "actor": one.party.id}


def _professional(ctx: Context) -> Professional:
    if not isinstance(ctx.actor, Professional):
        raise Refusal(Kind.FORBIDDEN, "NOT_A_PROFESSIONAL", "Professionals ask for consent.")
    return ctx.actor


def _space(ctx: Context) -> UUID:
    if ctx.space is None:
        raise Refusal(Kind.FORBIDDEN, "NOT_A_CITIZEN", "Requests are answered by the holder of a space.")
    return ctx.space
