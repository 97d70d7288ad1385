"""What happens when a client creates a Patient: on a demonstration, a test identity opens its space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ambroise.fhir.store.types import Stored
from ambroise.kernel.db import Transaction
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.rules import Rule
from ambroise.trust.access.spaces import open_space
from ambroise.trust.audit.entry import Entry, Event, record
from ambroise.trust.context import Context, System

TEST_INS = frozenset({"urn:oid:1.2.250.1.213.1.4.10", "urn:oid:1.2.250.1.213.1.4.11"})
"""The systems of test matricules (INS de test): never those of real people."""


async def open_test_space(tx: Transaction, ctx: Context, stored: Stored, resource: Mapping[str, Any]) -> None:
    """Open the space of a Patient whom the operator's token created under a test INS."""
    if not (isinstance(ctx.actor, System) and ctx.demonstration and bears_test_ins(resource)):
        return
    await open_space(tx, ctx, stored.key, state=SpaceState.OPEN_INACTIVE)
    await record(tx, ctx, Entry("C", Event.SPACE_OPENED, stored.key, "Patient", stored.key, rule=Rule.SYSTEM.value))


def bears_test_ins(resource: Mapping[str, Any]) -> bool:
    """Whether one of the identifiers is a test matricule."""
    identifiers = cast(list[dict[str, Any]], resource.get("identifier") or [])
    return any(one.get("system") in TEST_INS for one in identifiers)
