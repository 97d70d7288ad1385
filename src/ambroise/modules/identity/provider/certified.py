"""Signing on with a software certificate: shown on the mTLS port, taken on the usual one by the browser that began.

The two ports share no cookie, so a proof goes from one to the other in the address: good once, for one minute, for one
request, and worth nothing in another browser than the one that the request belongs to.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from cryptography import x509
from cryptography.x509.oid import NameOID
from msgspec import Struct

from ambroise.kernel.crypto.certificates import ClientCertificate
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity import repository as accounts
from ambroise.modules.identity import tokens
from ambroise.modules.identity.model import AccountKind
from ambroise.modules.identity.provider.ground import REALM, Ground
from ambroise.modules.identity.provider.model import Asked, Means, Request
from ambroise.modules.identity.provider.repositories import proofs, requests
from ambroise.modules.identity.provider.signing_on import SigningOn

SHOW: Final = "/connexion/pro/certificat"
_TAKE: Final = "/connexion/pro/certificat/retour"
_PROOF_LASTS: Final = timedelta(minutes=1)
_NATIONAL: Final = re.compile(r"8[0-9]{11}")


class Certified(Struct, frozen=True):
    """The use cases of certificates."""

    ground: Ground
    signing_on: SigningOn

    def shown_at(self, request: Request) -> str | None:
        """Where the holder of a certificate shows it; None when this instance has no mTLS port."""
        secure = self.ground.secure_address(request.asked.issuer)
        return None if secure is None else f"{secure}{SHOW}?{urlencode({'demande': request.reference})}"

    async def show(self, reference: str, certificate: ClientCertificate | None) -> str:
        """Take the certificate of a handshake: its chain, dates and revocation were looked at. Where to go back to.

        Raises CERTIFICATE_MISSING, CERTIFICATE_NOT_OF_A_PERSON, CERTIFICATE_OF_NOBODY, SIGN_ON_ENDED.
        """
        if certificate is None:
            raise Refusal(Kind.FORBIDDEN, "CERTIFICATE_MISSING", "No valid certificate was shown.")
        holder = holder_of(certificate.subject)
        if holder is None:
            raise Refusal(Kind.FORBIDDEN, "CERTIFICATE_NOT_OF_A_PERSON", "This certificate names no professional.")
        now, digest, proof = self.ground.clock.now(), tokens.digest(reference), secrets.token_urlsafe(32)
        async with self.ground.database.transaction() as tx:
            kept = await requests.find(tx, digest, now)
            if kept is None or kept[1] is None:
                raise Refusal(Kind.GONE, "SIGN_ON_ENDED", "This request to sign in ended: start again.")
            asked = Asked.of_json(kept[0])
            account = await accounts.find_account(tx, None, holder)
            if account is None or account.kind is not AccountKind.PROFESSIONAL:
                raise Refusal(Kind.FORBIDDEN, "CERTIFICATE_OF_NOBODY", "Nobody here has this national identifier.")
            await proofs.insert(tx, tokens.digest(proof), digest, account.id, now + _PROOF_LASTS)
            details = {"serial": f"{certificate.serial:x}", "x5t": certificate.thumbprint}
            await self.ground.trace(tx, account, "certificate_shown", asked.client, details=details)
        return f"{asked.issuer.removesuffix(REALM)}{_TAKE}?{urlencode({'demande': reference, 'preuve': proof})}"

    async def sign_on(self, request: Request, proof: str) -> str:
        """The token of a new session, for a proof of this very request. Raises SIGN_ON_ENDED, ACCOUNT_SUSPENDED."""
        digest, now = tokens.digest(request.reference), self.ground.clock.now()
        async with self.ground.database.transaction() as tx:
            account = await proofs.take(tx, tokens.digest(proof), digest, now)
            if account is None:
                raise Refusal(Kind.GONE, "SIGN_ON_ENDED", "This proof is over, or of another request: start again.")
            found = await accounts.credentials(tx, account=account)
            if found is None or found.suspended:
                raise Refusal(Kind.FORBIDDEN, "ACCOUNT_SUSPENDED", "This account is suspended.")
            token = secrets.token_urlsafe(32)
            await self.signing_on.open(tx, found.account, Means.CERTIFICATE, request.client.id, token=token)
        return token


def holder_of(subject: str) -> str | None:
    """The national identifier (PS_IdNat) of the professional whom a subject names; None for anything else.

    A person has a surname and a first name, and no structure: the certificate of a service never passes for one.
    """
    name = x509.Name.from_rfc4514_string(subject)
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    person = name.get_attributes_for_oid(NameOID.SURNAME) and name.get_attributes_for_oid(NameOID.GIVEN_NAME)
    if len(common) != 1 or not person or name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME):
        return None
    said = str(common[0].value)
    return said if _NATIONAL.fullmatch(said) else None
