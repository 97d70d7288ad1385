"""The context-sharing API: `PUT` and `GET /psc-context-sharing/api/share`, and the schemas that it follows."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.authentication import People
from ambroise.interfaces.oauth.wire import Answer, bearer, body, certificate_of, endpoint, json
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import Provider
from ambroise.modules.identity.provider.api import Family, SharedContext, schemas
from ambroise.trust.access.decide import judge_entry
from ambroise.trust.access.facts import Eyes
from ambroise.trust.context import Context
from ambroise.trust.gateway import Gateway

_BASE = "/psc-context-sharing/api"
_LARGEST = 64 * 1024


def sharing_routes(provider: Provider, gateway: Gateway, people: People) -> Sequence[BaseRoute]:
    """The routes of the API."""
    sharing = provider.sharing

    async def share(request: Request) -> Response:
        family = await _holder(request)
        try:
            asked = orjson.loads(await body(request, _LARGEST))
        except ValueError:
            raise Refusal(Kind.INVALID, "CONTEXT_INVALID", "Send JSON: {schemaId, bag}.") from None
        patient = await _patient(sharing.read(family, asked))
        return json(_written(await sharing.share(family, asked, patient)))

    async def carried(request: Request) -> Response:
        family = await _holder(request)
        shared = await sharing.carried(family)
        patient = await _patient(shared)
        allowed = shared.ins is None or (patient is not None and await _may_open(family, patient))
        await sharing.note_read(family, shared, patient, refused=not allowed)
        if not allowed:
            raise Refusal(Kind.FORBIDDEN, "CONTEXT_FORBIDDEN", "This professional may not open that patient's record.")
        return json(_written(shared))

    async def every_schema(request: Request) -> Response:
        await _holder(request)
        return json([{"schemaId": name, "schema": schema} for name, schema in schemas().items()])

    async def one_schema(request: Request) -> Response:
        await _holder(request)
        name = request.path_params["name"]
        if name not in schemas():
            raise Refusal(Kind.NOT_FOUND, "SCHEMA_UNKNOWN", f"Ask for one of {', '.join(schemas())}.")
        return json({"schemaId": name, "schema": schemas()[name]})

    async def _holder(request: Request) -> Family:
        certificate = certificate_of(request)
        if len(request.headers.getlist("authorization")) != 1:
            raise Refusal(Kind.FORBIDDEN, "INVALID_TOKEN", "Send one `Authorization: Bearer` header.")
        return await sharing.holder(bearer(request), certificate.thumbprint if certificate else None)

    async def _patient(shared: SharedContext) -> UUID | None:
        found = await people.space(shared.ins) if shared.ins else None
        return found.patient if found else None

    async def _may_open(family: Family, patient: UUID) -> bool:
        ctx = Context(family.account.as_professional(family.situation), provider.ground.clock, channel="partner")
        eyes = Eyes.of(ctx)
        async with provider.ground.database.reader() as reader:
            return judge_entry(await gateway.facts(reader, ctx, eyes, patient), eyes).allowed

    table: tuple[tuple[str, Answer, str], ...] = (
        ("/share", share, "PUT"),
        ("/share", carried, "GET"),
        ("/discovery", every_schema, "GET"),
        ("/discovery/{name}", one_schema, "GET"),
    )
    return [endpoint(_BASE + path, answer, method) for path, answer, method in table]


def _written(shared: SharedContext) -> dict[str, object]:
    return {"psId": shared.professional, "schemaId": shared.schema, "bag": shared.bag}
