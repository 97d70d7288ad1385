"""What a batch of reads is judged on: everything is found in two round trips, whatever the number of callers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ambroise.fhir.search import Page, SearchResult, Select, alike, as_one, one_page, shared_out
from ambroise.fhir.store import reading as store
from ambroise.fhir.store.types import Closed
from ambroise.kernel.db import Params, Row, Statement, Transaction
from ambroise.trust.access.decide import inspection
from ambroise.trust.access.facts import Facts
from ambroise.trust.access.loader import Question, facts_in, facts_query
from ambroise.trust.access.scope import scope_given
from ambroise.trust.gateway.testimony import Find, Look, Reading, Testimony

_Ask: TypeAlias = tuple[Statement, Params]


class Evidence:
    """What is known about the jobs of a batch, by their places."""

    def __init__(self, jobs: Sequence[Testimony]) -> None:
        self._jobs = jobs
        self.facts: dict[int, Facts] = {}
        self._looks: list[tuple[int, Look]] = []
        self.closed: dict[int, Closed] = {}
        self.found: dict[int, SearchResult] = {}

    async def gather(self, tx: Transaction) -> None:
        """Two round trips: what is there and the facts about records already named, then what those lead to.

        A third one counts, for pages that are not the only one.
        """
        asked: list[tuple[int, Question]] = []
        finds: list[tuple[int, Find]] = []
        for place, job in enumerate(self._jobs):
            if isinstance(job, Look):
                self._looks.append((place, job))
            elif isinstance(job, Find):
                finds.append((place, job))
                asked.append((place, Question(job.eyes, job.patient, job.ctx.now())))
            elif isinstance(job, Reading) and job.patient is not None:
                asked.append((place, Question(job.eyes, job.patient, job.ctx.now())))
        await self._first_round(tx, asked)
        await self._second_round(tx, finds)

    async def _first_round(self, tx: Transaction, asked: list[tuple[int, Question]]) -> None:
        keys = [(job.type, job.key) for _, job in self._looks]
        statements: list[_Ask] = [store.many(inspection(), keys)] if keys else []
        rows = await self._ask(tx, statements, asked)
        if keys:
            there = store.closed(rows[0], keys)
            self.closed = {place: one for (place, _), one in zip(self._looks, there, strict=True) if one is not None}

    async def _second_round(self, tx: Transaction, finds: list[tuple[int, Find]]) -> None:
        asked = [
            (place, Question(job.eyes, closed.peeked.label.patient, job.ctx.now()))
            for place, job in self._looks
            if (closed := self.closed.get(place)) is not None and closed.peeked.label.patient is not None
        ]
        pages = [_page(job, self.facts[place]) for place, job in finds]
        rows = await self._select(tx, [page.rows for page in pages], asked)
        counts = [page.count(found) for page, found in zip(pages, rows, strict=True)]
        counted = iter(await self._select(tx, [one for one in counts if one is not None], []))
        for (place, job), page, found, count in zip(finds, pages, rows, counts, strict=True):
            self.found[place] = page.result(found, () if count is None else next(counted), job.pages)

    async def _select(
        self, tx: Transaction, selects: Sequence[Select], asked: list[tuple[int, Question]]
    ) -> list[Sequence[Row]]:
        """The rows of each of these statements; those that are alike run as one."""
        groups = alike(selects)
        rows = await self._ask(tx, [as_one([selects[place] for place in group]) for group in groups], asked)
        found: dict[int, Sequence[Row]] = {}
        for group, together in zip(groups, rows, strict=True):
            found.update(zip(group, shared_out(together, len(group)), strict=True))
        return [found[place] for place in range(len(selects))]

    async def _ask(self, tx: Transaction, statements: list[_Ask], asked: list[tuple[int, Question]]) -> list[list[Row]]:
        """Run statements, and load the facts asked for, in one round trip; the rows of the statements."""
        if asked:
            statements.append(facts_query([question for _, question in asked]))
        if not statements:
            return []
        rows = await tx.fetch_each(statements)
        if asked:
            found = facts_in(rows.pop())
            self.facts.update({place: facts for (place, _), facts in zip(asked, found, strict=True)})
        return rows


def _page(job: Find, facts: Facts) -> Page:
    """The statement of a search, under a scope whose facts are those that its rows will be judged on."""
    allowed = scope_given(job.eyes, job.patient, facts)
    return one_page(job.query, lambda type, patient: allowed, job.patient)
