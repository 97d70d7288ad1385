"""A worker in a process of its own, that makes copies and says when each piece is kept: a test kills it."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from ambroise.interfaces.web import templates
from ambroise.interfaces.web.copies.scribe import Pages
from ambroise.kernel.clock import SystemClock
from ambroise.kernel.crypto import DataKeys, MasterKeys
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.objects import Blobs, open_store
from ambroise.kernel.outbox import Delivery, Event, Subscriptions
from ambroise.modules.portability.api import GOES_ON, Exports
from ambroise.trust.gateway import Gateway, PageSeal


async def work(dsn: str, folder: str) -> None:
    clock, database = SystemClock(), await Database.open(dsn, slots=3)
    keys = DataKeys(MasterKeys.open(Path(folder) / "master.key"))
    blobs = Blobs(keys, open_store(f"file://{folder}/objects"))
    gateway = Gateway(database, clock, blobs=blobs, pages=PageSeal(b"k" * 32))
    exports = Exports.over(
        database, gateway, clock, Pages(templates), kept=timedelta(days=7), address="", demonstration=True
    )
    made: list[Event] = []

    async def go_on(tx: Transaction, event: Event) -> None:
        await exports.go_on(tx, event)
        made.append(event)

    subscriptions = Subscriptions()
    subscriptions.on(GOES_ON, go_on)
    delivery, told = Delivery(database, subscriptions, clock), 0
    while await delivery.deliver_one():
        if len(made) > told:
            print("piece", flush=True)
            told = len(made)


asyncio.run(work(sys.argv[1], sys.argv[2]))
