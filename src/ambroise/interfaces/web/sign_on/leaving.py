"""Leaving: a client sends somebody here to end the session (OpenID RP-Initiated Logout)."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ambroise.interfaces.web.sign_on.answers import origin_of, parameters, send_back, shown
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit, broken, refused
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger
from ambroise.modules.identity.api import Provider
from ambroise.modules.identity.provider.api import REALM, Leave

_log = logger(__name__)

_ASKED = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


def leaving_routes(site: Site, provider: Provider) -> list[BaseRoute]:
    """The end of a session, asked by a client or by the person."""

    async def end_session(http: HttpRequest) -> Response:
        visit = Visit(site, http)
        try:
            return await _end(visit, await _read(visit))
        except Refusal as refusal:
            return await refused(visit, shown(refusal))
        except Exception:
            _log.exception("page_failed", path="/logout")
            return await broken(visit)

    async def _read(visit: Visit) -> Leave:
        given = await parameters(visit.request)
        if any(len(given.get(name, [])) > 1 for name in _ASKED):
            raise Refusal(Kind.INVALID, "INVALID_REQUEST", "Send each parameter once.")
        return await provider.leaving.read({name: given[name][0] for name in _ASKED if given.get(name, [""])[0]})

    async def _end(visit: Visit, asked: Leave) -> Response:
        """A client that shows the id_token of this very session ends it; otherwise the person is asked."""
        here = await provider.signing_on.session(visit.cookies.get("signon"))
        if here is not None and here.id != asked.session:
            return await _ask(visit, asked)
        if asked.session is not None:
            await provider.leaving.leave(asked.session, asked.client.id if asked.client else None)
        return await _left(visit, asked)

    async def _ask(visit: Visit, asked: Leave) -> Response:
        visit.forms_to = (origin_of(asked.back),) if asked.back else ()
        return await visit.render("sign_on/leave.html", asked=asked)

    async def _left(visit: Visit, asked: Leave) -> Response:
        if asked.back is not None:
            response = send_back(visit, asked.back, {"state": asked.state})
        else:
            response = await visit.render("sign_on/left.html")
        visit.cookies.drop(response, "signon")
        return response

    async def show(visit: Visit) -> Response:
        return await _ask(visit, await _read_query(visit))

    async def leave(visit: Visit, form: FormData) -> Response:
        asked = await _read_query(visit)
        here = await provider.signing_on.session(visit.cookies.get("signon"))
        if here is not None:
            await provider.leaving.leave(here.id, asked.client.id if asked.client else None)
        return await _left(visit, asked)

    async def _read_query(visit: Visit) -> Leave:
        return await provider.leaving.read({name: visit.query[name] for name in _ASKED if name in visit.query})

    return [
        Route(f"{REALM}/protocol/openid-connect/logout", end_session, methods=["GET", "POST"]),
        Screen(site).route("/deconnexion/pro", show, leave),
    ]
