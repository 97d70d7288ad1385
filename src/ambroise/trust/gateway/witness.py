"""The witness: judges what a read is about to return, and traces it before the bytes leave.

What many callers ask at the same moment is answered together: one transaction with one snapshot, a few round trips
whatever their number, one durable commit for all their lines. In it each read is judged on facts of its own, loaded
for this very request, by the pure rules, row after row: the trace carries the rule that really applies, and a row that
the rules refuse never leaves, whatever statement found it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from msgspec.structs import replace

from ambroise.fhir.search import SearchResult
from ambroise.fhir.store import reading as store
from ambroise.fhir.store.types import Closed, Stored
from ambroise.kernel.db import Transaction
from ambroise.trust.access.decide import Action, Target, judge, judge_entry, permit, unknown
from ambroise.trust.access.facts import Facts
from ambroise.trust.access.kinds import Shelf
from ambroise.trust.access.rules import Rule, Verdict
from ambroise.trust.audit.entry import DONE, REFUSED, Entry, Event, Line, record_lines
from ambroise.trust.gateway.evidence import Evidence
from ambroise.trust.gateway.testimony import Answer, Find, Heard, Look, Note, Reading, Testimony

_NOTHING = Facts()


async def settle(tx: Transaction, jobs: Sequence[Testimony]) -> list[Answer | Exception]:
    """Judge and trace a batch; each job is answered, or refused as it deserves."""
    heard = await hear(tx, jobs)
    await record_lines(tx, [line for _, lines in heard for line in lines])
    return [answer for answer, _ in heard]


async def hear(tx: Transaction, jobs: Sequence[Testimony]) -> list[Heard]:
    """Judge a batch: each answer, or the refusal it deserves, with the lines to trace."""
    evidence = Evidence(jobs)
    await evidence.gather(tx)
    return [_hear_one(place, job, evidence) for place, job in enumerate(jobs)]


def _hear_one(place: int, job: Testimony, evidence: Evidence) -> Heard:
    facts = evidence.facts.get(place, _NOTHING)
    if isinstance(job, Look):
        closed = evidence.closed.get(place)
        return (None, ()) if closed is None else _look(job, closed, facts)
    if isinstance(job, Find):
        return _find(job, evidence.found[place], facts)
    if isinstance(job, Note):
        return None, job.lines
    answer, entry = _judge(job, facts)
    return answer, () if entry is None else (Line.of(job.ctx, entry),)


def _look(job: Look, closed: Closed, facts: Facts) -> Heard:
    """The resource if it is plainly there for this caller; else nothing, and no line: that is another story."""
    label, target = closed.peeked.label, Target(job.type, closed.peeked.label, closed.peeked.key)
    verdict = judge(facts, job.eyes, Action.READ, target)
    if not verdict.allowed or closed.peeked.deleted:
        return None, ()
    stored = store.open_with(permit(Action.READ, target, verdict), closed)
    if target.shelf is Shelf.OPEN:
        # What says nothing about a patient is not traced.
        return stored, ()
    entry = Entry("R", Event.READ, label.patient, job.type, stored.key, label.kind, stored.version, verdict.rule.value)
    return stored, (Line.of(job.ctx, entry),)


def _find(job: Find, result: SearchResult, facts: Facts) -> Heard:
    entries = [stored for stored, _ in result.entries]
    entry = search_entry(job.patient, job.query.type, entries, result.total, job.text)
    targets = tuple([Target(one.type, one.label, one.key) for one in entries])
    answer, judged = _judge(Reading(job.ctx, job.eyes, job.patient, targets, entry), facts)
    lines = () if judged is None else (Line.of(job.ctx, judged),)
    return answer if isinstance(answer, Exception) else result, lines


def search_entry(patient: UUID | None, type: str, entries: Sequence[Stored], total: int | None, text: str) -> Entry:
    """The line of a search: how many of this patient's were on the page (or counted), and which one if it was one."""
    one = entries[0] if len(entries) == 1 else None
    count = len(entries) if entries else total or 0
    kind, key = (one.label.kind, one.key) if one is not None else (None, None)
    return Entry("R", Event.SEARCH, patient, type, key, kind, count=count, query=text)


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
    rules: dict[Rule, int] = {}
    for target, times in _alike(job.targets, facts):
        verdict = judge(facts, job.eyes, Action.READ, target)
        if not verdict.allowed:
            entry = replace(job.entry, rule=verdict.rule, outcome=REFUSED)
            return unknown(target.type), entry
        rules[verdict.rule] = rules.get(verdict.rule, 0) + times
    rule = max(rules, key=rules.__getitem__)
    if len(rules) == 1:
        return rule, replace(job.entry, rule=rule)
    details = {"rules": {one.value: times for one, times in rules.items()}}
    return rule, replace(job.entry, rule=rule, details=details)


def _alike(targets: Sequence[Target], facts: Facts) -> Iterable[tuple[Target, int]]:
    """One target of each sort, and how many there are: the rules see no difference between two of one sort."""
    if len(targets) == 1:
        return ((targets[0], 1),)
    sorts: dict[tuple[object, ...], list[Target]] = {}
    for one in targets:
        label = one.label
        patient = label.patient.int if label.patient else 0
        document = one.document if facts.kept_documents else None
        sort = (one.type, label.kind, int(label.flags), label.author, label.author_organization, patient, document)
        sorts.setdefault(sort, []).append(one)
    return [(alike[0], len(alike)) for alike in sorts.values()]


def _enters(job: Reading, facts: Facts) -> Verdict:
    """Whether the caller gets into the space that was asked for; a citizen only looks into one space at a time."""
    other = job.eyes.person is not None and job.eyes.space != job.patient
    if other or not job.eyes.reach(job.patient):
        return Verdict(False, Rule.OTHER_SPACE)
    return judge_entry(facts, job.eyes)
