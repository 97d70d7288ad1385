"""A person, the desk, a doctor who reads cards, and a telephone that makes tokens as the page does."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from ambroise.kernel.crypto import SigningKeys
from ambroise.kernel.crypto.application import ApplicationSecret
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.api import KeySealer
from ambroise.modules.relations.api import Mediation, Relations
from ambroise.modules.vitale.api import Card, CardState, Document, Registered, Shown, Verified, Vitale
from ambroise.modules.vitale.tokens import TYPE, proof_of
from ambroise.trust.context import Context, Operator
from tests.integration.record.conftest import world
from tests.integration.relations.conftest import Family

__all__ = ["world"]

CODE = "7291"
PASSPORT = Document("PA", "12AB34567")


@dataclass
class Phone:
    """What the page of the card keeps on a telephone, and how it signs."""

    key: ECKey
    registered: Registered

    def token(self, at: datetime, *, reader: UUID | None = None, opens: bool = False, **changed: Any) -> str:
        """A token made at this instant by the clock of the telephone. `changed`: claims that somebody forges."""
        counter = int(at.timestamp() * 1000)
        said: dict[str, Any] = {"n": counter, "m": proof_of(self.registered.seed, counter, reader, opens)}
        said |= {"r": reader.hex} if reader else {}
        said |= {"a": 1} if opens else {}
        header = {"alg": "ES256", "typ": TYPE, "kid": f"d.{self.registered.device.id.hex}"}
        return jws.serialize_compact(header, orjson.dumps(said | changed), self.key, algorithms=["ES256"])


@dataclass
class Bench:
    """Shortcuts over the module."""

    family: Family
    vitale: Vitale
    keys: SigningKeys
    phones: list[Phone] = field(default_factory=list[Phone])

    @property
    def desk(self) -> Context:
        return self.family.world.context(Operator("desk-1", "Guichet", frozenset({"identity"})))

    @property
    def doctor(self) -> Context:
        return self.family.world.professional(1)

    @property
    def now(self) -> datetime:
        return self.family.world.clock.now()

    async def checked(self, ctx: Context) -> None:
        """The desk accepts what waits for this person."""
        for check, _ in await self.vitale.cards.queue(self.desk):
            if check.patient == ctx.space:
                await self.vitale.cards.accept(self.desk, check.id, document_seen=True, person_seen=True)

    async def card(self, ctx: Context, code: str = CODE) -> Card:
        """An active card."""
        await self.vitale.cards.request(ctx, PASSPORT)
        await self.checked(ctx)
        return await self.vitale.cards.choose_code(ctx, code)

    async def shown(self, ctx: Context, *, code: str = CODE, delegation: UUID | None = None, **details: Any) -> Shown:
        unlocked = await self.vitale.showings.unlock(ctx, code, delegation=delegation)
        return await self.vitale.showings.show(ctx, unlocked.secret, **details)

    async def verified(self, token: str, ctx: Context | None = None, medium: Any = "qr") -> Verified:
        return await self.vitale.showings.verify(ctx or self.doctor, token, medium)

    async def met(self, holder: Context, reader: Context, way: str) -> Any:
        """What a professional gets who is with this person and lets the record open, by the card or by a code."""
        if way == "card":
            await self.card(holder)
            return await self.verified((await self.shown(holder, opens=True)).token, reader)
        code = await self.vitale.meetings.invite(holder)
        return await self.vitale.meetings.meet(reader, code.code.lower())

    async def phone(self, ctx: Context, code: str = CODE) -> Phone:
        key = ECKey.generate_key("P-256")
        public = key.as_dict(private=False)
        return Phone(key, await self.vitale.cards.register_device(ctx, code, public, "Téléphone"))

    async def state(self, ctx: Context) -> CardState:
        present = await self.vitale.cards.present(ctx)
        assert present.card is not None
        return present.card.state

    async def traced(self, patient: UUID, event: str) -> list[tuple[int, dict[str, Any]]]:
        async with self.family.world.database.reader() as reader:
            rows = await reader.fetch_all(
                "select outcome, details from trace where patient = %s and event = %s order by at, id", (patient, event)
            )
        return [(outcome, details or {}) for outcome, details in rows]


async def code_of(act: Awaitable[Any]) -> str:
    """The code with which this is refused."""
    with pytest.raises(Refusal) as refusal:
        await act
    return refusal.value.code


@pytest.fixture
async def bench(world: Any, tmp_path: Path) -> Bench:
    keys = SigningKeys.load(tmp_path / "keys", create=True)
    sealer = KeySealer(ApplicationSecret(b"s" * 32))
    vitale = Vitale.over(world.database, world.gateway, world.clock, sealer, keys, demonstration=True)
    return Bench(Family(world, Relations(world.gateway), Mediation(world.gateway)), vitale, keys)
