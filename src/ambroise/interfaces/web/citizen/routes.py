"""The citizen's pages: home, documents, who can see, history."""

from __future__ import annotations

from typing import cast

from starlette.routing import BaseRoute

from ambroise.interfaces.web.citizen.access import access_routes
from ambroise.interfaces.web.citizen.agenda import agenda_routes
from ambroise.interfaces.web.citizen.checkups import checkup_routes
from ambroise.interfaces.web.citizen.documents import document_routes
from ambroise.interfaces.web.citizen.folders import FolderService, folder_routes
from ambroise.interfaces.web.citizen.history import history_routes
from ambroise.interfaces.web.citizen.home import home_routes
from ambroise.interfaces.web.citizen.keeping import KeepingService, keeping_routes
from ambroise.interfaces.web.citizen.profile.emergency import opening_routes
from ambroise.interfaces.web.citizen.profile.routes import profile_routes
from ambroise.interfaces.web.citizen.relatives import relative_routes
from ambroise.interfaces.web.citizen.space import space_routes
from ambroise.interfaces.web.citizen.views import CitizenService
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.ui.visit import Screen, Site
from ambroise.modules.identity.api import AccountKind
from ambroise.modules.profile.api import EmergencyCodes, Profile


def citizen_routes(
    site: Site, service: CitizenService, lives: Lives, profile: Profile | None = None
) -> list[BaseRoute]:
    """Every page of the citizen's portal."""
    screen = Screen(site, AccountKind.CITIZEN)
    return [
        *home_routes(screen, service),
        *folder_routes(screen, cast(FolderService, service)),
        *document_routes(screen, service),
        *access_routes(screen, service),
        *keeping_routes(screen, cast(KeepingService, service)),
        *history_routes(screen, service),
        *agenda_routes(screen, lives),
        *checkup_routes(screen, lives),
        *space_routes(screen, lives),
        *relative_routes(screen, lives),
        *(_profile_routes(site, screen, profile, lives) if profile is not None else ()),
    ]


def _profile_routes(site: Site, screen: Screen, profile: Profile, lives: Lives) -> list[BaseRoute]:
    """One's own profile, and what an emergency code of it opens for anybody who holds the code."""
    codes = EmergencyCodes(profile, site.identity.clock, demonstration=site.demonstration)
    return [*profile_routes(screen, profile, lives.record, codes), *opening_routes(Screen(site), profile, codes)]
