"""The trace of coming in: who, with what, taken or refused. Never a name that was typed, nor a secret."""

from __future__ import annotations

from typing import Any, Final

from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Reader, Transaction
from ambroise.modules.identity import repository
from ambroise.modules.identity.model import Account, AccountKind, SignInMeans
from ambroise.trust.audit.entry import DONE, REFUSED, Entry, InstanceEvent, PatientEvent, record
from ambroise.trust.context import Citizen, Context, Operator, Professional, System


class PatientAct(PatientEvent):
    """The acts of identity about a patient."""

    CONTEXT_SHARED = "context_shared"
    CONTEXT_CLOSED = "context_closed"
    CONTEXT_READ = "context_read"
    LAUNCH_ISSUED = "launch_issued"
    CLIENT_ENTERED = "client_entered"
    PARTNER_LINKED = "partner_linked"
    PARTNER_UNLINKED = "partner_unlinked"
    PARTNER_SIGNED_IN = "partner_signed_in"
    PARTNER_SIGNED_OUT = "partner_signed_out"
    INSI_CALLED = "insi_called"
    IDENTITY_TRUST = "identity_trust"
    ACCOUNT_RESCUE = "account_rescue"


SIGNED_IN: Final = "signed_in"
SIGN_IN_REFUSED: Final = "sign_in_refused"
PROVEN_AGAIN: Final = "proven_again"
PROOF_REFUSED: Final = "proof_refused"
PASSKEY_ADDED: Final = "passkey_added"
PASSKEY_REVOKED: Final = "passkey_revoked"
_REFUSALS: Final = frozenset({SIGN_IN_REFUSED, PROOF_REFUSED})


async def trace(
    tx: Transaction,
    clock: Clock,
    account: Account | None,
    event: str,
    means: SignInMeans | None = None,
    *,
    demonstration: bool,
    **details: Any,
) -> None:
    """Write one line, in the transaction of what it records. Without an account, the instance itself is the actor."""
    actor = actor_of(account) if account is not None else System("entrance")
    ctx = Context(actor, clock, channel="web", software="portal", demonstration=demonstration)
    said = {**({"means": means.value} if means else {}), **details}
    outcome = REFUSED if event in _REFUSALS else DONE
    await record(tx, ctx, Entry("E", InstanceEvent(event), outcome=outcome, details=said))


def actor_of(account: Account, situation: int = 0) -> Citizen | Professional | Operator:
    """Who acts when this account does."""
    if account.patient is not None:
        return Citizen(account.patient, account.display_name)
    if account.kind is AccountKind.PROFESSIONAL:
        return account.as_professional(situation)
    return Operator(account.id, account.display_name, account.duties)


async def operator_named(reader: Reader, name: str) -> Operator | None:
    """The member of the desk who signs in under this name, if the account works."""
    found = await repository.credentials(reader, name=name)
    if found is None or found.suspended or found.account.kind is not AccountKind.OPERATOR:
        return None
    return Operator(found.account.id, found.account.display_name, found.account.duties)
