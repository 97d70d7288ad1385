"""The witness: judges once more what a read is about to return, and traces it before the bytes leave.

The scope has already chosen the rows in SQL. The witness loads the facts again, for all the reads of a batch in one
statement, and runs the pure rules on every row: the trace then carries the rule that really applies, and a row that the
two disagree on never leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID

from ambroise.kernel.db import Transaction
from ambroise.trust.access.decide import Action, Target, judge, judge_entry, refusal
from ambroise.trust.access.facts import Eyes, Facts
from ambroise.trust.access.loader import Question, load_facts
from ambroise.trust.access.rules import Rule, Verdict
from ambroise.trust.audit.entry import DONE, REFUSED, Entry, Line, record_lines
from ambroise.trust.context import Context

_NOTHING = Facts()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a read found about one patient (or about none), to be judged and traced. No targets: it found nothing."""

    ctx: Context
    eyes: Eyes
    patient: UUID | None
    targets: tuple[Target, ...]
    entry: Entry


@dataclass(frozen=True, slots=True)
class Note:
    """Lines to trace as they are: refusals, and acts already judged."""

    lines: tuple[Line, ...]


Testimony: TypeAlias = Reading | Note


Answer: TypeAlias = Rule | Exception | None


async def settle(tx: Transaction, jobs: Sequence[Testimony]) -> list[Answer]:
    """Judge and trace a batch; each read is answered by its rule, or by the refusal it deserves."""
    heard = await hear(tx, jobs)
    await record_lines(tx, [line for _, lines in heard for line in lines])
    return [answer for answer, _ in heard]


async def hear(tx: Transaction, jobs: Sequence[Testimony]) -> list[tuple[Answer, tuple[Line, ...]]]:
    """Judge a batch: each answer, with the lines to trace."""
    facts = await _facts(tx, jobs)
    heard: list[tuple[Answer, tuple[Line, ...]]] = []
    for place, job in enumerate(jobs):
        if isinstance(job, Note):
            heard.append((None, job.lines))
            continue
        answer, entry = _judge(job, facts.get(place, _NOTHING))
        heard.append((answer, () if entry is None else (Line.of(job.ctx, entry),)))
    return heard


async def _facts(tx: Transaction, jobs: Sequence[Testimony]) -> dict[int, Facts]:
    asked = [
        (place, Question(job.eyes, job.patient, job.ctx.now()))
        for place, job in enumerate(jobs)
        if isinstance(job, Reading) and job.patient is not None
    ]
    found = await load_facts(tx, [question for _, question in asked])
    return {place: facts for (place, _), facts in zip(asked, found, strict=True)}


def _judge(job: Reading, facts: Facts) -> tuple[Rule | Exception, Entry | None]:
    if not job.targets:
        verdict = _enters(job, facts)
        if job.entry.count:
            # Something was counted or listed: what the viewer sees there without getting in, he wrote himself.
            rule = verdict.rule if verdict.allowed else Rule.AUTHOR
            return rule, replace(job.entry, rule=rule)
        if facts.state is None:
            return verdict.rule, None
        return verdict.rule, replace(job.entry, rule=verdict.rule, outcome=DONE if verdict.allowed else REFUSED)
    rules: Counter[Rule] = Counter()
    for target in job.targets:
        verdict = judge(facts, job.eyes, Action.READ, target)
        if not verdict.allowed:
            entry = replace(job.entry, rule=verdict.rule, outcome=REFUSED)
            return refusal(Action.READ, target.type, verdict.rule), entry
        rules[verdict.rule] += 1
    rule = rules.most_common(1)[0][0]
    details = {"rules": {one.value: times for one, times in rules.items()}} if len(rules) > 1 else job.entry.details
    return rule, replace(job.entry, rule=rule, details=details)


def _enters(job: Reading, facts: Facts) -> Verdict:
    """Whether the caller gets into the space that was asked for; a citizen only looks into one space at a time."""
    if job.eyes.person is not None and job.eyes.space != job.patient:
        return Verdict(False, Rule.OTHER_SPACE)
    return judge_entry(facts, job.eyes)
