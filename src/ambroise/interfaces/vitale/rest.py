"""The JSON face of the card, for software of professionals.

`POST /vitale/v1/verifications` {token, medium?: "qr" | "nfc"}   who it is, INS, rights; a receipt stays with the person
`POST /vitale/v1/challenges`                                     what a contactless reader gives the card to answer to

Both take the access token of a professional (`Authorization: Bearer`); one that is bound to a certificate comes by the
mTLS port.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ambroise.interfaces.fhir_rest.outcome import headers_of, status_of
from ambroise.interfaces.oauth.wire import body, holder_of
from ambroise.interfaces.services import Services
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger
from ambroise.modules.identity.api import PatientIdentity
from ambroise.modules.vitale.api import Medium, Rights, Verified
from ambroise.trust.context import Context

_log = logger(__name__)
_MOST: Final = 8 * 1024
_MEDIA: Final[Mapping[object, Medium]] = {"qr": "qr", "nfc": "nfc"}

Use = Callable[[Context, Mapping[str, Any]], Awaitable[dict[str, Any]]]


def routes(services: Services) -> Sequence[BaseRoute]:
    """The routes of the API."""
    showings = services.vitale.showings

    async def verification(ctx: Context, sent: Mapping[str, Any]) -> dict[str, Any]:
        token, medium = sent.get("token"), sent.get("medium", "qr")
        if not isinstance(token, str) or medium not in _MEDIA:
            raise Refusal(Kind.INVALID, "VITALE_REQUEST", 'Send {"token": …, "medium": "qr" or "nfc"}.')
        return _said(await showings.verify(ctx, token, _MEDIA[medium]))

    async def challenge(ctx: Context, _: Mapping[str, Any]) -> dict[str, Any]:
        one = await showings.challenge(ctx)
        return {"challenge": one.id.hex, "expiresAt": one.expires_at.isoformat()}

    def route(path: str, use: Use) -> Route:
        async def answer(request: Request) -> Response:
            try:
                ctx = await services.authenticator.context(
                    request.headers.get("authorization"), holder_of(request), "partner"
                )
                return _json(200, await use(ctx, _object(await body(request, _MOST))))
            except Refusal as refusal:
                said = {"code": refusal.code, "diagnostics": refusal.diagnostics}
                return _json(status_of(refusal), said, headers_of(refusal))
            except Exception:
                _log.exception("vitale_failed", path=path)
                return _json(500, {"code": "INTERNAL_ERROR", "diagnostics": "Something went wrong on our side."})

        return Route(path, answer, methods=["POST"])

    return [route("/vitale/v1/verifications", verification), route("/vitale/v1/challenges", challenge)]


def _object(sent: bytes) -> Mapping[str, Any]:
    if not sent:
        return {}
    try:
        decoded = orjson.loads(sent)
    except orjson.JSONDecodeError:
        decoded = None
    if not isinstance(decoded, dict):
        raise Refusal(Kind.INVALID, "VITALE_REQUEST", "Send a JSON object.")
    return cast(Mapping[str, Any], decoded)


def _said(one: Verified) -> dict[str, Any]:
    receipt = one.receipt
    said: dict[str, Any] = {
        "receipt": str(receipt.id),
        "verifiedAt": receipt.at.isoformat(),
        "validUntil": one.valid_until.isoformat(),
        "card": {
            "id": str(one.card.id),
            "expiresAt": one.card.expires_at.isoformat() if one.card.expires_at else None,
        },
        "shown": {
            "medium": receipt.medium,
            "way": receipt.way,
            "by": _by(one),
        },
        **_identity(one.identity),
        "rights": _rights(one.rights) if one.rights else None,
    }
    if receipt.access_until is not None:
        said["access"] = {"patient": str(receipt.patient), "until": receipt.access_until.isoformat()}
    return said


def _by(one: Verified) -> str:
    if one.receipt.delegation is not None:
        return "delegate"
    return "person" if one.card.holder == one.card.patient else "representative"


def _identity(one: PatientIdentity) -> dict[str, Any]:
    traits = one.traits
    return {
        "ins": {"matricule": one.ins.matricule, "oid": one.ins.oid} if one.ins else None,
        "identity": {
            "status": one.status.value,
            "birthName": traits.birth_name,
            "firstGivenName": traits.first_given,
            "givenNames": traits.given_names,
            "usedName": one.used_name,
            "usedFirstName": one.used_first_name,
            "sex": traits.sex.value if traits.sex else None,
            "birthDate": traits.birth_date.isoformat() if traits.birth_date else None,
            "birthPlace": traits.birth_place,
        },
    }


def _rights(one: Rights) -> dict[str, Any]:
    return {
        "source": one.source,
        "statedAt": one.stated_at.isoformat(),
        "regime": one.regime,
        "fund": one.fund,
        "fundName": one.fund_name,
        "centre": one.centre,
        "quality": one.quality,
        "since": one.since.isoformat(),
        "until": one.until.isoformat(),
        "exemptUntil": one.exempt_until.isoformat() if one.exempt_until else None,
    }


def _json(status: int, said: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    kept = {"cache-control": "no-store", "x-content-type-options": "nosniff", **(headers or {})}
    return Response(orjson.dumps(said), status, kept, "application/json")
