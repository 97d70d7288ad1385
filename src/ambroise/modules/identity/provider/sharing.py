"""Carrying a context from one tool to another (partage de contexte, "copier-coller" of the State's federation).

One context for each professional, replaced by the next, sealed at rest: it may hold the INS of a patient. It ends after
a while, with the sign-on, and when the professional leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID, uuid4

import jsonschema_rs
import orjson
from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.provider.claims import FAMILY
from ambroise.modules.identity.provider.ground import Ground
from ambroise.modules.identity.provider.model import Family
from ambroise.modules.identity.provider.repositories import casts, contexts
from ambroise.modules.identity.provider.tokens import TokenService
from ambroise.modules.identity.tokens import Sealer
from ambroise.modules.identity.tracing import PatientAct
from ambroise.trust.audit.entry import Entry, record

LASTS = timedelta(minutes=30)
OPENED: Final = "patient-open"
CLOSED: Final = "patient-close"
LEFT: Final = "left"
CAST: Final = "context_cast"
"""The channel of the database on which processes hear of contexts: ids, never content."""
_PURPOSE = "shared context"
_SCHEMAS = Path(__file__).parent / "schemas"
_LARGEST = 16 * 1024


class SharedContext(Struct, frozen=True):
    """What a professional carries, in the words of a schema."""

    professional: str
    schema: str
    bag: Mapping[str, Any]

    @property
    def ins(self) -> str | None:
        """The patient whom it is about, if it is about one."""
        patient = self.bag.get("patient")
        return cast("dict[str, str]", patient).get("patientINS") if isinstance(patient, dict) else None


class Sharing(Struct, frozen=True):
    """The use cases of carrying a context."""

    ground: Ground
    tokens: TokenService
    sealer: Sealer

    async def holder(self, token: str, holder: str | None) -> Family:
        """What an access token of a plain sign-in comes from. Raises INVALID_TOKEN, INSUFFICIENT_SCOPE."""
        family = await self.family(token, holder)
        if family.limited:
            # What its scopes name is all that it opens, and none names this.
            raise Refusal(Kind.FORBIDDEN, "INSUFFICIENT_SCOPE", "A token of a launch opens what its scopes name alone.")
        return family

    async def family(self, token: str, holder: str | None) -> Family:
        """What an access token comes from. Raises INVALID_TOKEN."""
        claims = self.tokens.access(token, holder)
        async with self.ground.database.reader() as reader:
            family = await self.tokens.live_family(reader, UUID(claims[FAMILY])) if FAMILY in claims else None
        if family is None:
            raise Refusal(Kind.UNAUTHENTICATED, "INVALID_TOKEN", "The access token ended; refresh it.")
        return family

    async def share(
        self, family: Family, asked: object, patient: UUID | None, event: str | None = None
    ) -> SharedContext:
        """Keep a context in place of the one before, traced, and tell the tools of the session. Raises SCHEMA_…

        `patient` is who its INS leads to, `event` the name that a tool gave to what it did.
        """
        shared = self.read(family, asked)
        now = self.ground.clock.now()
        sealed = self.sealer.seal(_PURPOSE, orjson.dumps(shared.bag))
        ends = min(now + LASTS, family.ends_at)
        async with self.ground.database.transaction() as tx:
            await contexts.put(
                tx, family.account.id, family.sign_on, shared.schema, sealed, patient, family.client, now, ends
            )
            ctx = self._context(family)
            await record(tx, ctx, Entry("U", PatientAct.CONTEXT_SHARED, patient, details={"schema": shared.schema}))
            if patient is not None:
                said = {"sign_on": str(family.sign_on), "event": OPENED, "id": event or uuid4().hex}
                await casts.tell(tx, CAST, orjson.dumps({**said, "patient": str(patient)}).decode())
        return shared

    def read(self, family: Family, asked: object) -> SharedContext:
        """What a tool asks to carry, checked against its schema. Raises SCHEMA_UNKNOWN, CONTEXT_INVALID."""
        given = cast("dict[str, Any]", asked) if isinstance(asked, dict) else {}
        schema, bag = given.get("schemaId"), given.get("bag")
        if not isinstance(schema, str) or not isinstance(bag, dict) or len(orjson.dumps(bag)) > _LARGEST:
            raise Refusal(Kind.INVALID, "CONTEXT_INVALID", "Send {schemaId, bag}, of 16 KB at most.")
        if schema not in schemas():
            known = ", ".join(schemas())
            raise Refusal(Kind.INVALID, "SCHEMA_UNKNOWN", f"Send a schemaId among {known}.")
        bag = cast("dict[str, Any]", bag)
        fault = next(_validator(schema).iter_errors(bag), None)
        if fault is not None:
            where = "/".join(str(part) for part in fault.instance_path) or "the bag"
            raise Refusal(Kind.INVALID, "CONTEXT_INVALID", f"{where} does not follow the schema {schema}.")
        if bag["ps"]["nationalId"] != family.account.professional:
            raise Refusal(Kind.INVALID, "CONTEXT_INVALID", "ps.nationalId is not the professional of the token.")
        return SharedContext(family.account.professional or "", schema, bag)

    async def carried(self, family: Family) -> SharedContext:
        """What this professional carries. Raises CONTEXT_NONE."""
        async with self.ground.database.reader() as reader:
            found = await contexts.find(reader, family.account.id, self.ground.clock.now())
        if found is None:
            raise Refusal(Kind.NOT_FOUND, "CONTEXT_NONE", "This professional shares no context now.")
        bag = orjson.loads(self.sealer.unseal(_PURPOSE, found[1]))
        return SharedContext(family.account.professional or "", found[0], bag)

    async def note_read(self, family: Family, shared: SharedContext, patient: UUID | None, *, refused: bool) -> None:
        """Trace that a tool took the context, or was refused."""
        async with self.ground.database.transaction() as tx:
            entry = Entry(
                "R", PatientAct.CONTEXT_READ, patient, outcome=4 if refused else 0, details={"schema": shared.schema}
            )
            await record(tx, self._context(family), entry)

    def _context(self, family: Family) -> Any:
        return self.ground.context(family.account, family.situation, channel=family.channel, client=family.client)


@cache
def schemas() -> Mapping[str, Mapping[str, Any]]:
    """The schemas that a context may follow, by name."""
    return {file.stem: orjson.loads(file.read_bytes()) for file in sorted(_SCHEMAS.glob("*.json"))}


@cache
def _validator(schema: str) -> jsonschema_rs.Draft4Validator:
    return jsonschema_rs.Draft4Validator(dict(schemas()[schema]))
