"""The ASGI application: operational routes, FHIR, portals, according to the roles of the process."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ambroise.interfaces import operations, security_txt
from ambroise.interfaces.crossing import Crossing
from ambroise.interfaces.services import Services


def build(services: Services) -> ASGIApp:
    """Everything that this process serves, measured."""
    metrics = operations.Metrics()
    routes: list[BaseRoute] = list(operations.routes(services, metrics))
    provider: Sequence[BaseRoute] = ()
    if services.settings.roles & {"web", "api"}:
        routes.extend(security_txt.routes(services.settings, services.public_url))
        provider = importlib.import_module("ambroise.interfaces.oauth").routes(services)
        routes.extend(provider)
    if "api" in services.settings.roles:
        routes.extend(importlib.import_module("ambroise.interfaces.insi").routes(services))
        routes.extend(importlib.import_module("ambroise.interfaces.annuaire").routes(services))
        routes.extend(importlib.import_module("ambroise.interfaces.vitale").routes(services))
        routes.extend(importlib.import_module("ambroise.interfaces.xds").routes(services))
        routes.extend(importlib.import_module("ambroise.interfaces.dmp").routes(services))
    if "web" in services.settings.roles:
        routes.extend(importlib.import_module("ambroise.interfaces.web").routes(services))
    app: ASGIApp = _Shortcut(provider, Starlette(routes=routes))
    if "api" in services.settings.roles:
        fhir = importlib.import_module("ambroise.interfaces.fhir_rest")
        zips = importlib.import_module("ambroise.interfaces.xdm.operations").Operations(services)
        app = _Fork(fhir.PATH, fhir.edge(services, zips.table()), app)
    if services.settings.roles & {"web", "api"}:
        oauth = importlib.import_module("ambroise.interfaces.oauth")
        app = Crossing(app, services.database, ("/fhir",), oauth.crossed())
    return operations.Measured(app, metrics)


class _Shortcut:
    """Plain addresses of which each answers for itself, found at once; what is not among them goes the long way."""

    def __init__(self, routes: Sequence[BaseRoute], outside: ASGIApp) -> None:
        self._outside = outside
        self._answers = {
            (method, route.path): route.endpoint
            for route in routes
            if isinstance(route, Route) and "{" not in route.path
            for method in route.methods or ()
            if method != "HEAD"
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._answers.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if answer is None:
            await self._outside(scope, receive, send)
            return
        response = await answer(Request(scope, receive, send))
        await response(scope, receive, send)


class _Fork:
    """One path and what is under it to an application of its own, which needs no other router, the rest to another."""

    def __init__(self, path: str, inside: ASGIApp, outside: ASGIApp) -> None:
        self._path = path
        self._under = f"{path}/"
        self._inside = inside
        self._outside = outside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        inside = scope["type"] == "http" and (path.startswith(self._under) or path == self._path)
        await (self._inside if inside else self._outside)(scope, receive, send)
