"""Opening other software on a patient (EHR launch), and on whom software that starts by itself opens."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.model import Account
from ambroise.modules.identity.provider.asking import Unmet
from ambroise.modules.identity.provider.ground import REALM, Ground
from ambroise.modules.identity.provider.model import Asked, Client, SignOn
from ambroise.modules.identity.provider.repositories import clients, contexts, launches
from ambroise.modules.identity.provider.smart import (
    FHIR,
    LAUNCH,
    LAUNCH_LASTS,
    LAUNCH_PATIENT,
    NOBODY,
    OPENING,
    Launched,
    Opened,
    is_limited,
)
from ambroise.modules.identity.tokens import digest
from ambroise.modules.identity.tracing import PatientAct
from ambroise.trust.access.decide import facts_about, judge_entry
from ambroise.trust.access.facts import Eyes
from ambroise.trust.audit.entry import Entry, record
from ambroise.trust.context import Channel


class Launching(Struct, frozen=True):
    """The use cases of launches."""

    ground: Ground

    async def offered(self, reader: Reader) -> list[Client]:
        """The software that can be opened on a patient, by name."""
        return [client for client in await clients.everyone(reader) if client.launch_uri is not None]

    async def issue(
        self,
        tx: Transaction,
        account: Account,
        situation: int,
        named: str,
        opened: Opened,
        *,
        issuer: str,
        channel: Channel,
        by: str,
    ) -> Launched:
        """Open a software on a patient: traced, good once, for this professional. `by`: the software that asks.

        Raises CLIENT_UNKNOWN, LAUNCH_FORBIDDEN.
        """
        client = await clients.find(tx, named)
        if client is None or client.launch_uri is None or opened.patient is None:
            raise Refusal(Kind.NOT_FOUND, "CLIENT_UNKNOWN", "No software that can be opened has this identifier.")
        if not await self.may_open(tx, account, situation, opened.patient):
            raise Refusal(Kind.FORBIDDEN, "LAUNCH_FORBIDDEN", "This professional may not open that patient's record.")
        launch = secrets.token_urlsafe(32)
        ends = self.ground.clock.now() + LAUNCH_LASTS
        await launches.insert(tx, digest(launch), client.id, account.id, opened, ends)
        ctx = self.ground.context(account, situation, channel=channel, client=by)
        await record(tx, ctx, Entry("E", PatientAct.LAUNCH_ISSUED, opened.patient, details={"client": client.id}))
        query = urlencode({"iss": issuer.removesuffix(REALM) + FHIR, "launch": launch})
        address = f"{client.launch_uri}{'&' if '?' in client.launch_uri else '?'}{query}"
        return Launched(launch, address, int(LAUNCH_LASTS.total_seconds()))

    async def must_choose(self, reader: Reader, asked: Asked, session: SignOn) -> bool:
        """Whether the professional must say on whom software that starts by itself opens: no patient whom it may open
        is carried."""
        if asked.launch is not None or LAUNCH_PATIENT not in asked.scopes:
            return False
        carried = await contexts.patient_of(reader, session.account.id, self.ground.clock.now())
        return carried is None or not await self.may_open(reader, session.account, session.situation or 0, carried)

    async def opened(
        self, tx: Transaction, asked: Asked, session: SignOn, situation: int, chosen: UUID | None = None
    ) -> Opened:
        """On whom what is asked opens; nobody, when it asks for no patient. Raises Unmet.

        `chosen`: whom the professional named, for software that starts by itself.
        """
        standalone = asked.launch is None and LAUNCH_PATIENT in asked.scopes
        found = Opened(chosen) if chosen and standalone else await self._found(tx, asked, session)
        if found.patient is not None and not await self.may_open(tx, session.account, situation, found.patient):
            raise _unmet(asked, "access_denied", "This professional may not open that patient's record.")
        return found

    def granted(self, asked: Asked, opened: Opened) -> tuple[str, ...]:
        """The scopes that are given: without a patient, none that is about one. Raises Unmet when nothing is left."""
        if opened.patient is not None:
            return asked.scopes
        left = tuple(one for one in asked.scopes if one not in OPENING and not one.startswith("patient/"))
        if is_limited(asked.scopes) and not is_limited(left):
            # What is left must not be taken for the token of a plain sign-in, which opens more.
            raise _unmet(asked, "access_denied", "No patient is in context: open one in another tool first.")
        return left

    async def may_open(self, reader: Reader, account: Account, situation: int, patient: UUID) -> bool:
        """Whether this professional gets into that record now, without any emergency."""
        ctx = self.ground.context(account, situation, channel="partner", client="")
        eyes = Eyes.of(ctx)
        return judge_entry(await facts_about(reader, ctx, eyes, patient), eyes).allowed

    async def _found(self, tx: Transaction, asked: Asked, session: SignOn) -> Opened:
        now = self.ground.clock.now()
        if asked.launch is not None:
            found = await launches.take(tx, bytes.fromhex(asked.launch), asked.client, session.account.id, now)
            if found is None:
                what = "The launch ended, was used, or is of another professional: open the software again."
                raise _unmet(asked, "invalid_request", what)
            return found
        if LAUNCH in asked.scopes and LAUNCH_PATIENT not in asked.scopes:
            raise _unmet(asked, "invalid_request", "Send the launch that the software was opened with.")
        if LAUNCH_PATIENT not in asked.scopes:
            return NOBODY
        # Software that starts by itself follows the patient whom the professional carries from one tool to another.
        return Opened(await contexts.patient_of(tx, session.account.id, now))


def _unmet(asked: Asked, error: str, description: str) -> Unmet:
    return Unmet(asked.redirect_uri, asked.state, error, description)
