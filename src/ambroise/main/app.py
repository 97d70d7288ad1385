"""The ASGI application: operational routes, FHIR, portals, according to the roles of the process."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from ambroise.interfaces import operations
from ambroise.interfaces.services import Services

# The role that serves an interface, in the order in which routes are tried; the portals take what is left.
_INTERFACES = (("api", "ambroise.interfaces.fhir_rest"), ("web", "ambroise.interfaces.web"))


def build(services: Services) -> ASGIApp:
    """Every route that this process serves, measured."""
    metrics = operations.Metrics()
    routes: list[BaseRoute] = []
    for role, package in _INTERFACES:
        if role in services.settings.roles:
            routes.extend(_routes(package, services))
        if role == "api":
            routes.extend(operations.routes(services, metrics))
    return operations.Measured(Starlette(routes=routes), metrics)


def _routes(package: str, services: Services) -> Sequence[BaseRoute]:
    return importlib.import_module(package).routes(services)
