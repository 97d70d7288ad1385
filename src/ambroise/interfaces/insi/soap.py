"""The SOAP 1.2 face of the INSi service (guide SEL-MP-043), as the WSDL beside this file describes it.

The caller is known by a bearer token; an assertion in the header, signed or not, must name the same person. Faults are
those of the national service: Code, Subcode `siram_NN`, and a siram:Erreur in the detail.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from importlib.resources import files
from typing import Final
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ambroise.interfaces.insi.body import read_body
from ambroise.interfaces.insi.envelope import (
    RECSANS,
    RECVIT,
    VERIFICATION,
    Envelope,
    envelope_of,
    fault,
    result,
)
from ambroise.interfaces.oauth.wire import holder_of
from ambroise.interfaces.services import Services
from ambroise.interfaces.soap import MEDIA, Element, child, children, text_of
from ambroise.kernel.errors import Refusal
from ambroise.kernel.log import logger
from ambroise.modules.identity.api import Ins, Insi, InsiAnswer, InsiCard, InsiOperation, InsiTraits, check_software
from ambroise.modules.identity.api import insi_failures as failures
from ambroise.trust.context import Context, Professional

_log = logger(__name__)
_ACTION: Final = "urn:ServiceIdentiteCertifiee:1.0.0:"
_DOCTOR: Final = "10"
Use = Callable[[Context, Element], Awaitable[InsiAnswer]]


def soap_routes(services: Services, insi: Insi) -> list[BaseRoute]:
    """`/insi/soap`, and its WSDL with `?wsdl`."""
    service = _Service(insi)
    contract = (files("ambroise.interfaces.insi") / "insi.wsdl").read_text("utf-8")
    contract = contract.replace("@ADDRESS@", f"{services.public_url}/insi/soap")

    async def wsdl(request: Request) -> Response:
        return Response(contract, 200, {"x-content-type-options": "nosniff"}, "text/xml; charset=utf-8")

    async def call(request: Request) -> Response:
        now = services.clock.now()
        try:
            ctx = await services.authenticator.context(
                request.headers.get("authorization"), holder_of(request), "partner"
            )
            if not request.headers.get("content-type", "").lower().startswith((MEDIA, "text/xml")):
                failures.MALFORMED.raised()
            envelope = envelope_of(await read_body(request))
            return _xml(200, await service.answer(ctx, envelope, now))
        except Refusal as refusal:
            return _refused(refusal)
        except Exception:
            _log.exception("insi_failed")
            return _xml(500, fault(failures.UNAVAILABLE))

    return [Route("/insi/soap", wsdl, methods=["GET"]), Route("/insi/soap", call, methods=["POST"])]


class _Service:
    """One use case for each body."""

    def __init__(self, insi: Insi) -> None:
        self._insi = insi
        self._uses: Mapping[str, tuple[InsiOperation, Use]] = {
            f"{{{RECVIT}}}RECVITALE": (InsiOperation.CARD, self._card),
            f"{{{RECSANS}}}RECSANSVITALE": (InsiOperation.TRAITS, self._traits),
            f"{{{VERIFICATION}}}VERIFICATION": (InsiOperation.VERIFY, self._verify),
        }

    async def answer(self, ctx: Context, envelope: Envelope, now: datetime) -> bytes:
        known = self._uses.get(str(envelope.body.tag))
        if known is None:
            failures.OPERATION.raised()
        operation, use = known
        if envelope.action not in (None, _ACTION + operation.value):
            failures.OPERATION.raised()
        check_software(envelope.software)
        _check_assertion(ctx, envelope)
        answer = await use(ctx, envelope.body)
        return result(
            answer,
            action=f"{_ACTION}{operation.value}Response",
            relates_to=envelope.message_id,
            message_id=f"uuid:{uuid4()}",
            at=now,
        )

    async def _traits(self, ctx: Context, body: Element) -> InsiAnswer:
        return await self._insi.find_by_traits(ctx, _traits_of(body, RECSANS))

    async def _card(self, ctx: Context, body: Element) -> InsiAnswer:
        holder, person = child(body, RECVIT, "MatriculeOD"), child(body, RECVIT, "MatriculeIndividu")
        rank = text_of(body, RECVIT, "RangNaissance") or "1"
        if not (rank.isascii() and rank.isdigit() and 1 <= int(rank) <= 9):
            failures.VALUE.raised()
        query = InsiCard(
            holder=_number(holder) or "",
            birth_date=text_of(body, RECVIT, "DateNaissance") or "",
            birth_rank=int(rank),
            person=_number(person),
            birth_name=text_of(body, RECVIT, "NomNaissance"),
        )
        return await self._insi.find_by_card(ctx, query)

    async def _verify(self, ctx: Context, body: Element) -> InsiAnswer:
        given, traits = child(body, VERIFICATION, "INSFourni"), child(body, VERIFICATION, "TraitsIdentiteIndividu")
        if given is None or traits is None:
            failures.MALFORMED.raised()
        person = child(given, VERIFICATION, "IdIndividu")
        number = text_of(person, VERIFICATION, "NumIdentifiant") if person is not None else None
        key = text_of(person, VERIFICATION, "Cle") if person is not None else None
        ins = Ins(f"{number or ''}{key or ''}", text_of(given, VERIFICATION, "OID") or "")
        return await self._insi.verify(ctx, ins, _traits_of(traits, VERIFICATION))


def _traits_of(holder: Element, namespace: str) -> InsiTraits:
    return InsiTraits(
        birth_name=text_of(holder, namespace, "NomNaissance") or "",
        given_names=tuple((one.text or "").strip() for one in children(holder, namespace, "Prenom")),
        sex=text_of(holder, namespace, "Sexe") or "",
        birth_date=text_of(holder, namespace, "DateNaissance") or "",
        birth_place=text_of(holder, namespace, "LieuNaissance"),
    )


def _number(holder: Element | None) -> str | None:
    return text_of(holder, RECVIT, "NumIdentifiant") if holder is not None else None


def _check_assertion(ctx: Context, envelope: Envelope) -> None:
    """Refuse (INSI_ASSERTION) an assertion about somebody else than the bearer, or without what billing needs."""
    said = envelope.assertion
    if said is None:
        return
    actor = ctx.actor
    if not isinstance(actor, Professional) or said.subject not in (actor.id, actor.rpps):
        failures.ASSERTION.raised()
    if not said.attributes.get("identifiantFacturation"):
        failures.ASSERTION.raised()
    if actor.profession == _DOCTOR and not said.attributes.get("codeSpecialiteAMO"):
        failures.ASSERTION.raised()


def _refused(refusal: Refusal) -> Response:
    failure = failures.failure_of(refusal)
    # SOAP 1.2 part 2, table 20: 400 for a Sender, 500 for a Receiver; the two refusals of HTTP itself keep theirs.
    status = {"UNAUTHENTICATED": 401, "INSI_THROTTLED": 429}.get(failure.code, 400 if failure.of_the_sender else 500)
    response = _xml(status, fault(failure))
    if status == 401:
        response.headers["www-authenticate"] = 'Bearer realm="ambroise"'
    if status == 429:
        response.headers["retry-after"] = str(refusal.data.get("retry_after", 60))
    return response


def _xml(status: int, content: bytes) -> Response:
    kept = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(content, status, kept, f"{MEDIA}; charset=utf-8")
