"""The words of our bearer tokens: what a token may say, and how one is made.

A token is an ES256 JWT. It says who calls and in what circumstances; what that person may do is decided at each
request from the access rules, never from the token.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from ambroise.modules.identity.provider.claims import ORGANIZATION, OURS, ROLE, RPPS

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - the name of a media type.
"""Header `typ` of an access token (RFC 9068): a token made for another use is not accepted as one."""

INS = f"{OURS}ins"
"""The caller's own INS, when the issuer did not resolve it to the space."""
PATIENT = f"{OURS}patient"
"""The caller's own space: the logical id of his Patient."""
PURPOSE = f"{OURS}purpose"
REASON = f"{OURS}reason"
ACTING_FOR = f"{OURS}for"
"""Logical id of the Patient, or INS, of the person for whom a citizen acts."""
SECRET = f"{OURS}secret"
"""True for a secret connection (connexion secrète): hidden from legal representatives in the trace."""
DUTIES = f"{OURS}duties"
SCOPE = "scope"
NAME = "name"
SOFTWARE = "client_id"


class Role(StrEnum):
    """What kind of person or machine calls."""

    SYSTEM = "system"
    CITIZEN = "citizen"
    PROFESSIONAL = "professional"
    OPERATOR = "operator"


def claims_for(
    role: Role,
    subject: str,
    *,
    issuer: str,
    audience: str,
    issued_at: datetime,
    lifetime: timedelta,
    ins: str | None = None,
    patient: UUID | None = None,
    rpps: str | None = None,
    organization: str | None = None,
    purpose: str | None = None,
    reason: str | None = None,
    acting_for: UUID | str | None = None,
    secret: bool = False,
    duties: tuple[str, ...] = (),
    name: str | None = None,
    software: str | None = None,
    token_id: str | None = None,
) -> dict[str, Any]:
    """The claims of one access token, without those that say nothing."""
    issued = int(issued_at.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "iat": issued,
        "nbf": issued,
        "exp": issued + int(lifetime.total_seconds()),
        "jti": token_id or uuid4().hex,
        ROLE: role.value,
        INS: ins,
        PATIENT: str(patient) if patient else None,
        RPPS: rpps,
        ORGANIZATION: organization,
        PURPOSE: purpose,
        REASON: reason,
        ACTING_FOR: str(acting_for) if acting_for else None,
        SECRET: secret or None,
        DUTIES: list(duties) or None,
        NAME: name,
        SOFTWARE: software,
    }
    return {key: value for key, value in claims.items() if value is not None}


def sign(claims: Mapping[str, Any], key: ECKey | KeySet) -> str:
    """The token in its compact form, signed with the instance's P-256 key."""
    header: dict[str, Any] = {"alg": ALGORITHM, "typ": TOKEN_TYPE}
    if isinstance(key, ECKey) and key.kid:
        header["kid"] = key.kid
    return jwt.encode(header, dict(claims), key, algorithms=[ALGORITHM])
