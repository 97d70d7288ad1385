"""Professionals enter the portal by the provider: the same sign-on as for other software."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.sign_on.answers import address_of
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit, local_address, with_query
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.provider.portal import BACK, ENTER, Portal

_HOME = "/pro/patients"


def portal_routes(site: Site, portal: Portal) -> list[BaseRoute]:
    """Leaving for the provider's pages, and coming back from them."""

    async def enter(visit: Visit) -> Response:
        following = local_address(visit.query.get("suite"), _HOME)
        reference = await portal.begin(visit.browser(), address_of(visit.request), following)
        return visit.go(with_query("/connexion/pro", demande=reference))

    async def back(visit: Visit) -> Response:
        state, code = visit.query.get("state", ""), visit.query.get("code", "")
        if visit.query.get("error") == "access_denied":
            return visit.go("/connexion")
        try:
            signed, following = await portal.enter(state, code, visit.visitor or "")
        except Refusal as refusal:
            if refusal.code == "INVALID_GRANT":
                raise Refusal(Kind.GONE, "SIGN_ON_ENDED", refusal.diagnostics) from refusal
            raise
        if visit.token and visit.session is not None and visit.session.live:
            await visit.site.identity.sign_out(visit.token)
        response = visit.go(local_address(following, _HOME))
        visit.cookies.put(response, "session", signed.token)
        return response

    screen = Screen(site)
    return [screen.route(ENTER, enter), screen.route(BACK, back)]
