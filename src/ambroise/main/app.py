"""The ASGI application: operational routes, FHIR, portals, according to the roles of the process."""

from __future__ import annotations

import importlib

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from ambroise.interfaces import operations, security_txt
from ambroise.interfaces.services import Services


def build(services: Services) -> ASGIApp:
    """Everything that this process serves, measured."""
    metrics = operations.Metrics()
    routes: list[BaseRoute] = list(operations.routes(services, metrics))
    if services.settings.roles & {"web", "api"}:
        routes.extend(security_txt.routes(services.settings, services.public_url))
        routes.extend(importlib.import_module("ambroise.interfaces.oauth").routes(services))
    if "api" in services.settings.roles:
        routes.extend(importlib.import_module("ambroise.interfaces.insi").routes(services))
        routes.extend(importlib.import_module("ambroise.interfaces.annuaire").routes(services))
        routes.extend(importlib.import_module("ambroise.interfaces.vitale").routes(services))
        routes.extend(importlib.import_module("ambroise.interfaces.xds").routes(services))
    if "web" in services.settings.roles:
        routes.extend(importlib.import_module("ambroise.interfaces.web").routes(services))
    app: ASGIApp = Starlette(routes=routes)
    if "api" in services.settings.roles:
        fhir = importlib.import_module("ambroise.interfaces.fhir_rest")
        zips = importlib.import_module("ambroise.interfaces.xdm.operations").Operations(services)
        app = _Fork(fhir.PATH, fhir.edge(services, zips.table()), app)
    return operations.Measured(app, metrics)


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
