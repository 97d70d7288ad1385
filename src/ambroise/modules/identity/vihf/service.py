"""Taking an assertion: signed, fresh, for us, of who signs, and used once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.x509.oid import NameOID

from ambroise.kernel.clock import Clock
from ambroise.kernel.crypto.certificates import Authorities, Revocations
from ambroise.kernel.db import Database, Transaction
from ambroise.modules.identity.vihf import refusals, repository
from ambroise.modules.identity.vihf.model import Mode, Vihf
from ambroise.modules.identity.vihf.reading import issuer_of, read
from ambroise.modules.identity.vihf.signature import names_same, verified


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

    async def take(self, written: bytes) -> Vihf:
        """The assertion, which is used up. Raises UNAUTHENTICATED with a code VIHF_*."""
        now = self._clock.now()
        signed = verified(written, self._authorities, self._revocations, now)
        vihf, mode = read(signed.root, now, self._lifetime, self._audiences)
        if not names_same(issuer_of(signed.root), signed.certificate.subject):
            raise refusals.signer("its Issuer is the name of the certificate")
        _check_signer(vihf, mode, signed.certificate.subject)
        async with self._database.transaction() as tx:
            if not await repository.use(tx, _hash(vihf, signed.certificate), vihf.expires):
                raise refusals.replayed()
        return vihf


async def forget(tx: Transaction, now: datetime) -> None:
    """Forget the assertions that are over."""
    await repository.forget(tx, now)


def _check_signer(vihf: Vihf, mode: Mode, subject: x509.Name) -> None:
    """A professional signs for himself; the seal of a structure, for those who act for this very structure."""
    if mode is Mode.DIRECT:
        if vihf.subject not in _values(subject, NameOID.COMMON_NAME):
            raise refusals.signer("in mode DIRECTE the certificate is that of the NameID")
    elif not vihf.structure or vihf.structure not in _values(subject, NameOID.ORGANIZATIONAL_UNIT_NAME):
        raise refusals.signer("in mode INDIRECTE its OU is the Identifiant_Structure")


def _values(name: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(one.value) for one in name.get_attributes_for_oid(oid)]


def _hash(vihf: Vihf, certificate: x509.Certificate) -> bytes:
    """One number for an assertion: its id is unique for who made it, not for everybody."""
    return sha256(f"{certificate.subject.rfc4514_string()}\n{vihf.id}".encode()).digest()
