"""The account of a professional whom the directory knows."""

from __future__ import annotations

from ambroise.kernel.db import Transaction
from ambroise.modules.directory import api as directory
from ambroise.modules.identity.model import Account, AccountKind, NewAccount, Situation
from ambroise.modules.identity.service import Identity


async def known_professional(tx: Transaction, identity: Identity, identifier: str) -> Account | None:
    """The account of this national identifier (PS_IdNat), made from the directory the first time; None for nobody."""
    found = await identity.account_of(tx, professional=identifier)
    if found is not None:
        return found
    known = await directory.situations(tx, identifier[1:]) if identifier.startswith("8") else []
    if not known or known[0].id != identifier:
        return None
    situations = tuple(
        Situation(
            one.profession,
            one.profession_system,
            one.specialty,
            one.organization,
            one.organization_name,
            one.role_title,
        )
        for one in known
    )
    await identity.create_account(
        tx,
        NewAccount(AccountKind.PROFESSIONAL, identifier, known[0].name, professional=identifier, situations=situations),
    )
    return await identity.account_of(tx, professional=identifier)
