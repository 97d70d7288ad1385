"""SMART App Launch 2.2 for machines: what is published of it, and the API by which software opens other software."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ambroise.interfaces.authentication import People
from ambroise.interfaces.oauth import metadata
from ambroise.interfaces.oauth.wire import address_of, bearer, body, endpoint, holder_of, json
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import Provider
from ambroise.modules.identity.provider.api import REALM, Family, Grant, Opened
from ambroise.trust.context import Context
from ambroise.trust.gateway import Gateway

LAUNCH: Final = f"{metadata.PROTOCOL}/ext/smart/launch"
_LARGEST: Final = 8 * 1024
_SHARED: Final = (
    "issuer", "jwks_uri", "authorization_endpoint", "token_endpoint", "introspection_endpoint", "revocation_endpoint",
    "registration_endpoint", "mtls_endpoint_aliases", "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported", "scopes_supported", "response_types_supported",
    "code_challenge_methods_supported",
)  # fmt: skip
_CAPABILITIES: Final = (
    "launch-ehr", "launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric",
    "client-confidential-asymmetric", "sso-openid-connect", "context-banner", "context-ehr-patient",
    "context-ehr-encounter", "context-standalone-patient", "permission-online", "permission-patient",
    "permission-user", "permission-v2",
)  # fmt: skip


def configuration(issuer: str, secure: str | None) -> dict[str, Any]:
    """The document of `.well-known/smart-configuration`: what the discovery document says, in the words of SMART."""
    known = metadata.document(issuer, secure)
    return {
        **{name: known[name] for name in _SHARED if name in known},
        "grant_types_supported": [Grant.CODE.value, Grant.REFRESH.value],
        "capabilities": list(_CAPABILITIES),
    }


def launch_route(provider: Provider, gateway: Gateway, people: People) -> Route:
    """`POST …/ext/smart/launch`: open a registered software on a patient, with the token of a professional."""

    async def launch(request: Request) -> Response:
        family = await provider.sharing.holder(bearer(request), holder_of(request))
        asked = _asked(await body(request, _LARGEST))
        patient = await _patient(asked.get("patient"))
        encounter = await _encounter(family, patient, asked.get("encounter"))
        async with provider.ground.database.transaction() as tx:
            made = await provider.launching.issue(
                tx, family.account, family.situation, str(asked.get("client_id")), Opened(patient, encounter),
                issuer=provider.ground.issuer_at(address_of(request)), channel="partner", by=family.client,
            )  # fmt: skip
        return json({"launch": made.launch, "launch_url": made.address, "expires_in": made.expires_in}, 201)

    async def _patient(named: object) -> UUID:
        try:
            found = await people.space(UUID(str(named)))
        except ValueError:
            found = None
        if found is None:
            # The same words for a record that is not there and one that is closed to this professional.
            raise Refusal(Kind.FORBIDDEN, "LAUNCH_FORBIDDEN", "This professional may not open that patient's record.")
        return found.patient

    async def _encounter(family: Family, patient: UUID, named: object) -> str | None:
        if named is None:
            return None
        ctx = Context(family.account.as_professional(family.situation), provider.ground.clock, channel="partner")
        async with provider.ground.database.reader() as reader:
            found = await gateway.read(reader, ctx, "Encounter", str(named))
        if found.label.patient != patient:
            raise Refusal(Kind.INVALID, "INVALID_REQUEST", "That encounter is of another patient.")
        return found.id

    return endpoint(REALM + LAUNCH, launch, "POST")


def _asked(sent: bytes) -> dict[str, Any]:
    try:
        asked = orjson.loads(sent)
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or not isinstance(asked.get("client_id"), str):
        raise Refusal(Kind.INVALID, "INVALID_REQUEST", "Send JSON: {client_id, patient, encounter?}.")
    return asked
