"""Counting failures: under which keys, and how long they make somebody wait."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from msgspec import Struct

from ambroise.kernel.db import Database, Reader
from ambroise.modules.identity import repository, throttle, tokens
from ambroise.modules.identity.model import Origin


def key(*parts: str) -> bytes:
    """What failures are counted under."""
    return tokens.digest("\x1f".join(parts))


def network_of(origin: Origin) -> str | None:
    """The network of an address: one IPv4 address, the /64 of an IPv6 one."""
    try:
        address = ip_address(origin.address)
    except ValueError:
        return None
    return str(address) if address.version == 4 else str(ip_network((address, 64), strict=False))


def address_keys(origin: Origin) -> list[bytes]:
    """The key of a network, when the address is known."""
    network = network_of(origin)
    return [] if network is None else [key("address", network)]


async def wait(reader: Reader, keys: list[bytes], now: datetime) -> timedelta:
    """What remains to wait. The first key is a name's, which is stricter; the others are networks'."""
    found = await repository.failures(reader, keys)
    waits = [
        throttle.still_to_wait(found[key].count, found[key].last_at, now, by_address=position > 0)
        for position, key in enumerate(keys)
        if key in found
    ]
    return max(waits, default=timedelta())


class Try(Struct, frozen=True):
    """One try: what remains to wait before it may be made; or it is counted as a failure, until it proves right."""

    keys: list[bytes]
    wait: timedelta
    before: repository.Failures | None = None

    async def failed(self, database: Database, now: datetime) -> None:
        """Note the failure under the other keys too; under the first it was counted before it was made."""
        if self.keys[1:]:
            await count(database, self.keys[1:], now)

    async def take_back(self, database: Database) -> None:
        """It was right, or nothing was guessed: the first key is as it was."""
        async with database.transaction() as tx:
            await repository.take_failure_back(tx, self.keys[0], self.before)


async def begin(database: Database, keys: list[bytes], now: datetime) -> Try:
    """Count a try under the first key before it is made: many at the same moment meet the same delay as one by one."""
    async with database.transaction() as tx:
        await tx.execute("select pg_advisory_xact_lock(%s)", (int.from_bytes(keys[0][:8], signed=True),))
        left = await wait(tx, keys, now)
        before = (await repository.failures(tx, keys[:1])).get(keys[0])
        if not left:
            await repository.add_failure(tx, keys[0], now, now - throttle.FORGOTTEN_AFTER)
    return Try(keys, left, before)


async def count(database: Database, keys: list[bytes], now: datetime) -> None:
    """Note one failure under each key."""
    async with database.transaction() as tx:
        for one in keys:
            await repository.add_failure(tx, one, now, now - throttle.FORGOTTEN_AFTER)
