"""Warning the holder of an account, by mail and in the portal."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ambroise.kernel.db import Transaction
from ambroise.kernel.ids import new_id
from ambroise.modules.identity import contacts, tokens
from ambroise.modules.identity.codes.service import Codes
from ambroise.modules.identity.model import Origin
from ambroise.modules.identity.protection import repository
from ambroise.modules.identity.protection.model import AGENT_KEPT, Alert, AlertKind, coarse
from ambroise.modules.letters.api import Channel
from ambroise.modules.letters.api import Kind as LetterKind

_LETTERS = {
    AlertKind.NEW_DEVICE: LetterKind.NEW_DEVICE,
    AlertKind.PASSWORD_CHANGED: LetterKind.PASSWORD_CHANGED,
    AlertKind.FACTOR_CHANGED: LetterKind.FACTOR_CHANGED,
}


async def warn(
    tx: Transaction,
    codes: Codes | None,
    account: UUID,
    kind: AlertKind,
    origin: Origin,
    now: datetime,
    *,
    former_contacts: bytes | None = None,
) -> None:
    """Note a warning, and write it to the proven mail address when there is one and mails leave.

    `former_contacts`: the addresses to give back if it was not the holder.
    """
    alert = Alert(new_id(), account, kind, origin.agent[:AGENT_KEPT], coarse(origin.address), now)
    token = tokens.new_session_token()
    await repository.put_alert(tx, alert, tokens.digest(token), former_contacts)
    if codes is None or Channel.MAIL not in codes.letters.channels:
        return
    mail = (await contacts.of_account(tx, codes.sealer, account)).get(Channel.MAIL)
    if mail is not None:
        details = {"token": token, "agent": alert.agent, "network": alert.network, "at": now.isoformat()}
        await codes.letters.write(tx, Channel.MAIL, mail, _LETTERS[kind], details, language=origin.language)
