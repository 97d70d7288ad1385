"""The use cases of the INSi service: find by card, find by traits, verify. One person at a time, every call traced."""

from __future__ import annotations

import tomllib
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from ambroise.kernel.db import Database, Reader
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.ins import (
    INS_OIDS,
    Ins,
    Sex,
    Traits,
    comparable,
    matricule_is_valid,
    nir_key,
    normal_name,
)
from ambroise.modules.identity.insi import lexical, magic, repository
from ambroise.modules.identity.insi.failures import CALLER, MATRICULE, SOFTWARE, THROTTLED
from ambroise.modules.identity.insi.model import Answer, CardQuery, Individual, Operation, Outcome, TraitsQuery
from ambroise.modules.identity.registry.repository import patient_of
from ambroise.modules.identity.tracing import PatientAct
from ambroise.trust.access.lookups import count_lookup, minute_of
from ambroise.trust.audit.entry import DONE, REFUSED, Entry, record
from ambroise.trust.context import Context, Operator, Professional, System

_DUTY: Final = "identity"


class Insi:
    """The INSi service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_by_traits(self, ctx: Context, query: TraitsQuery) -> Answer:
        """Who has these traits. Refuses the failures of `failures.py`."""

        async def find(reader: Reader) -> Answer:
            lexical.check_traits_query(query, ctx.now().date())
            if ctx.demonstration:
                magic.spring(query)
            return await self._answer(reader, await _with_traits(reader, query))

        return await self._called(ctx, Operation.TRAITS, find)

    async def find_by_card(self, ctx: Context, query: CardQuery) -> Answer:
        """Who the beneficiary of a carte Vitale is; its own number wins over the policy holder's."""

        async def find(reader: Reader) -> Answer:
            day = lexical.check_date(query.birth_date, ctx.now().date())
            for number in (query.holder, query.person):
                _check_number(number)
            if query.birth_name:
                lexical.check_family(query.birth_name)
            if query.person:
                found = await repository.by_matricule(reader, _whole(query.person))
                found = [one for one in found if one.birth_date == day]
            else:
                found = await repository.by_card(reader, query.holder, day, query.birth_rank)
            if query.birth_name:
                found = [one for one in found if comparable(one.birth_name) == comparable(query.birth_name)]
            return await self._answer(reader, found)

        return await self._called(ctx, Operation.CARD, find)

    async def verify(self, ctx: Context, ins: Ins, query: TraitsQuery) -> Answer:
        """Whether this INS, present or former, is that of the person with these traits: 00 if so, else 01.

        With 00 the individual says the present INS, which may be another one.
        """

        async def find(reader: Reader) -> Answer:
            if not matricule_is_valid(ins.matricule) or ins.oid not in INS_OIDS:
                MATRICULE.raised()
            lexical.check_traits_query(query, ctx.now().date())
            if ctx.demonstration:
                magic.spring(query)
            known = await repository.under(reader, ins)
            alike = [one for one in await _with_traits(reader, query) if known and one.ins == known.ins]
            return await self._answer(reader, alike)

        return await self._called(ctx, Operation.VERIFY, find)

    async def _called(self, ctx: Context, operation: Operation, find: Callable[[Reader], Awaitable[Answer]]) -> Answer:
        """Admit the caller, find, and trace what was answered or refused."""
        try:
            await self._admit(ctx)
            async with self._database.transaction() as tx:
                answer = await find(tx)
                holder = await patient_of(tx, answer.individual.ins) if answer.individual else None
                details = {"operation": operation.value, "code": answer.outcome.value}
                count = 1 if answer.individual else 0
                await record(
                    tx, ctx, Entry("R", PatientAct.INSI_CALLED, holder, count=count, outcome=DONE, details=details)
                )
                return answer
        except Refusal as refusal:
            async with self._database.transaction() as tx:
                details = {"operation": operation.value, "code": refusal.code}
                await record(tx, ctx, Entry("R", PatientAct.INSI_CALLED, None, outcome=REFUSED, details=details))
            raise

    async def _admit(self, ctx: Context) -> None:
        actor = ctx.actor
        if not (isinstance(actor, Professional | System) or (isinstance(actor, Operator) and _DUTY in actor.duties)):
            CALLER.raised()
        if isinstance(actor, System):
            return
        async with self._database.transaction() as tx:
            done = await count_lookup(tx, actor.key, ctx.now())
        most = limits()
        if done.in_minute > most["per_minute"] or done.in_day > most["per_day"]:
            again = minute_of(ctx.now()) + timedelta(minutes=1)
            THROTTLED.raised(retry_after=max(1, int((again - ctx.now()).total_seconds())))

    async def _answer(self, reader: Reader, found: list[Individual]) -> Answer:
        if len(found) != 1:
            return Answer(Outcome.SEVERAL if found else Outcome.NOBODY)
        one = found[0]
        former = await repository.history(reader, one.ins)
        whole = Individual(
            one.ins, one.birth_name, one.given_names, one.sex, one.birth_date, one.birth_place, former,
            one.holder, one.birth_rank,
        )  # fmt: skip
        return Answer(Outcome.FOUND, whole)


def query_of(traits: Traits) -> TraitsQuery:
    """The question to ask about somebody known by these traits."""
    given = (traits.given_names or traits.first_given or "").split()
    return lexical.normal_query(
        TraitsQuery(
            traits.birth_name or "",
            (traits.first_given,) if traits.first_given else tuple(given[:1]),
            traits.sex.value if traits.sex else "",
            traits.birth_date.isoformat() if traits.birth_date else "",
            None,
        )
    )


def limits() -> dict[str, Any]:
    """How much one caller may ask."""
    return _data("limits.toml")


def check_software(number: str | None) -> None:
    """Refuse (INSI_SOFTWARE) a call without the authorisation number of the software, or with one turned away."""
    if not number or number in _data("software.toml")["refused"]:
        SOFTWARE.raised()


def note_identity(ins: Ins, traits: Traits) -> Individual | None:
    """The identity of reference of somebody whose space opens; None when a strict trait is missing or unwritable."""
    if traits.sex is None or traits.sex is Sex.UNDETERMINED or traits.birth_date is None or not traits.birth_name:
        return None
    try:
        name = normal_name(traits.birth_name)
        given = normal_name(traits.given_names or traits.first_given or "")
    except ValueError:
        return None
    return Individual(ins, name, given, traits.sex, traits.birth_date, traits.birth_place)


async def _with_traits(reader: Reader, query: TraitsQuery) -> list[Individual]:
    day = date.fromisoformat(query.birth_date)
    found = await repository.by_traits(reader, query.birth_name, day, query.sex)
    return [
        one
        for one in found
        if lexical.holds_names(one.given_names, query.given_names) and query.birth_place in (None, one.birth_place)
    ]


def _check_number(number: str | None) -> None:
    if number is None:
        return
    try:
        nir_key(number)
    except ValueError:
        MATRICULE.raised()


def _whole(number: str) -> str:
    return f"{number.upper()}{nir_key(number):02}"


@lru_cache(maxsize=4)
def _data(name: str) -> dict[str, Any]:
    return tomllib.loads((files("ambroise.modules.identity.insi") / "data" / name).read_text("utf-8"))
