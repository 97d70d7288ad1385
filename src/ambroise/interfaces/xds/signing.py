"""The signature of a submission (XAdES over the digests of its documents): checked, and told to the record.

The document that signs is a DocumentEntry of format `http://www.w3.org/2000/09/xmldsig#` in the submission (IHE DSG, as
the DMP has it): its manifest names every document by its uniqueId, and the SubmissionSet by its own.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID
from msgspec import Struct

from ambroise.interfaces.services import Services
from ambroise.interfaces.xds.caller import believed
from ambroise.interfaces.xds.names import ENTRY_UNIQUE_ID, SET_UNIQUE_ID
from ambroise.interfaces.xds.packages import Package
from ambroise.interfaces.xds.responses import Problem, warning
from ambroise.kernel.crypto.certificates import Authorities, Revocations
from ambroise.kernel.crypto.xades import SignedManifest, Weak, Wrong, verified
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import Identifier, LotSignature
from ambroise.trust.context import Context, Professional

_PROFESSIONAL: Final = "urn:oid:1.2.250.1.71.4.2.1"
_STRUCTURE: Final = "urn:oid:1.2.250.1.71.4.2.2"


class Checked(Struct, frozen=True):
    """What became of the signature of a submission: kept, or passed over with a warning."""

    signature: LotSignature | None = None
    problem: Problem | None = None


class Signing:
    """Checks the signature of submissions; whether they need one is for the operator to say."""

    def __init__(self, authorities: Authorities, revocations: Revocations, *, required: bool = False) -> None:
        """Whose certificates are believed, those that are not any more, and whether a submission must be signed."""
        self._authorities = authorities
        self._revocations = revocations
        self._required = required

    @classmethod
    def of_xds(cls, services: Services) -> Signing:
        """What comes by XDS.b: the operator may require a signature."""
        return cls(*believed(services), required=services.settings.submission_signature == "required")

    @classmethod
    def of_zips(cls, services: Services) -> Signing:
        """What comes in a zip, which nobody requires to be signed: it travels by mail and by hand."""
        return cls(*believed(services))

    async def check(self, ctx: Context, package: Package, contents: Mapping[str, bytes]) -> Checked:
        """The signature of a submission. Raises SIGNATURE_*: a wrong one is refused, never passed over."""
        signing = package.signatures
        if not signing:
            if self._required:
                text = "Sign the submission: this instance takes no other."
                raise _refusal("SIGNATURE_REQUIRED", text)
            return Checked()
        if len(signing) > 1:
            raise _refusal("SIGNATURE_INVALID", "A submission has one signature.")
        written = contents[signing[0].id]
        try:
            manifest = verified(written, self._authorities, self._revocations, ctx.now())
        except Weak:
            text = "It is signed with SHA-1, which proves nothing: sign with SHA-256. "
            if self._required:
                raise _refusal("SIGNATURE_WEAK", text) from None
            text += "The documents are filed without their signature."
            return Checked(problem=warning("SIGNATURE_WEAK", text, signing[0].id))
        except Wrong as problem:
            raise _refusal("SIGNATURE_INVALID", f"The signature is refused: {problem}.") from None
        id, system, name = _signer(ctx, manifest.certificate.subject)
        # Canonical forms of large documents take their time: others are answered meanwhile.
        await asyncio.to_thread(_check_manifest, manifest, package, contents)
        return Checked(LotSignature(id, system, name, manifest.at or ctx.now(), base64.b64encode(written).decode()))


def _check_manifest(manifest: SignedManifest, package: Package, contents: Mapping[str, bytes]) -> None:
    """Refuse (SIGNATURE_MANIFEST) a manifest of other files, or of files that changed since."""
    named = {Identifier.parse(one.uri).urn: one for one in manifest.files}
    wanted = {Identifier.parse(one.external.get(ENTRY_UNIQUE_ID, "")).urn: one.id for one in package.documents}
    lot = Identifier.parse(package.set.external.get(SET_UNIQUE_ID, "")).urn
    if len(named) != len(manifest.files) or set(named) != {*wanted, lot}:
        text = "The manifest names the SubmissionSet and each of its documents once, and nothing else."
        raise _refusal("SIGNATURE_MANIFEST", text)
    for number, (urn, id) in enumerate(wanted.items()):
        if not named[urn].fits(contents[id]):
            refusal = _refusal("SIGNATURE_MANIFEST", "This document is not the one that was signed.")
            refusal.data = {**refusal.data, "document": number}
            raise refusal


def _signer(ctx: Context, subject: x509.Name) -> tuple[str, str, str]:
    """Who signed: the professional who sends, or the seal of the structure. Raises SIGNATURE_SIGNER."""
    actor = ctx.actor
    if not isinstance(actor, Professional):
        raise _refusal("SIGNATURE_SIGNER", "A signed submission is sent by the professional who signs it.")
    if actor.id in _values(subject, NameOID.COMMON_NAME):
        return actor.id, _PROFESSIONAL, actor.name
    if actor.organization and actor.organization in _values(subject, NameOID.ORGANIZATIONAL_UNIT_NAME):
        return actor.organization, _STRUCTURE, actor.organization_name or actor.organization
    raise _refusal("SIGNATURE_SIGNER", "Whoever sends a submission signs it, or the seal of the structure does.")


def _values(name: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(one.value) for one in name.get_attributes_for_oid(oid)]


def _refusal(code: str, text: str) -> Refusal:
    return Refusal(Kind.UNPROCESSABLE, code, text)
