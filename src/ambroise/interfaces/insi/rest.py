"""The JSON face of the INSi service.

`POST /insi/v1/traits` {birthName, givenNames, sex, birthDate, birthPlace?}
`POST /insi/v1/card` {holder, birthDate, birthRank?, person?, birthName?}
`POST /insi/v1/verification` {matricule, oid, birthName, givenNames, sex, birthDate, birthPlace?}
`POST /insi/v1/verifications` {identities: [the same, up to 50]}: a result a line, in order

Names may be sent as people write them: they are brought to the form of the service (capitals, no accents) first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ambroise.interfaces.fhir_rest.outcome import headers_of, status_of
from ambroise.interfaces.insi.body import read_body
from ambroise.interfaces.oauth.wire import holder_of
from ambroise.interfaces.services import Services
from ambroise.kernel.errors import Refusal
from ambroise.kernel.log import logger
from ambroise.modules.identity.api import (
    Ins,
    Insi,
    InsiAnswer,
    InsiCard,
    InsiClaim,
    InsiTraits,
    InsiVerified,
    normal_query,
    verify_insi_many,
)
from ambroise.modules.identity.api import insi_failures as failures
from ambroise.trust.context import Context

_log = logger(__name__)
Json = Mapping[str, Any]
Use = Callable[[Context, Json], Awaitable[Json]]


def rest_routes(services: Services, insi: Insi) -> list[BaseRoute]:
    """The routes of the JSON face."""

    async def traits(ctx: Context, sent: Json) -> Json:
        return _said(await insi.find_by_traits(ctx, normal_query(_traits(sent))))

    async def card(ctx: Context, sent: Json) -> Json:
        return _said(await insi.find_by_card(ctx, _card(sent)))

    async def verification(ctx: Context, sent: Json) -> Json:
        claim = _claim(sent)
        return _said(await insi.verify(ctx, claim.ins, normal_query(claim.query)))

    async def verifications(ctx: Context, sent: Json) -> Json:
        lines = sent.get("identities")
        if not isinstance(lines, list):
            failures.MALFORMED.raised(field="identities")
        claims = [_claim(one) for one in cast(list[object], lines)]
        return {"results": [_line(one) for one in await verify_insi_many(insi, ctx, claims)]}

    def route(path: str, use: Use) -> Route:
        async def answer(request: Request) -> Response:
            try:
                ctx = await services.authenticator.context(
                    request.headers.get("authorization"), holder_of(request), "partner"
                )
                return _json(200, await use(ctx, _object(await read_body(request))))
            except Refusal as refusal:
                return _refused(refusal)
            except Exception:
                _log.exception("insi_failed")
                return _json(500, {"code": "INTERNAL_ERROR", "diagnostics": "Something went wrong on our side."})

        return Route(path, answer, methods=["POST"])

    return [
        route("/insi/v1/traits", traits),
        route("/insi/v1/card", card),
        route("/insi/v1/verification", verification),
        route("/insi/v1/verifications", verifications),
    ]


def _object(body: bytes) -> Json:
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        failures.MALFORMED.raised()
    if not isinstance(sent, dict):
        failures.MALFORMED.raised()
    return cast(Json, sent)


def _claim(sent: object) -> InsiClaim:
    if not isinstance(sent, dict):
        failures.MALFORMED.raised(field="identities")
    one = cast(Json, sent)
    return InsiClaim(Ins(_text(one, "matricule") or "", _text(one, "oid") or ""), _traits(one))


def _line(one: InsiVerified) -> dict[str, Any]:
    """The result of a line of a batch: the answer, or the failure of this line, under `failure`."""
    return {"failure": _failed(one)} if isinstance(one, Refusal) else _said(one)


def _traits(sent: Json) -> InsiTraits:
    names = sent.get("givenNames")
    if isinstance(names, str):
        names = [names]
    if names is not None and not (isinstance(names, list) and all(isinstance(one, str) for one in names)):
        failures.MALFORMED.raised(field="givenNames")
    return InsiTraits(
        _text(sent, "birthName") or "",
        tuple(names or ()),
        _text(sent, "sex") or "",
        _text(sent, "birthDate") or "",
        _text(sent, "birthPlace") or None,
    )


def _card(sent: Json) -> InsiCard:
    rank = sent.get("birthRank", 1)
    if not isinstance(rank, int) or isinstance(rank, bool) or not 1 <= rank <= 9:
        failures.VALUE.raised(field="birthRank")
    return InsiCard(
        _text(sent, "holder") or "",
        _text(sent, "birthDate") or "",
        rank,
        _text(sent, "person") or None,
        _text(sent, "birthName") or None,
    )


def _text(sent: Json, name: str) -> str | None:
    value = sent.get(name)
    if value is not None and not isinstance(value, str):
        failures.MALFORMED.raised(field=name)
    return value


def _said(answer: InsiAnswer) -> dict[str, Any]:
    said: dict[str, Any] = {"code": answer.outcome.value, "label": answer.outcome.label}
    one = answer.individual
    if one is not None:
        said["identity"] = {
            "ins": {"matricule": one.ins.matricule, "oid": one.ins.oid},
            "history": [
                {
                    "matricule": former.ins.matricule,
                    "oid": former.ins.oid,
                    "since": former.since.isoformat() if former.since else None,
                    "until": former.until.isoformat() if former.until else None,
                }
                for former in one.former
            ],
            "birthName": one.birth_name,
            "givenNames": one.given_names,
            "sex": one.sex.value,
            "birthDate": one.birth_date.isoformat(),
            "birthPlace": one.birth_place,
        }
    return said


def _failed(refusal: Refusal) -> dict[str, Any]:
    failure = failures.failure_of(refusal)
    said = {"code": refusal.code, "diagnostics": refusal.diagnostics, "siram": failure.siram, "detail": failure.detail}
    if field := refusal.data.get("field"):
        said["field"] = str(field)
    return said


def _refused(refusal: Refusal) -> Response:
    return _json(status_of(refusal), _failed(refusal), headers_of(refusal))


def _json(status: int, said: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    kept = {"cache-control": "no-store", "x-content-type-options": "nosniff", **(headers or {})}
    return Response(orjson.dumps(said), status, kept, "application/json")
