"""Rules of prevention as data, and what they say for one person at a date. Pure: no clock, no SQL."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct, field

from ambroise.modules.prevention.spans import Span


class Kind(StrEnum):
    """The sorts of acts, under the codes of the health agenda of the national client where it names one."""

    EXAMINATION = "EXAMEN_CARNET_SANTE"
    VACCINE = "CAR_VAC"
    CHECKUP = "BILAN_AQ"
    DENTAL = "MT_DENTS"
    SCREENING = "EXAMEN_DEPISTAGE"
    PREGNANCY = "GROSSESSE"
    """The national list names no code for it."""


class State(StrEnum):
    """Where one act stands for one person, on a day."""

    DONE = "done"
    NOT_DONE = "not_done"
    """The person said that it was not done, and is left in peace."""
    TO_COME = "to_come"
    DUE = "due"
    OVERDUE = "overdue"
    UNKNOWN = "unknown"
    """Its time is over and the record says nothing: it may well have been done."""
    TO_DISCUSS = "to_discuss"
    """Whether it concerns this person is for a professional to say."""
    NOT_CONCERNED = "not_concerned"
    """The person said so, or the record tells of something that is followed apart."""


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    """A text of a rule in each language of the pages."""

    fr: str
    en: str


class Audience(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom a rule concerns. `conditions`: what else must hold, which only a professional can tell."""

    sex: Literal["F", "M"] | None = None
    born_from: date | None = None
    pregnant: bool = False
    conditions: tuple[str, ...] = ()


class Evidence(Struct, frozen=True, forbid_unknown_fields=True):
    """What closes a rule: codes of acts, documents or formats, acts that a document tells of, antigens of a dose.

    `alarms`: codes of a value after which the next turn is for a professional to say.
    """

    codes: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    antigens: frozenset[str] = frozenset()
    """All of them."""
    alarms: frozenset[str] = frozenset()


class Window(Struct, frozen=True, tag="window", tag_field="type", forbid_unknown_fields=True, rename={"start": "from"}):
    """Once, between two ages. `late`: for how long it is asked for after that. `inside`: only an act of then counts."""

    start: Span
    until: Span
    late: Span = Span()
    inside: bool = False
    remembered: bool = True
    """Whether it is still shown once its time is over."""


class Repeat(Struct, frozen=True, tag="repeat", tag_field="type", forbid_unknown_fields=True, rename={"start": "from"}):
    """Again and again between two ages: `steps` after the first acts, then `every`. `after`: acts of another rule."""

    start: Span
    until: Span
    every: Span
    late: Span
    steps: tuple[Span, ...] = ()
    after: frozenset[str] = frozenset()
    after_interval: Span = Span()


class Yearly(Struct, frozen=True, tag="yearly", tag_field="type", forbid_unknown_fields=True, rename={"start": "from"}):
    """Once in each year of age, from a birthday to before another one."""

    start: Span
    until: Span


class Season(Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """The dates of one campaign."""

    start: date
    until: date


class Seasonal(
    Struct, frozen=True, tag="seasonal", tag_field="type", forbid_unknown_fields=True, rename={"start": "from"}
):
    """Once in each campaign, from an age on, before another one when it says so."""

    start: Span
    campaigns: tuple[Season, ...]
    until: Span | None = None


class AtAge(Struct, frozen=True, forbid_unknown_fields=True):
    """One booster at a fixed age; overdue from `until` on."""

    at: Span
    until: Span
    label: Words


class AtAges(Struct, frozen=True, tag="ages", tag_field="type", forbid_unknown_fields=True):
    """Boosters at fixed ages. `early`: how long before the age a dose counts for it."""

    ages: tuple[AtAge, ...]
    early: Span
    proof_until: Span
    """From this age on, no dose in the record does not mean that none was given."""


class Dose(Struct, frozen=True, forbid_unknown_fields=True):
    """One dose: not before the age `least` nor `after` the one before it; wished at `at`, overdue at `until`."""

    label: Words
    least: Span
    at: Span | None = None
    until: Span | None = None
    most: Span | None = None
    after: Span = Span()


class Series(Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """The doses of who begins between two ages (the second one excluded).

    `product`: what the first dose holds that others of the rule do not, when only that product has these doses.
    """

    start: Span
    until: Span
    doses: tuple[Dose, ...]
    product: frozenset[str] = frozenset()
    premature: bool = False
    """For children born before term alone."""


class Doses(Struct, frozen=True, tag="doses", tag_field="type", forbid_unknown_fields=True):
    """A vaccine given in doses, by the age at which one begins (catch-up included)."""

    series: tuple[Series, ...]
    proof_until: Span = Span(12 * 150)


class Pregnancy(
    Struct, frozen=True, tag="pregnancy", tag_field="type", forbid_unknown_fields=True, rename={"start": "from"}
):
    """Between two numbers of weeks of amenorrhea, or of weeks after the expected date."""

    start: int
    until: int
    after_birth: bool = False


class Discuss(
    Struct, frozen=True, tag="discuss", tag_field="type", forbid_unknown_fields=True, rename={"start": "from"}
):
    """Between two ages, for a professional to say.

    Done once there are `enough` acts from the age `since` on (from `start` when it says nothing), for as long as
    `again` says.
    """

    start: Span
    until: Span
    since: Span | None = None
    enough: int = 1
    again: Span | None = None


Plan: TypeAlias = Window | Repeat | Yearly | Seasonal | AtAges | Doses | Pregnancy | Discuss


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """One rule of the calendar. `date`: when its source was published or read."""

    id: str
    kind: Kind
    title: Words
    why: Words
    source: str
    date: date
    valid_from: date
    plan: Plan
    audience: Audience = Audience()
    evidence: Evidence = Evidence()
    url: str = ""
    valid_to: date | None = None
    mandatory: bool = False
    mandatory_born_from: date | None = None
    mandatory_until: Span | None = None
    """The age from which the law asks for it no more."""
    unless: frozenset[str] = frozenset()
    """Codes of illnesses, by how they begin: who had one is followed apart."""
    then: Words | None = None
    """What an alarming result calls for."""
    declared_as: str | None = None
    """The ATC class under which a dose that the person declares is noted."""
    unverified: tuple[str, ...] = ()
    """What in it was not read in an official source."""

    def in_force(self, day: date) -> bool:
        """Whether the rule holds on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def spent(self, day: date) -> bool:
        """Whether its last campaign is over: nobody is asked anything until its author tells the next one."""
        return isinstance(self.plan, Seasonal) and all(one.until < day for one in self.plan.campaigns)

    def obliges(self, person: Person, day: date) -> bool:
        """Whether the law asks it of this person on a day."""
        if self.mandatory_until is not None and day >= self.mandatory_until.after(person.birth):
            return False
        born = self.mandatory_born_from
        return self.mandatory or (born is not None and person.birth >= born)


class Person(Struct, frozen=True):
    """What the rules need to know of somebody. `expected`: the expected date of birth of a child.

    `sex` is None when the identity says neither: what is for one sex is then for a professional to say.
    """

    birth: date
    sex: Literal["F", "M"] | None = None
    expected: date | None = None
    premature: bool = False


class Source(Struct, frozen=True):
    """From where an act is known: a document, a structured entry, or what the person said."""

    kind: Literal["document", "record", "declared"]
    reference: str


class Act(Struct, frozen=True):
    """Something that was done, under the codes it bears. `values`: the codes of its result."""

    codes: frozenset[str]
    day: date
    source: Source
    values: frozenset[str] = frozenset()


class Given(Struct, frozen=True):
    """A dose that was given, of these antigens. `rank`: which dose of its series it is, when who gave it says so."""

    antigens: frozenset[str]
    day: date
    source: Source
    rank: int = 1


class Declined(Struct, frozen=True):
    """What the person said was not done: the key of an item, and when they said it.

    `never`: the key is that of a rule, which does not concern them.
    """

    key: str
    day: date
    source: Source
    never: bool = False


class Illness(Struct, frozen=True):
    """An illness that the record tells of."""

    codes: frozenset[str]
    day: date
    source: Source


class History(Struct, frozen=True):
    """What is known of somebody's past."""

    acts: tuple[Act, ...] = ()
    given: tuple[Given, ...] = ()
    declined: tuple[Declined, ...] = ()
    illnesses: tuple[Illness, ...] = ()


class Item(Struct, frozen=True):
    """One act for one person, and where it stands. `key` names it; it stays the same from day to day."""

    key: str
    rule: Rule
    state: State
    start: date
    due: date
    until: date | None = None
    label: Words | None = None
    done: date | None = None
    source: Source | None = None
    too_early: tuple[date, ...] = field(default_factory=tuple)
    """Doses given too early to count."""
    mandatory: bool = False
    """Whether the law asks it of this person."""
    alarmed: bool = False
    """Whether the last result calls for something else first."""

    @property
    def waits(self) -> bool:
        """Whether something is asked of the person now."""
        return self.state in (State.DUE, State.OVERDUE)


def read_rule(raw: Any) -> Rule:
    """A rule out of plain data. Raises msgspec.ValidationError, which says where it is wrong."""
    rule = msgspec.convert(raw, Rule, dec_hook=_decode, strict=True)
    _check(rule)
    return rule


def plain(rule: Rule) -> dict[str, Any]:
    """A rule as plain data, as `read_rule` reads it."""
    return msgspec.to_builtins(rule, enc_hook=_encode)


def _decode(type: type, value: Any) -> Any:
    if type is not Span or not isinstance(value, str):
        raise NotImplementedError
    return Span.of(value)


def _encode(value: Any) -> Any:
    if not isinstance(value, Span):
        raise NotImplementedError
    return str(value)


def _check(rule: Rule) -> None:
    """What a type cannot say."""
    plan = rule.plan
    if not rule.source.strip():
        raise msgspec.ValidationError("A rule has its source")
    if rule.valid_to is not None and rule.valid_to < rule.valid_from:
        raise msgspec.ValidationError("A rule ends after it begins")
    if isinstance(plan, Doses) and not (rule.evidence.antigens and plan.series):
        raise msgspec.ValidationError("A vaccine has its antigens and its doses")
    if isinstance(plan, Doses) and all(one.product or one.premature for one in plan.series):
        raise msgspec.ValidationError("A vaccine has doses for everybody")
    if isinstance(plan, Discuss) and plan.enough < 1:
        raise msgspec.ValidationError("One act at least closes a rule")
    if isinstance(plan, Window | Repeat | Yearly | Discuss) and not ordered(plan.start, plan.until):
        raise msgspec.ValidationError("The ages of a rule are in order")
    if isinstance(plan, Repeat) and not ordered(Span(), plan.every):
        raise msgspec.ValidationError("What comes again comes after some time")


def ordered(one: Span, other: Span) -> bool:
    """Whether the first age comes strictly before the other one."""
    born = date(2001, 3, 1)
    return one.after(born) < other.after(born)
