"""Finding a person: by exact INS or full traits, identity alone without authorisation, traced, counted."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from msgspec import Struct

from ambroise.fhir.json import decode
from ambroise.fhir.search import Query, SearchResult, parse, search
from ambroise.fhir.search.binding import identifier_asked_for
from ambroise.fhir.search.query import Filter, Token
from ambroise.fhir.store.types import Scope, Stored
from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.access.decide import Action, Target, judge, refusal
from ambroise.trust.access.facts import Eyes, Facts, SpaceState, Standing, Viewer
from ambroise.trust.access.kinds import load_table
from ambroise.trust.access.lookups import count_lookup, minute_of
from ambroise.trust.access.rules import Rule
from ambroise.trust.access.scope import identity_scope
from ambroise.trust.audit.entry import REFUSED, Entry, Event, Line, record_lines
from ambroise.trust.context import Context
from ambroise.trust.gateway.identity_only import KNOWN_STATES, identity_only
from ambroise.trust.gateway.reads import Reads, redacted
from ambroise.trust.gateway.testimony import Note

INS_SYSTEMS: Final = frozenset(f"urn:oid:1.2.250.1.213.1.4.{last}" for last in (8, 9, 10, 11))
_TRAITS: Final = frozenset({"family", "given", "birthdate", "gender"})
_MOST: Final = 10


class Traits(Struct, frozen=True):
    """The traits that together name a person; `birth_place` is the INSEE code, when known."""

    birth_name: str
    first_name: str
    birth_date: date
    gender: str
    birth_place: str | None = None


class Found(Struct, frozen=True):
    """Somebody who was found, and what the caller is to that person."""

    patient: UUID
    stored: Stored
    state: SpaceState
    standing: Standing
    identity_only: bool


class Finding(Reads):
    """The part of the gateway that finds people."""

    async def find_patient(
        self,
        reader: Reader,
        ctx: Context,
        *,
        ins: tuple[str, str] | None = None,
        traits: Traits | None = None,
    ) -> list[Found]:
        """People with exactly this INS (system, value) or these traits; usually one or none.

        Raises THROTTLED when the caller looks up too many people, FORBIDDEN for citizens.
        """
        pairs = _pairs(ins, traits)
        query = parse("Patient", pairs)
        return await self._find(reader, ctx, query, traits)

    async def search(self, reader: Reader, ctx: Context, query: Query) -> SearchResult:
        """As any search; a professional who names a person exactly and may not see the record gets the identity.

        Who names the patient of a record by the INS is answered as who names that patient by id.
        """
        about = await self._by_id(reader, ctx, query)
        if about is not None:
            # What applies is told as it was asked: whether the INS is somebody's is not said on the way.
            return msgspec.structs.replace(await super().search(reader, ctx, about), applied=query.applied)
        result = await super().search(reader, ctx, query)
        if result.entries or query.cursor is not None or not _is_exact(ctx, query):
            return result
        found = await self._find(reader, ctx, query, None)
        return SearchResult(
            [(one.stored, "match") for one in found], len(found), None, result.applied, result.ignored, result.query
        )

    async def _by_id(self, reader: Reader, ctx: Context, query: Query) -> Query | None:
        """A professional's query about the bearer of an INS, naming that patient by id; None when it is no such query.

        An author reads his own documents without an authorisation (CSP R. 1111-49), by whom the Patient is not seen.
        """
        if Eyes.of(ctx).viewer is not Viewer.PROFESSIONAL or identifier_asked_for(query) is None:
            return None
        for place, (name, value) in enumerate(query.pairs):
            asked = identifier_asked_for(parse(query.type, [(name, value)], now=query.now, bases=query.bases))
            if asked is None or asked[1].system not in INS_SYSTEMS:
                continue
            bearers = parse("Patient", [("identifier", value), ("_count", "2")])
            found = (await search(reader, _identities, bearers, pages=self._pages)).entries
            if len(found) != 1:
                return None
            named = (name.partition(".")[0].partition(":")[0], f"Patient/{found[0][0].key}")
            pairs = [*query.pairs[:place], named, *query.pairs[place + 1 :]]
            again = parse(query.type, pairs, now=query.now, bases=query.bases)
            return msgspec.structs.replace(again, ignored=query.ignored)
        return None

    async def _find(self, reader: Reader, ctx: Context, query: Query, traits: Traits | None) -> list[Found]:
        eyes = Eyes.of(ctx)
        if eyes.viewer is Viewer.CITIZEN:
            raise refusal(Action.CREATE, "Patient", Rule.WRITE_RESERVED)
        await self._count_lookup(ctx, eyes)
        result = await search(reader, _identities, query, pages=self._pages)
        people = [one for one, _ in result.entries if traits is None or _matches(decode(one.body), traits)][:_MOST]
        found = [await self._as_found(reader, ctx, eyes, one) for one in people]
        await self._trace_found(reader, ctx, query, found)
        return found

    async def _as_found(self, reader: Reader, ctx: Context, eyes: Eyes, stored: Stored) -> Found:
        facts = await self.facts(reader, ctx, eyes, stored.key)
        whole = judge(facts, eyes, Action.READ, Target("Patient", stored.label)).allowed
        shown = stored if whole else identity_only(stored)
        return Found(stored.key, shown, _state(facts), facts.standing, not whole)

    async def _trace_found(self, reader: Reader, ctx: Context, query: Query, found: list[Found]) -> None:
        text = redacted(query)
        rule = Rule.IDENTITY_ONLY.value
        entries = [
            Entry(
                "R",
                Event.PERSON_FOUND,
                one.patient,
                "Patient",
                one.patient,
                one.stored.label.kind,
                rule=rule,
                query=text,
            )
            for one in found
        ] or [Entry("R", Event.PERSON_FOUND, None, "Patient", count=0, query=text)]
        lines = tuple(Line.of(ctx, entry) for entry in entries)
        if isinstance(reader, Transaction):
            await record_lines(reader, lines)
        else:
            await self._commits.run(Note(lines))

    async def _count_lookup(self, ctx: Context, eyes: Eyes) -> None:
        """Count this lookup, for good; refuse beyond the limits of the data table."""
        if eyes.viewer is Viewer.SYSTEM:
            return
        database = await self._own_slots()
        async with database.transaction() as tx:
            done = await count_lookup(tx, eyes.key, ctx.now())
        limits = _limits()
        if done.in_minute > limits["per_minute"] or done.in_day > limits["per_day"]:
            await self._refuse_lookup(ctx, minute_of(ctx.now()))

    async def _refuse_lookup(self, ctx: Context, minute: datetime) -> None:
        rule = Rule.TOO_MANY_LOOKUPS.value
        await self.note(ctx, Entry("R", Event.PERSON_FOUND, None, "Patient", rule=rule, outcome=REFUSED))
        again = minute + timedelta(minutes=1)
        raise Refusal(
            Kind.THROTTLED,
            "ACCESS_TOO_MANY_LOOKUPS",
            "Too many people were looked up; wait a minute.",
            data={"rule": rule, "ways": ["wait"], "retry_after": max(1, int((again - ctx.now()).total_seconds()))},
        )


def _identities(type: str, patient: UUID | None) -> Scope:
    """Every Patient whose space may be known of."""
    return identity_scope(KNOWN_STATES)


def _is_exact(ctx: Context, query: Query) -> bool:
    """Whether a professional's query on Patient names one person: by INS, or by name, first name, date and gender."""
    eyes = Eyes.of(ctx)
    if query.type != "Patient" or eyes.viewer is not Viewer.PROFESSIONAL:
        return False
    if eyes.limits is not None and eyes.limits.patient is not None:
        # A token of one patient names nobody else.
        return False
    named: set[str] = set()
    for clause in query.clauses:
        # Anything else than the identity would let its presence be guessed by asking.
        if not isinstance(clause, Filter) or clause.modifier not in (None, "exact") or len(clause.values) != 1:
            return False
        value = clause.values[0]
        if clause.parameter.code == "identifier":
            if not (isinstance(value, Token) and value.code and value.system in INS_SYSTEMS):
                return False
            named.add("ins")
        elif clause.parameter.code in _TRAITS:
            named.add(clause.parameter.code)
        else:
            return False
    return "ins" in named or named >= _TRAITS


def _pairs(ins: tuple[str, str] | None, traits: Traits | None) -> list[tuple[str, str]]:
    if ins is not None:
        if ins[0] not in INS_SYSTEMS:
            raise Refusal(Kind.INVALID, "INS_SYSTEM_UNKNOWN", "People are found by their INS, under its OID.")
        return [("identifier", f"{ins[0]}|{ins[1]}")]
    if traits is None:
        raise ValueError("give an INS or traits")
    return [
        ("family", _escaped(traits.birth_name)),
        ("given", _escaped(traits.first_name)),
        ("birthdate", traits.birth_date.isoformat()),
        ("gender", traits.gender),
    ]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("|", "\\|").replace("$", "\\$")


def _matches(patient: Mapping[str, Any], traits: Traits) -> bool:
    """Whether names are equal (case, accents and dashes apart), not merely alike."""
    names = cast(list[Mapping[str, Any]], patient.get("name") or [])
    families = [str(name.get("family", "")) for name in names]
    givens = [str(given) for name in names for given in cast(list[Any], name.get("given") or [])]
    return _plain(traits.birth_name) in map(_plain, families) and _plain(traits.first_name) in map(_plain, givens)


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c)).split())


def _state(facts: Facts) -> SpaceState:
    if facts.state is None:
        raise RuntimeError("a Patient that was found has a space")
    return facts.state


def _limits() -> Mapping[str, int]:
    return cast(Mapping[str, int], load_table("limits.toml")["lookups"])
