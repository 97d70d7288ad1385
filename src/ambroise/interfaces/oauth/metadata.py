"""The discovery document: what the provider does and where (OpenID Discovery, RFC 8414)."""

from __future__ import annotations

from typing import Any

from ambroise.modules.identity.provider.api import (
    ACR_VALUES,
    ALGORITHMS,
    FHIR_USER,
    LAUNCH,
    LAUNCH_PATIENT,
    ONLINE,
    OPENID,
    REALM,
    SCOPE_ALL,
    TOKEN_ENDPOINT,
    Grant,
)

PROTOCOL = "/protocol/openid-connect"
TOKEN = TOKEN_ENDPOINT
USER_INFO = f"{PROTOCOL}/userinfo"
INTROSPECT = f"{PROTOCOL}/token/introspect"
REVOKE = f"{PROTOCOL}/revoke"
CERTS = f"{PROTOCOL}/certs"
LOGOUT = f"{PROTOCOL}/logout"
CIBA = f"{PROTOCOL}/ext/ciba/auth"
REGISTER = "/clients-registrations/openid-connect"
PUSH = f"{PROTOCOL}/ext/par/request"
AUTHORIZE = "/auth"
# A client may be registered for parts of the last ones, such as patient/Observation.rs, and ask for less still.
SCOPES = (
    OPENID, SCOPE_ALL, FHIR_USER, ONLINE, LAUNCH, LAUNCH_PATIENT, "patient/*.cruds", "user/*.cruds", "fhircast/*.*",
)  # fmt: skip
_WITH_CERTIFICATES = (
    "token_endpoint", "userinfo_endpoint", "introspection_endpoint", "revocation_endpoint",
    "backchannel_authentication_endpoint", "pushed_authorization_request_endpoint",
)  # fmt: skip
# The federation of the State publishes under a name of its own; software that follows the standard looks for the other.
DISCOVERY = ("/.well-known/wallet-openid-configuration", "/.well-known/openid-configuration")


def document(issuer: str, secure: str | None) -> dict[str, Any]:
    """The discovery document of an issuer. `secure`: the address where its clients show certificates."""
    described = _described(issuer)
    if secure is not None:
        described["mtls_endpoint_aliases"] = {
            name: f"{secure}{described[name].removeprefix(issuer.removesuffix(REALM))}" for name in _WITH_CERTIFICATES
        }
        described["tls_client_certificate_bound_access_tokens"] = True
        for name in ("token", "introspection", "revocation"):
            described[f"{name}_endpoint_auth_methods_supported"].append("tls_client_auth")
    return described


def _described(issuer: str) -> dict[str, Any]:
    address = issuer.removesuffix(REALM)
    proofs = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
    return {
        "issuer": issuer,
        "authorization_endpoint": address + AUTHORIZE,
        "token_endpoint": issuer + TOKEN,
        "userinfo_endpoint": issuer + USER_INFO,
        "introspection_endpoint": issuer + INTROSPECT,
        "revocation_endpoint": issuer + REVOKE,
        "jwks_uri": issuer + CERTS,
        "backchannel_authentication_endpoint": issuer + CIBA,
        "backchannel_token_delivery_modes_supported": ["poll"],
        "backchannel_user_code_parameter_supported": False,
        "pushed_authorization_request_endpoint": issuer + PUSH,
        "require_pushed_authorization_requests": False,
        "registration_endpoint": issuer + REGISTER,
        "end_session_endpoint": issuer + LOGOUT,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "grant_types_supported": [grant.value for grant in Grant],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "scopes_supported": list(SCOPES),
        "acr_values_supported": list(ACR_VALUES),
        "claims_supported": [
            "aud", "sub", "iss", "auth_time", "acr", "amr", "sid", "given_name", "family_name", "preferred_username",
            "SubjectNameID", "SubjectRole", "SubjectOrganization", "SubjectOrganizationID", "SubjectRefPro",
            "Secteur_Activite", "Palier_Authentification", "otherIds",
        ],
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [*proofs, "none"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": [*proofs],
        "revocation_endpoint_auth_methods_supported": [*proofs, "none"],
        "authorization_response_iss_parameter_supported": True,
        "ui_locales_supported": ["fr", "en"],
    }  # fmt: skip
