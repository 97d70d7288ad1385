"""Believing an assertion: signed, fresh, for us, of who signs; and its one use."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.kernel.crypto.certificates import Authorities, Revocations
from ambroise.kernel.db import Database, Transaction
from ambroise.modules.identity.vihf import refusals, repository
from ambroise.modules.identity.vihf.model import Mode, Vihf
from ambroise.modules.identity.vihf.reading import issuer_of, read
from ambroise.modules.identity.vihf.signature import verified
from ambroise.modules.identity.vihf.signer import Signer
from ambroise.modules.identity.vihf.use import Use


class Believed(Struct, frozen=True):
    """An assertion that is believed: nothing is given for it before its use."""

    vihf: Vihf
    use: Use


class Assertions:
    """What this instance believes of assertions: from which authorities, made for whom, for how long."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        authorities: Authorities,
        revocations: Revocations,
        *,
        audiences: Iterable[str],
        lifetime: timedelta,
    ) -> None:
        self._database = database
        self._clock = clock
        self._authorities = authorities
        self._revocations = revocations
        self._audiences = frozenset(audiences)
        self._lifetime = lifetime

    def believe(self, written: bytes) -> Believed:
        """What an assertion says, and its use, which is still to happen. Raises UNAUTHENTICATED with a code VIHF_*."""
        now = self._clock.now()
        signed = verified(written, self._authorities, self._revocations, now)
        vihf, mode = read(signed.root, now, self._lifetime, self._audiences)
        if not signed.signer.is_named(issuer_of(signed.root)):
            raise refusals.signer("its Issuer is the name of the certificate")
        _check_signer(vihf, mode, signed.signer)
        return Believed(vihf, Use(self._database, self._clock, _hash(vihf, signed.signer), vihf.expires))


async def forget(tx: Transaction, now: datetime) -> None:
    """Forget the assertions that are over."""
    await repository.forget(tx, now)


def _check_signer(vihf: Vihf, mode: Mode, signer: Signer) -> None:
    """A professional signs for himself; the seal of a structure, for those who act for this very structure."""
    if mode is Mode.DIRECT:
        if vihf.subject not in signer.common_names:
            raise refusals.signer("in mode DIRECTE the certificate is that of the NameID")
    elif not vihf.structure or vihf.structure not in signer.units:
        raise refusals.signer("in mode INDIRECTE its OU is the Identifiant_Structure")


def _hash(vihf: Vihf, signer: Signer) -> bytes:
    """One number for an assertion: its id is unique for who made it, not for everybody."""
    return sha256(f"{signer.subject}\n{vihf.id}".encode()).digest()
