"""The INSi service over the network: JSON under `/insi/v1`, and the SOAP of the national service under `/insi/soap`."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from ambroise.interfaces.insi.rest import rest_routes
from ambroise.interfaces.insi.soap import soap_routes
from ambroise.interfaces.services import Services
from ambroise.modules.identity.api import Insi

__all__ = ["routes"]


def routes(services: Services) -> Sequence[BaseRoute]:
    """Both faces of the service."""
    insi = Insi(services.database)
    return [*rest_routes(services, insi), *soap_routes(services, insi)]
