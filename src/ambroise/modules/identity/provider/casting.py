"""FHIRcast 3: the tools of a professional open and close the same patient together.

The context is the one that `sharing` keeps: one for each professional, sealed, for a while, purged at leaving. Here it
is opened and closed by events, and told to the software that follows the session. A topic is a session of the provider.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

import orjson
from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.db import Reader
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.provider.ground import Ground
from ambroise.modules.identity.provider.launching import Launching
from ambroise.modules.identity.provider.model import PORTAL, Family
from ambroise.modules.identity.provider.repositories import casts, contexts
from ambroise.modules.identity.provider.sharing import CAST, CLOSED, OPENED, Sharing
from ambroise.modules.identity.registry.model import PatientIdentity
from ambroise.modules.identity.registry.repository import identity_of
from ambroise.modules.identity.tokens import digest
from ambroise.modules.identity.tracing import PatientAct
from ambroise.trust.audit.entry import Entry, record

EVENTS: Final = (OPENED, CLOSED)
LEASE: Final = timedelta(hours=2)
_LEASE_LEAST: Final = timedelta(minutes=1)
_EVENT_ID: Final = re.compile(r"[\x21-\x7E]{1,64}")
_SCHEMA: Final = "patient-info"


class Subscription(Struct, frozen=True):
    """Software that follows a session: which events, and for how many seconds."""

    family: Family
    events: tuple[str, ...]
    lasts: int


class Casting(Struct, frozen=True):
    """The use cases of the hub."""

    ground: Ground
    sharing: Sharing
    launching: Launching

    def topic(self, sign_on: UUID) -> str:
        """The topic of a session."""
        return str(uuid5(self.ground.seed, f"fhircast {sign_on}"))

    async def holder(self, token: str, holder: str | None, act: str) -> Family:
        """Who holds a token that lets him `read` or `write` contexts. Raises INVALID_TOKEN, INSUFFICIENT_SCOPE."""
        family = await self.sharing.family(token, holder)
        if not any(_may(scope, event, act) for scope in family.scopes for event in EVENTS):
            refused = f"Ask for the scope fhircast/*.{act}."
            raise Refusal(Kind.FORBIDDEN, "INSUFFICIENT_SCOPE", refused)
        return family

    def check(self, family: Family, topic: str) -> None:
        """Refuse a topic that is not the session of the token."""
        if topic != self.topic(family.sign_on):
            raise Refusal(Kind.FORBIDDEN, "TOPIC_FORBIDDEN", "The topic is the hub.topic of the token answer.")

    async def subscribe(self, family: Family, asked: str, lease: str | None) -> str:
        """Follow the session; the secret of the WebSocket. Raises INVALID_REQUEST, INSUFFICIENT_SCOPE."""
        events = tuple(dict.fromkeys(one.strip().lower() for one in asked.split(",") if one.strip()))
        if not events or set(events) - set(EVENTS):
            raise Refusal(Kind.INVALID, "INVALID_REQUEST", f"Send hub.events among {', '.join(EVENTS)}.")
        if not all(any(_may(scope, event, "read") for scope in family.scopes) for event in events):
            raise Refusal(Kind.FORBIDDEN, "INSUFFICIENT_SCOPE", "An event asks for a scope that was not given.")
        secret, now = secrets.token_urlsafe(32), self.ground.clock.now()
        ends = min(now + _lease(lease), family.ends_at)
        async with self.ground.database.transaction() as tx:
            await casts.insert(tx, digest(secret), family.id, events, ends)
            await casts.follow(tx, family.sign_on, ends)
        return secret

    async def unsubscribe(self, family: Family, secret: str) -> None:
        """Stop following. Raises SUBSCRIPTION_UNKNOWN."""
        async with self.ground.database.transaction() as tx:
            if not await casts.remove(tx, digest(secret), family.id):
                raise Refusal(Kind.NOT_FOUND, "SUBSCRIPTION_UNKNOWN", "No such subscription: it ended.")
            await casts.tell(tx, CAST, _said(family.sign_on, "unsubscribed", "", None))

    async def subscription(self, secret: str) -> Subscription | None:
        """What the holder of a WebSocket address follows; None once it ended."""
        now = self.ground.clock.now()
        async with self.ground.database.reader() as reader:
            found = await casts.find(reader, digest(secret), now)
            family = await self.sharing.tokens.live_family(reader, found[0]) if found else None
        if found is None or family is None:
            return None
        return Subscription(family, found[1], int((min(found[2], family.ends_at) - now).total_seconds()))

    async def open(self, family: Family, event: str, patient: UUID) -> None:
        """Open a patient in every tool of the session. Raises CONTEXT_FORBIDDEN, INVALID_REQUEST."""
        known = await self._seen(family, patient)
        told = {
            "patientINS": known.ins.matricule if known.ins else None,
            "patientLastName": known.traits.birth_name,
            "patientFirstName": known.traits.first_given,
        }
        about = {name: one for name, one in told.items() if one}
        bag = {"ps": {"nationalId": family.account.professional}, "patient": about}
        await self.sharing.share(family, {"schemaId": _SCHEMA, "bag": bag}, patient, _event_id(event))

    async def close(self, family: Family, event: str, patient: UUID) -> None:
        """Close a patient: nobody is open any more, if it was that one. Traced."""
        async with self.ground.database.transaction() as tx:
            if await contexts.patient_of(tx, family.account.id, self.ground.clock.now()) != patient:
                return
            await contexts.purge(tx, family.sign_on)
            ctx = self.ground.context(family.account, family.situation, channel=family.channel, client=family.client)
            await record(tx, ctx, Entry("U", PatientAct.CONTEXT_CLOSED, patient))
            await casts.tell(tx, CAST, _said(family.sign_on, CLOSED, _event_id(event), patient))

    async def show(self, session: str, situation: int, patient: UUID | None) -> None:
        """Tell the tools that follow a session of the portal whose record its page is of; None: nobody's.

        Another record closes the one before. A page of nobody, or of a record that this professional may not open,
        closes what the portal opened and leaves what another tool did.
        """
        now = self.ground.clock.now()
        async with self.ground.database.reader() as reader:
            found = await casts.followed(reader, digest(session), PORTAL, now)
            family = await self.sharing.tokens.live_family(reader, found[0]) if found else None
            if found is None or family is None or found[1] == patient:
                return
            family = replace(family, situation=situation)
            may = patient is not None and await self.launching.may_open(reader, family.account, situation, patient)
        before, ours = found[1], found[2]
        if before is not None and (may or ours):
            await self.close(family, uuid4().hex, before)
        if may and patient is not None:
            await self.open(family, uuid4().hex, patient)

    async def current(self, family: Family) -> PatientIdentity | None:
        """The patient open in the session, traced; None when there is none, or whom this one may not open."""
        async with self.ground.database.reader() as reader:
            patient = await contexts.patient_of(reader, family.account.id, self.ground.clock.now())
        if patient is None:
            return None
        return await self.told(family, patient)

    async def told(self, family: Family, patient: UUID) -> PatientIdentity | None:
        """Who a patient is, for software that is about to be told; traced. None for who may not open that record."""
        async with self.ground.database.reader() as reader:
            known = await self._known(reader, family, patient)
        ctx = self.ground.context(family.account, family.situation, channel=family.channel, client=family.client)
        async with self.ground.database.transaction() as tx:
            await record(tx, ctx, Entry("R", PatientAct.CONTEXT_READ, patient, outcome=0 if known else 4))
        return known

    async def _seen(self, family: Family, patient: UUID) -> PatientIdentity:
        async with self.ground.database.reader() as reader:
            known = await self._known(reader, family, patient)
        if known is None:
            text = "This professional may not open that patient's record."
            raise Refusal(Kind.FORBIDDEN, "CONTEXT_FORBIDDEN", text)
        return known

    async def _known(self, reader: Reader, family: Family, patient: UUID) -> PatientIdentity | None:
        if not await self.launching.may_open(reader, family.account, family.situation, patient):
            return None
        return await identity_of(reader, patient)


def _said(sign_on: UUID, event: str, id: str, patient: UUID | None) -> str:
    said: Mapping[str, Any] = {"sign_on": str(sign_on), "event": event, "id": id, "patient": str(patient or "")}
    return orjson.dumps(said).decode()


def _may(scope: str, event: str, act: str) -> bool:
    """Whether a scope `fhircast/<event>.<act>` covers this (FHIRcast 3, §2.3)."""
    kind, _, rest = scope.partition("/")
    named, _, how = rest.rpartition(".")
    return kind == "fhircast" and named.lower() in ("*", event) and how in ("*", act)


def _lease(asked: str | None) -> timedelta:
    if asked is None:
        return LEASE
    if not asked.isdecimal() or len(asked) > 9:
        raise Refusal(Kind.INVALID, "INVALID_REQUEST", "Send hub.lease_seconds as a number of seconds.")
    return max(_LEASE_LEAST, min(timedelta(seconds=int(asked)), LEASE))


def _event_id(given: str) -> str:
    if not _EVENT_ID.fullmatch(given):
        raise Refusal(Kind.INVALID, "INVALID_REQUEST", "Send an id of 1 to 64 characters with each event.")
    return given
