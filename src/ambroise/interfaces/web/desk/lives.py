"""The desk's pages about the life of spaces: queues by state, populations, helpers, and a demonstration's clock."""

from __future__ import annotations

from starlette.routing import BaseRoute

from ambroise.interfaces.web.desk.clock import clock_routes
from ambroise.interfaces.web.desk.helpers import helper_routes
from ambroise.interfaces.web.desk.letters import letter_routes
from ambroise.interfaces.web.desk.matrix import matrix_routes
from ambroise.interfaces.web.desk.populations import population_routes
from ambroise.interfaces.web.desk.prevention_rules import prevention_rule_routes
from ambroise.interfaces.web.desk.simulator import simulator_routes
from ambroise.interfaces.web.desk.spaces import space_routes
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui.visit import Screen, Site
from ambroise.modules.identity.api import AccountKind


def desk_life_routes(site: Site, lives: Lives) -> list[BaseRoute]:
    """Every page of the desk about spaces and who helps in them."""
    screen = Screen(site, AccountKind.OPERATOR)
    return [
        *space_routes(screen, lives),
        *population_routes(screen, lives),
        *letter_routes(site, screen, lives),
        *helper_routes(screen, lives),
        *matrix_routes(screen, lives),
        *prevention_rule_routes(screen, lives),
        *simulator_routes(screen),
        *(clock_routes(screen, lives) if site.demonstration else ()),
    ]
