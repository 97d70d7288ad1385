"""A worker in a process of its own, that prints notices and says when each sheet is kept: a test kills it."""

import asyncio
import sys

from ambroise.interfaces.web import templates
from ambroise.interfaces.web.printing import Printer
from ambroise.kernel.clock import SystemClock
from ambroise.kernel.crypto.application import ApplicationSecret
from ambroise.kernel.db import Database, Transaction
from ambroise.kernel.outbox import Delivery, Event, Subscriptions
from ambroise.modules.identity.api import KeySealer
from ambroise.modules.space.api import PRINTING_ASKED, Notice, Printings
from ambroise.modules.space.telling import printing
from ambroise.trust.gateway import Gateway

printing.PER_SHEET = 2  # pyright: ignore[reportConstantRedefinition]


class Told(Printings, frozen=True):
    """Says that a sheet begins: the one before it is kept then."""

    async def take(self, tx: Transaction, id: object) -> list[Notice]:
        print("sheet", flush=True)
        return await super().take(tx, id)  # pyright: ignore[reportArgumentType]


async def work(dsn: str) -> None:
    clock, database = SystemClock(), await Database.open(dsn, slots=3)
    sealer = KeySealer(ApplicationSecret(b"s" * 32))
    printings = Told(database, Gateway(database, clock), sealer, clock, demonstration=True)
    printer = Printer(printings, templates, "https://ambroise.exemple")

    async def make(tx: Transaction, event: Event) -> None:
        await printer.make(tx, event)

    subscriptions = Subscriptions()
    subscriptions.on(PRINTING_ASKED, make)
    await Delivery(database, subscriptions, clock).deliver_all()


asyncio.run(work(sys.argv[1]))
