import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from ambroise.kernel.clock import FixedClock
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.ids import new_id
from ambroise.kernel.jobs import Runner, Schedule
from ambroise.kernel.outbox import MAX_ATTEMPTS, Backlog, Delivery, Event, Subscriptions, backlog, cancel, emit, revive

PATIENT = new_id(3)


class Recorder:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.failures = 0
        self.called = asyncio.Event()

    async def __call__(self, tx: Transaction, event: Event) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the handler is having a bad day")
        self.events.append(event)
        self.called.set()


@pytest.fixture
def heard() -> Recorder:
    return Recorder()


@pytest.fixture
def delivery(database: Database, clock: FixedClock, heard: Recorder) -> Delivery:
    subscriptions = Subscriptions()
    subscriptions.on("Told", heard)
    return Delivery(database, subscriptions, clock)


async def tell(database: Database, **details: object) -> None:
    async with database.transaction() as tx:
        await emit(tx, "Told", {"document": "d1"}, patient=PATIENT, **details)  # type: ignore[arg-type]


async def test_an_event_is_delivered_once(database: Database, delivery: Delivery, heard: Recorder) -> None:
    await tell(database)
    assert await delivery.deliver_all() == 1
    assert await delivery.deliver_all() == 0
    assert [(event.name, event.payload, event.patient) for event in heard.events] == [
        ("Told", {"document": "d1"}, PATIENT)
    ]


async def test_an_event_of_a_rolled_back_transaction_never_happened(
    database: Database, delivery: Delivery, heard: Recorder
) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            await emit(tx, "Told", {})
            raise RuntimeError
    assert await delivery.deliver_all() == 0


class Crowd:
    """Hears of many at once, unless one of them is bad."""

    def __init__(self) -> None:
        self.heard: list[list[object]] = []

    async def __call__(self, tx: Transaction, events: Sequence[Event]) -> None:
        documents: list[object] = [event.payload["document"] for event in events]
        if "bad" in documents:
            raise RuntimeError("this one cannot be heard")
        self.heard.append(documents)


async def emit_documents(database: Database, *documents: str) -> None:
    async with database.transaction() as tx:
        for document in documents:
            await emit(tx, "Told", {"document": document}, patient=PATIENT)


async def test_events_are_heard_together_and_one_that_fails_alone(database: Database, clock: FixedClock) -> None:
    crowd, subscriptions = Crowd(), Subscriptions()
    subscriptions.on_many("Told", crowd)
    delivery = Delivery(database, subscriptions, clock)
    await emit_documents(database, "a", "b", "c")
    assert await delivery.deliver_all() == 3
    assert [sorted(map(str, one)) for one in crowd.heard] == [["a", "b", "c"]]
    await emit_documents(database, "d", "bad", "e")
    assert await delivery.deliver_all() == 3
    assert sorted(str(one[0]) for one in crowd.heard[1:]) == ["d", "e"]
    async with database.reader() as reader:
        assert await backlog(reader, clock.now()) == Backlog(due=0, later=1, dead=0)


async def test_who_hears_one_by_one_keeps_an_event_from_being_heard_together(
    database: Database, clock: FixedClock, heard: Recorder
) -> None:
    crowd, subscriptions = Crowd(), Subscriptions()
    subscriptions.on_many("Told", crowd)
    subscriptions.on("Told", heard)
    await emit_documents(database, "a", "b")
    assert await Delivery(database, subscriptions, clock).deliver_all() == 2
    assert len(crowd.heard) == len(heard.events) == 2


async def test_events_that_nobody_hears_go_at_once_when_they_are_due(
    database: Database, delivery: Delivery, heard: Recorder, clock: FixedClock
) -> None:
    async with database.transaction() as tx:
        for event in ("Told", "Unheard", "Unheard", "Elsewhere"):
            await emit(tx, event, {}, patient=PATIENT)
        await emit(tx, "Unheard", {}, patient=PATIENT, not_before=clock.now() + timedelta(hours=1))
    assert await delivery.deliver_all() == 4
    assert [event.name for event in heard.events] == ["Told"]
    async with database.reader() as reader:
        assert await backlog(reader, clock.now()) == Backlog(due=0, later=1, dead=0)
    clock.move(timedelta(hours=1))
    assert await delivery.deliver_all() == 1


async def test_an_event_waits_for_its_instant(
    database: Database, delivery: Delivery, heard: Recorder, clock: FixedClock
) -> None:
    await tell(database, not_before=clock.now() + timedelta(days=14))
    assert await delivery.deliver_all() == 0
    async with database.reader() as reader:
        assert (await backlog(reader, clock.now())).later == 1
    clock.move(timedelta(days=14))
    assert await delivery.deliver_all() == 1


async def test_a_waiting_event_can_be_withdrawn(
    database: Database, delivery: Delivery, heard: Recorder, clock: FixedClock
) -> None:
    await tell(database, not_before=clock.now() + timedelta(days=14))
    async with database.transaction() as tx:
        assert await cancel(tx, "Told", PATIENT, {"document": "another"}) == 0
        assert await cancel(tx, "Told", PATIENT, {"document": "d1"}) == 1
    clock.move(timedelta(days=15))
    assert await delivery.deliver_all() == 0


async def test_an_event_whose_handler_fails_is_tried_again_later(
    database: Database, delivery: Delivery, heard: Recorder, clock: FixedClock
) -> None:
    heard.failures = 2
    await tell(database)
    assert await delivery.deliver_all() == 1
    assert await delivery.deliver_all() == 0
    clock.move(timedelta(seconds=5))
    await delivery.deliver_all()
    clock.move(timedelta(seconds=10))
    await delivery.deliver_all()
    assert [event.attempts for event in heard.events] == [2]


async def test_an_event_that_always_fails_ends_dead_and_visible(
    database: Database, delivery: Delivery, heard: Recorder, clock: FixedClock
) -> None:
    heard.failures = MAX_ATTEMPTS
    await tell(database)
    for _ in range(MAX_ATTEMPTS + 2):
        await delivery.deliver_all()
        clock.move(timedelta(hours=6))
    async with database.transaction() as tx:
        assert (await backlog(tx, clock.now())).dead == 1
        assert await revive(tx, clock.now()) == 1
    assert await delivery.deliver_all() == 1
    assert len(heard.events) == 1


async def test_what_a_failing_handler_wrote_is_undone(database: Database, clock: FixedClock) -> None:
    async def half(tx: Transaction, event: Event) -> None:
        await emit(tx, "Echo", {})
        raise RuntimeError

    subscriptions = Subscriptions()
    subscriptions.on("Told", half)
    await tell(database)
    await Delivery(database, subscriptions, clock).deliver_all()
    async with database.reader() as reader:
        assert await reader.fetch_all("select event, attempts from outbox") == [("Told", 1)]


async def test_two_workers_share_the_events(database: Database, clock: FixedClock) -> None:
    seen: list[str] = []

    async def slow(tx: Transaction, event: Event) -> None:
        await asyncio.sleep(0.01)
        seen.append(str(event.id))

    subscriptions = Subscriptions()
    subscriptions.on("Told", slow)
    for _ in range(20):
        await tell(database)
    workers = [Delivery(database, subscriptions, clock) for _ in range(3)]
    counts = await asyncio.gather(*(worker.deliver_all() for worker in workers))
    assert sum(counts) == len(seen) == len(set(seen)) == 20


async def test_the_loop_wakes_up_when_an_event_commits(database: Database, delivery: Delivery, heard: Recorder) -> None:
    task = asyncio.create_task(delivery.run(idle_seconds=60))
    await asyncio.sleep(0.2)
    await tell(database)
    await asyncio.wait_for(heard.called.wait(), 5)
    task.cancel()


async def test_a_job_runs_once_a_period_whatever_the_number_of_workers(database: Database, clock: FixedClock) -> None:
    runs: list[int] = []

    async def work(tx: Transaction) -> None:
        runs.append(await tx.fetch_value("select 1"))

    schedule = Schedule()
    schedule.every(timedelta(hours=1), "sweep", work)
    workers = [Runner(database, schedule, clock) for _ in range(3)]
    for _ in range(3):
        await asyncio.gather(*(worker.run_due() for worker in workers))
    assert len(runs) == 1
    clock.move(timedelta(hours=1))
    await workers[0].run_due()
    assert len(runs) == 2


async def test_a_job_that_fails_waits_for_its_next_turn(database: Database, clock: FixedClock) -> None:
    async def work(tx: Transaction) -> None:
        raise RuntimeError

    schedule = Schedule()
    schedule.every(timedelta(hours=1), "broken", work)
    assert await Runner(database, schedule, clock).run_due() == ["broken"]
    assert await Runner(database, schedule, clock).run_due() == []
    async with database.reader() as reader:
        assert await reader.fetch_value("select last_error from job_schedule") == "RuntimeError"
