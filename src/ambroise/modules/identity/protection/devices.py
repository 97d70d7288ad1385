"""The browsers that an account knows, and the answers to its warnings."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity import contacts, tokens
from ambroise.modules.identity import repository as accounts
from ambroise.modules.identity.model import Origin, Session
from ambroise.modules.identity.protection import repository
from ambroise.modules.identity.protection.model import ALERT_LASTS, Alert, AlertKind, Device
from ambroise.modules.identity.service import Identity

_OVER: Final = "This warning was answered, or is too old."


class Devices(Struct, frozen=True):
    """The use cases of a holder who looks at the browsers of the account."""

    identity: Identity

    async def of(self, session: Session, origin: Origin) -> list[Device]:
        """The browsers that the account knows, the latest first; the one that asks is marked."""
        present = tokens.device_digest(origin.device, session.account.id) if origin.device else None
        async with self.identity.database.reader() as reader:
            return await repository.devices(reader, session.account.id, present)

    async def forget(self, session: Session, device: UUID) -> None:
        """Know a browser no more: its sessions end, and its next sign-in is that of a stranger."""
        async with self.identity.database.transaction() as tx:
            await repository.close_sessions_of(tx, session.account.id, device, self.identity.clock.now())
            if not await repository.forget(tx, session.account.id, device):
                raise Refusal(Kind.NOT_FOUND, "DEVICE_UNKNOWN", "This account knows no such device.")

    async def forget_others(self, session: Session, origin: Origin) -> None:
        """Know no browser but this one, and end every other session."""
        present = tokens.device_digest(origin.device, session.account.id) if origin.device else None
        async with self.identity.database.transaction() as tx:
            await repository.forget_all(tx, session.account.id, present)
            await accounts.close_sessions(tx, session.account.id, self.identity.clock.now(), session.id)

    async def alerts(self, session: Session) -> list[Alert]:
        """The warnings that wait for an answer."""
        async with self.identity.database.reader() as reader:
            return await repository.alerts(reader, session.account.id, self.identity.clock.now() - ALERT_LASTS)

    async def recognise(self, session: Session, alert: UUID) -> None:
        """The holder says that it was them."""
        async with self.identity.database.transaction() as tx:
            now = self.identity.clock.now()
            if not await repository.answer(tx, session.account.id, alert, now, disowned=False):
                raise Refusal(Kind.GONE, "ALERT_OVER", _OVER)

    async def disown(self, session: Session, alert: UUID) -> None:
        """The holder says in the portal that it was not them: every session ends, this one too."""
        found = next((one for one in await self.alerts(session) if one.id == alert), None)
        if found is None:
            raise Refusal(Kind.GONE, "ALERT_OVER", _OVER)
        async with self.identity.database.transaction() as tx:
            await self._close(tx, found)

    async def alert_of_letter(self, token: str) -> Alert:
        """The warning whose letter somebody reads. Raises ALERT_OVER."""
        async with self.identity.database.reader() as reader:
            since = self.identity.clock.now() - ALERT_LASTS
            found = await repository.alert_of_token(reader, tokens.digest(token), since)
        if found is None:
            raise Refusal(Kind.GONE, "ALERT_OVER", _OVER)
        return found

    async def disown_by_letter(self, token: str) -> None:
        """Who reads the letter says that it was not them. Nothing else is asked: it only closes."""
        found = await self.alert_of_letter(token)
        async with self.identity.database.transaction() as tx:
            await self._close(tx, found)

    async def _close(self, tx: Transaction, alert: Alert) -> None:
        """End all that a stranger may hold: sessions, devices, the password, a second factor just changed."""
        now = self.identity.clock.now()
        await repository.answer(tx, alert.account, alert.id, now, disowned=True)
        await accounts.close_sessions(tx, alert.account, now, None)
        await repository.forget_all(tx, alert.account, None)
        await repository.drop_password(tx, alert.account)
        former = await repository.former_contacts(tx, alert.id)
        if former is not None:
            await contacts.restore(tx, self.identity.sealer, alert.account, former, now)
        if alert.kind is AlertKind.FACTOR_CHANGED:
            await repository.set_codes_by(tx, alert.account, None)
            await repository.drop_totp(tx, alert.account)
            await accounts.replace_recovery_codes(tx, alert.account, [])
