"""How long one decision takes in process, once the facts about a patient are loaded: `python -m bench.decisions`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from statistics import median
from uuid import uuid4

from ambroise.fhir.store.types import Flags, Label
from ambroise.kernel.clock import FixedClock
from ambroise.trust.access.decide import Action, Target, judge, permit
from ambroise.trust.access.facts import Eyes, Facts, SpaceState, Standing
from ambroise.trust.access.kinds import kinds
from ambroise.trust.context import Context, Professional

_ROUNDS, _EACH = 20, 5_000
TARGET_MICROSECONDS = 50.0


def measure() -> float:
    """The median, over rounds, of the microseconds of one whole decision: eyes, verdict and permit."""
    now = datetime(2026, 3, 14, tzinfo=UTC)
    ctx = Context(Professional("899700000001", "99700000001", "Dr Fictif", "60"), FixedClock(now))
    facts = Facts(
        SpaceState.OPEN_ACTIVE, Standing.AUTHORISED, kept_kinds=frozenset({40}), kept_documents=frozenset({uuid4()})
    )
    patient, key = uuid4(), uuid4()
    labels = [Label(patient, kind, Flags(0)) for kind in sorted(Eyes.of(ctx).role.readable)[:20] if kind != 40]
    targets = [Target("DocumentReference", label, key) for label in labels if label.kind in kinds().numbers.values()]
    rounds: list[float] = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        for place in range(_EACH):
            target = targets[place % len(targets)]
            permit(Action.READ, target, judge(facts, Eyes.of(ctx), Action.READ, target))
        rounds.append((time.perf_counter() - started) / _EACH * 1e6)
    return median(rounds)


if __name__ == "__main__":
    print(f"one decision: {measure():.1f} µs (target: {TARGET_MICROSECONDS:.0f} µs)")
