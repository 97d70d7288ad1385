"""The pages of signing in through a partner, and the address where partners say that a session is over."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ambroise.interfaces.web.entrance.protection import layout_of
from ambroise.interfaces.web.entrance.routes import HOMES
from ambroise.interfaces.web.federation.words import explained
from ambroise.interfaces.web.sign_on.answers import address_of, parameters
from ambroise.interfaces.web.ui.errors import STATUS
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit, local_address, with_query
from ambroise.kernel.errors import Refusal
from ambroise.kernel.log import logger
from ambroise.modules.identity.api import Federation
from ambroise.modules.identity.federation.api import PATH, SignedOn, ToEnrol

_log = logger(__name__)
_HOUR = 3600
LINKS = "/reglages/services"
_NEVER_KEPT = {"cache-control": "no-store"}


def federation_routes(site: Site, federation: Federation) -> Sequence[BaseRoute]:
    """The routes of an instance that has partners; none otherwise."""
    if not federation.partners:
        return []
    pages = FederationPages(federation)
    screen = Screen(site)
    return [
        screen.route(f"{PATH}/{{id}}", pages.leave),
        screen.route(f"{PATH}/{{id}}/retour", pages.come_back),
        screen.route(f"{PATH}/{{id}}/quitter", pages.leave_too),
        screen.route(f"{PATH}/{{id}}/sortie", pages.left),
        screen.route(LINKS, pages.links, pages.unlink, proof=Act.MEANS),
        Route(f"{PATH}/{{id}}/fin", _told(federation), methods=["POST"]),
    ]


class FederationPages:
    """The way through a partner."""

    def __init__(self, federation: Federation) -> None:
        self._federation = federation

    async def leave(self, visit: Visit) -> Response:
        """Send the browser to the partner."""
        following, request = local_address(visit.query.get("suite"), ""), visit.query.get("demande", "")
        try:
            target = await self._federation.begin(
                visit.parameter("id"), visit.browser(), address_of(visit.request), following, request
            )
        except Refusal as refusal:
            return await self._refused(visit, refusal)
        return visit.go(target)

    async def come_back(self, visit: Visit) -> Response:
        """Let in whom the partner sends back; the session that the browser had ends."""
        try:
            entered = await self._federation.arrive(visit.parameter("id"), visit.query, visit.visitor or "")
        except Refusal as refusal:
            return await self._refused(visit, refusal)
        if isinstance(entered, ToEnrol):
            response = visit.go("/inscription/contacts")
            visit.cookies.put(response, "enrolment", entered.token, max_age=_HOUR)
            return response
        if isinstance(entered, SignedOn):
            return await self._signed_on(visit, entered)
        if visit.token and visit.session is not None and visit.session.live:
            await visit.site.identity.sign_out(visit.token)
        response = visit.go(local_address(entered.next, HOMES[entered.signed.account.kind]))
        visit.cookies.put(response, "session", entered.signed.token)
        return response

    async def _signed_on(self, visit: Visit, entered: SignedOn) -> Response:
        """On to the agreement, with the new session of our provider; the one that the browser had ends."""
        provider = self._federation.provider
        before = await provider.signing_on.session(visit.cookies.get("signon"))
        if before is not None:
            await provider.leaving.leave(before.id, None)
        response = visit.go(with_query("/connexion/pro/accord", demande=entered.request))
        visit.cookies.put(response, "signon", entered.token)
        return response

    async def leave_too(self, visit: Visit) -> Response:
        """Send who left us to the end of the partner's own session."""
        id, reference = visit.parameter("id"), visit.query.get("de", "")
        try:
            target = await self._federation.farewell(id, reference, address_of(visit.request))
        except Refusal as refusal:
            return await self._refused(visit, refusal)
        return visit.go(target or "/connexion")

    async def left(self, visit: Visit) -> Response:
        """Back from the end of the partner's own session."""
        return visit.go("/connexion", Toast("signed-out"))

    async def links(self, visit: Visit) -> Response:
        """The providers by which this account opens."""
        layout = layout_of(visit)
        held = await self._federation.links(visit.who.account)
        return await visit.render("federation/links.html", layout=layout, held=held)

    async def unlink(self, visit: Visit, sent: FormData) -> Response:
        """Its owner no longer enters this account by a provider."""
        layout_of(visit)
        await self._federation.unlink(visit.who, str(sent.get("service", "")))
        return visit.go(LINKS, Toast("unlinked"))

    async def _refused(self, visit: Visit, refusal: Refusal) -> Response:
        partner = self._federation.partners.get(visit.parameter("id"))
        words = explained(refusal.code)
        if partner is None or words is None:
            raise refusal
        return await visit.render(
            "federation/refused.html",
            STATUS[refusal.kind],
            partner=partner,
            words=words,
            code=refusal.code,
            again=f"{PATH}/{partner.id}",
            citizen=refusal.code == "FEDERATION_CITIZEN_UNKNOWN",
        )


def _told(federation: Federation):
    async def told(request: Request) -> Response:
        """A partner says that a session is over (OpenID Back-Channel Logout §2.5)."""
        try:
            given = (await parameters(request)).get("logout_token", [])
            await federation.told(str(request.path_params["id"]), given[0] if len(given) == 1 else "")
        except Refusal as refusal:
            body = {"error": "invalid_request", "error_description": refusal.diagnostics}
            return JSONResponse(body, max(400, STATUS[refusal.kind]), _NEVER_KEPT)
        except Exception:
            _log.exception("backchannel_failed")
            return JSONResponse({"error": "server_error"}, 500, _NEVER_KEPT)
        return Response(status_code=200, headers=_NEVER_KEPT)

    return told
