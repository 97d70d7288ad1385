"""XDS.b over SOAP, as software for the DMP speaks it: `/xds/repository` and `/xds/registry`."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from ambroise.interfaces.services import Services
from ambroise.interfaces.xds.caller import Callers
from ambroise.interfaces.xds.endpoint import Endpoint, Operation
from ambroise.interfaces.xds.names import repository_id
from ambroise.interfaces.xds.provide import Provide
from ambroise.interfaces.xds.queries import StoredQueries
from ambroise.interfaces.xds.retrieve import Retrieve
from ambroise.interfaces.xds.update import Update

__all__ = ["REGISTRY", "REPOSITORY", "routes"]

REPOSITORY = "/xds/repository"
REGISTRY = "/xds/registry"


def routes(services: Services) -> Sequence[BaseRoute]:
    """Both services."""
    callers = Callers.of(services, REPOSITORY, REGISTRY)
    limit = services.settings.document_max_bytes
    own_id = repository_id(services.settings.repository_oid, services.installation.id)
    repository: list[Operation] = [Provide(services), Retrieve(services, own_id)]
    registry: list[Operation] = [StoredQueries(services, own_id), Update(services, own_id)]
    return [
        Endpoint(REPOSITORY, callers, repository, content_limit=limit).route(),
        Endpoint(REGISTRY, callers, registry, content_limit=0).route(),
    ]
