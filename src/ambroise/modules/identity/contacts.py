"""The addresses that the holder of an account proved to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Reader, Transaction
from ambroise.modules.identity.enrolment import repository
from ambroise.modules.identity.tokens import Sealer
from ambroise.modules.letters.api import Channel

_CONTACT = "contact"


async def keep(tx: Transaction, sealer: Sealer, account: UUID, channel: Channel, address: str, now: datetime) -> None:
    """Keep a proven address in place of the one before."""
    await repository.put_contact(tx, account, channel.value, sealer.seal(_CONTACT, address.encode()), now)


def sealed(sealer: Sealer, known: Mapping[Channel, str]) -> bytes:
    """Several addresses in one box."""
    return sealer.seal(_CONTACT, json.dumps(known).encode())


async def restore(tx: Transaction, sealer: Sealer, account: UUID, box: bytes, now: datetime) -> None:
    """Give an account the addresses of a box, and no other."""
    await repository.drop_contacts(tx, account)
    for channel, address in json.loads(sealer.unseal(_CONTACT, box)).items():
        await keep(tx, sealer, account, Channel(channel), address, now)


async def of_account(reader: Reader, sealer: Sealer, account: UUID) -> dict[Channel, str]:
    """The proven addresses of an account."""
    rows = await repository.contacts(reader, account)
    return {Channel(channel): sealer.unseal(_CONTACT, bytes(sealed)).decode() for channel, sealed in rows}
