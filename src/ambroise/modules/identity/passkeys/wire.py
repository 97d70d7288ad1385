"""What goes between us and authenticators (WebAuthn Level 2), by the library `webauthn`: options out, answers checked.

Attestation is not asked for: which make of authenticator somebody has is nobody's business. Verification of the person
(a finger, a face, a code on the device) is required, so that a passkey is two factors by itself.

The library, with the readers of certificates that it brings, is loaded by the first passkey and not at each start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from ambroise.modules.identity.passkeys.model import CHALLENGE_LASTS, RelyingParty

if TYPE_CHECKING:
    from webauthn.helpers.structs import AuthenticationCredential

LONGEST_ANSWER: Final = 16 * 1024
_TIMEOUT: Final = int(CHALLENGE_LASTS.total_seconds() * 1000)


class Wrong(Exception):
    """An answer that does not hold. `why` is for the trace, never for who sent it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NewKey(Struct, frozen=True):
    """What a registration gives to keep."""

    credential: bytes
    public_key: bytes
    sign_count: int
    synced: bool


class Answer(Struct, frozen=True):
    """The answer to a challenge, read and not yet checked. `holder` is what the passkey says of whose it is."""

    read: AuthenticationCredential

    @property
    def credential(self) -> bytes:
        return self.read.raw_id

    @property
    def holder(self) -> bytes | None:
        return self.read.response.user_handle


def creation_options(
    party: RelyingParty, challenge: bytes, holder: bytes, names: tuple[str, str], known: Sequence[bytes]
) -> Mapping[str, Any]:
    """The options of `navigator.credentials.create`. `names`: the sign-in name and the name shown."""
    from webauthn import generate_registration_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import (
        AttestationConveyancePreference,
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    made = generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=holder,
        user_name=names[0],
        user_display_name=names[1],
        challenge=challenge,
        timeout=_TIMEOUT,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
    )
    return options_to_json_dict(made)


def request_options(party: RelyingParty, challenge: bytes, known: Sequence[bytes]) -> Mapping[str, Any]:
    """The options of `navigator.credentials.get`; with no known passkey, the browser offers those that it has."""
    from webauthn import generate_authentication_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

    made = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=_TIMEOUT,
        allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(made)


def registered(party: RelyingParty, challenge: bytes, answer: str) -> NewKey:
    """Check what `navigator.credentials.create` gave. Raises Wrong."""
    from webauthn import verify_registration_response
    from webauthn.helpers import parse_registration_credential_json
    from webauthn.helpers.structs import AttestationFormat, CredentialDeviceType

    _bounded(answer)
    try:
        read = parse_registration_credential_json(answer)
        _from_our_page(party, read.response.client_data_json)
        made = verify_registration_response(
            credential=read,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except Wrong:
        raise
    except Exception as error:
        # What comes from outside breaks the readers of the library in many ways; each is the same refusal.
        raise Wrong("answer") from error
    # Nothing is asked of the make of the authenticator; one that signs its own statement is no better believed.
    if made.fmt not in (AttestationFormat.NONE, AttestationFormat.PACKED):
        raise Wrong("attestation")
    synced = made.credential_device_type is CredentialDeviceType.MULTI_DEVICE
    return NewKey(made.credential_id, made.credential_public_key, made.sign_count, synced)


def read_answer(answer: str) -> Answer:
    """Read what `navigator.credentials.get` gave. Raises Wrong."""
    from webauthn.helpers import parse_authentication_credential_json

    _bounded(answer)
    try:
        return Answer(parse_authentication_credential_json(answer))
    except Exception as error:
        raise Wrong("answer") from error


def checked(party: RelyingParty, challenge: bytes, answer: Answer, public_key: bytes, sign_count: int) -> int:
    """Check an answer against the passkey kept; its new count of signatures. Raises Wrong."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import parse_authenticator_data

    response = answer.read.response
    try:
        _from_our_page(party, response.client_data_json)
        count = parse_authenticator_data(response.authenticator_data).sign_count
        if (count or sign_count) and count <= sign_count:
            # WebAuthn Level 2 §7.2 step 21: two devices may hold the same key, one of them a copy.
            raise Wrong("counter")
        return verify_authentication_response(
            credential=answer.read,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        ).new_sign_count
    except Wrong:
        raise
    except Exception as error:
        raise Wrong("signature") from error


def _from_our_page(party: RelyingParty, client_data: bytes) -> None:
    """Refuse what was signed in a page of another origin, or in a frame of another site."""
    from webauthn.helpers import parse_client_data_json

    said = parse_client_data_json(client_data)
    if said.origin != party.origin or said.cross_origin:
        raise Wrong("origin")


def _bounded(answer: str) -> None:
    if len(answer) > LONGEST_ANSWER:
        raise Wrong("answer")
