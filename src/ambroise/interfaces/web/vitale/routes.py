"""Every page of the e-carte Vitale."""

from __future__ import annotations

from starlette.routing import BaseRoute

from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui.assets import Assets
from ambroise.interfaces.web.ui.visit import Screen, Site
from ambroise.interfaces.web.vitale.app import app_routes
from ambroise.interfaces.web.vitale.card import card_routes
from ambroise.interfaces.web.vitale.delegations import delegation_routes
from ambroise.interfaces.web.vitale.desk import desk_card_routes
from ambroise.interfaces.web.vitale.meeting import meeting_routes
from ambroise.interfaces.web.vitale.phone import phone_routes
from ambroise.interfaces.web.vitale.showing import showing_routes
from ambroise.modules.identity.api import AccountKind
from ambroise.modules.vitale.api import Vitale


def vitale_routes(site: Site, assets: Assets, vitale: Vitale, lives: Lives) -> list[BaseRoute]:
    """The card of a person, the queue of the desk, and the app."""
    screen = Screen(site, AccountKind.CITIZEN)
    return [
        *card_routes(screen, vitale),
        *showing_routes(screen, vitale),
        *delegation_routes(screen, vitale, lives),
        *phone_routes(screen, vitale),
        *meeting_routes(screen, Screen(site, AccountKind.PROFESSIONAL), vitale),
        *app_routes(site, assets),
        *desk_card_routes(Screen(site, AccountKind.OPERATOR), vitale),
    ]
