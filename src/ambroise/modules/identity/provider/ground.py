"""What every part of the provider stands on, and how it refuses and traces."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NoReturn
from uuid import NAMESPACE_URL, UUID, uuid5

from msgspec import Struct, field

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Database, Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity import repository, throttle, tokens
from ambroise.modules.identity.model import Account
from ambroise.modules.identity.provider.jose import Jose
from ambroise.modules.identity.tracing import PatientAct
from ambroise.trust.audit.entry import DONE, REFUSED, Entry, InstanceEvent, record
from ambroise.trust.context import Channel, Context

REALM = "/auth/realms/esante-wallet"
"""Where the provider stands under the address of the instance: the realm of Pro Santé Connect."""

TOKEN_ENDPOINT = "/protocol/openid-connect/token"  # noqa: S105 - an address.


class Ground(Struct, frozen=True, dict=True):
    """`addresses`: those by which the instance may be reached, the usual one first; each makes an issuer.

    `audience` is the one of the FHIR base, `seed` names the instance in the subjects of its tokens, `secure` gives the
    address of the mTLS port for each of the others.
    """

    database: Database
    clock: Clock
    jose: Jose
    addresses: tuple[str, ...]
    audience: str
    seed: UUID
    demonstration: bool = False
    secure: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def issuer(self) -> str:
        """The issuer of an instance reached by its usual address."""
        return self.addresses[0] + REALM

    @property
    def issuers(self) -> frozenset[str]:
        return frozenset(address + REALM for address in self.addresses)

    def issuer_at(self, address: str) -> str:
        """The issuer for who came by this address; an address that is not ours never makes one."""
        for usual, secure in self.secure.items():
            if address == secure:
                return usual + REALM
        return (address if address in self.addresses else self.addresses[0]) + REALM

    def secure_address(self, issuer: str) -> str | None:
        """The address of the mTLS port for an issuer, if there is one."""
        return self.secure.get(issuer.removesuffix(REALM))

    def subject(self, account: Account) -> str:
        """Claim `sub` of a professional: `f:<instance>:<PS_IdNat>`, as the federation of the State writes it."""
        return f"f:{self._instance}:{account.professional}"

    @cached_property
    def _instance(self) -> UUID:
        return uuid5(NAMESPACE_URL, str(self.seed))

    def context(self, account: Account, situation: int, *, channel: Channel, client: str) -> Context:
        """The context of an act of signing on, for the trace."""
        return Context(
            actor=account.as_professional(situation),
            clock=self.clock,
            channel=channel,
            software=client,
            demonstration=self.demonstration,
        )

    async def trace(
        self,
        tx: Transaction,
        account: Account,
        event: str,
        client: str,
        *,
        situation: int = 0,
        channel: Channel = "web",
        refused: bool = False,
        patient: UUID | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Write an act of signing on in the trace, in the transaction of what it records."""
        ctx = self.context(account, situation, channel=channel, client=client)
        name = InstanceEvent(event) if patient is None else PatientAct(event)
        entry = Entry("E", name, patient, outcome=REFUSED if refused else DONE, details=details)
        await record(tx, ctx, entry)


class Attempts(Struct, frozen=True):
    """Counts failures under keys, and makes who fails too often wait."""

    database: Database
    clock: Clock

    async def check(self, reader: Reader, *keys: tuple[str, ...]) -> None:
        """Refuse while one of these must wait. Raises SLOW_DOWN."""
        hashed = [key_of(*key) for key in keys]
        found = await repository.failures(reader, hashed)
        now = self.clock.now()
        waits = [
            throttle.still_to_wait(found[one].count, found[one].last_at, now, by_address=key[0] == "oauth-address")
            for one, key in zip(hashed, keys, strict=True)
            if one in found
        ]
        if wait := max(waits, default=timedelta()):
            seconds = max(1, int(wait.total_seconds()))
            raise Refusal(
                Kind.THROTTLED,
                "TOO_MANY_ATTEMPTS",
                f"Too many failures. Try again in {seconds} seconds.",
                data={"seconds": seconds},
            )

    async def fail(self, *keys: tuple[str, ...]) -> None:
        """Count a failure, in a transaction of its own."""
        now = self.clock.now()
        async with self.database.transaction() as tx:
            for key in keys:
                await repository.add_failure(tx, key_of(*key), now, now - throttle.FORGOTTEN_AFTER)


def key_of(*parts: str) -> bytes:
    return tokens.digest("\x1f".join(parts))


def seconds(instant: datetime) -> int:
    """An instant as tokens write it."""
    return int(instant.timestamp())


def refuse(code: str, what: str, kind: Kind = Kind.INVALID) -> NoReturn:
    """Refuse as OAuth does: `code` is an OAuth error in upper case, `what` says what to do."""
    raise Refusal(kind, code, what)
