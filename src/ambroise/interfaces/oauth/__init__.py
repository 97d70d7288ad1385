"""OAuth 2.0 and OpenID Connect for software: what machines call. What people see is in `interfaces/web/sign_on`."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from ambroise.interfaces.oauth import endpoints, metadata
from ambroise.interfaces.oauth.fhircast import fhircast_routes
from ambroise.interfaces.oauth.registration import registration_route
from ambroise.interfaces.oauth.sharing import sharing_routes
from ambroise.interfaces.oauth.smart import launch_route
from ambroise.interfaces.services import Services
from ambroise.modules.identity.provider.api import REALM


def routes(services: Services) -> Sequence[BaseRoute]:
    """The provider of professionals, and the API that carries a context from one tool to another."""
    provider = services.provider
    authenticator = services.authenticator
    return [
        *endpoints.routes(provider),
        registration_route(provider, authenticator),
        *fhircast_routes(provider, authenticator.people),
        launch_route(provider, services.gateway, authenticator.people),
        *sharing_routes(provider, services.gateway, authenticator.people),
    ]


def crossed() -> Sequence[str]:
    """The addresses that applications in a browser call from their own site: no more than what a token answers to."""
    named = (metadata.TOKEN, metadata.USER_INFO, metadata.CERTS, metadata.REVOKE, *metadata.DISCOVERY)
    return [REALM + name for name in named]
