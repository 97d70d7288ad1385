"""Submissions over HTTP by several senders at once, each knowing what was acknowledged to it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from tests.integration.crash.papers import Sending

SENDERS = 8
_TIMEOUT_SECONDS = 30
_PATIENCE = 0.05


@dataclass
class Outcome:
    """What senders know: acknowledged, refused for a reason of the moment, or in doubt (no answer came back)."""

    acknowledged: list[Sending] = field(default_factory=list)
    in_doubt: list[Sending] = field(default_factory=list)
    turned_away: list[Sending] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        """Join what happened in another round."""
        self.acknowledged += other.acknowledged
        self.in_doubt += other.in_doubt
        self.turned_away += other.turned_away
        self.unexpected += other.unexpected


async def send_until(
    stop: asyncio.Event, address: str, token: str, source: Iterator[Sending], outcome: Outcome
) -> None:
    """Send until told to stop, writing what happens in `outcome`."""
    async with httpx.AsyncClient(
        base_url=f"{address}/fhir/", headers={"authorization": f"Bearer {token}"}, timeout=_TIMEOUT_SECONDS
    ) as client:

        async def sender() -> None:
            while not stop.is_set():
                await _send(client, next(source), outcome)

        await asyncio.gather(*(sender() for _ in range(SENDERS)))


async def _send(client: httpx.AsyncClient, sending: Sending, outcome: Outcome) -> None:
    headers = {"content-type": sending.media_type, "prefer": "return=minimal"}
    try:
        answer = await client.post(sending.path, content=sending.body, headers=headers)
    except httpx.ConnectError:
        # Nobody listened: nothing was sent.
        outcome.turned_away.append(sending)
        await asyncio.sleep(_PATIENCE)
        return
    except httpx.HTTPError:
        outcome.in_doubt.append(sending)
        return
    if answer.status_code in (200, 201):
        outcome.acknowledged.append(sending)
    elif answer.status_code >= 500:
        # The database was gone before, while or after it committed: the sender cannot know.
        outcome.in_doubt.append(sending)
        await asyncio.sleep(_PATIENCE)
    else:
        outcome.unexpected.append(f"{answer.status_code} {answer.text[:300]}")
