"""The other tools of a professional follow the pages: the record that is open here is open there (FHIRcast)."""

from __future__ import annotations

from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.modules.identity.api import AccountKind


def followed_screen(site: Site) -> Screen:
    """The screen of professionals; each page tells the tools that follow the session, if there are any."""
    portal = site.portal
    if portal is None:
        return Screen(site, AccountKind.PROFESSIONAL)
    casting = portal.provider.casting

    async def tell(visit: Visit) -> None:
        until = visit.who.followed_until
        if until is None or until <= visit.now or visit.token is None:
            return
        patient = visit.id("patient") if "patient" in visit.request.path_params else None
        await casting.show(visit.token, visit.who.situation, patient)

    return Screen(site, AccountKind.PROFESSIONAL, tell)
