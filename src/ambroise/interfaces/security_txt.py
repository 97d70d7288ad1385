"""`security.txt` (RFC 9116): whom to tell of a weakness, as the operator's settings say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ambroise.kernel.settings import Settings

PATH = "/.well-known/security.txt"
_DAY = 24 * 3600


def routes(settings: Settings, public_url: str) -> Sequence[BaseRoute]:
    """The file at its place, and at the former one. An instance without contact or date has none."""
    text = written(settings, public_url)

    async def read(request: Request) -> Response:
        if text is None:
            return PlainTextResponse("not found\n", 404)
        headers = {"cache-control": f"public, max-age={_DAY}", "x-content-type-options": "nosniff"}
        return PlainTextResponse(text, headers=headers)

    async def former(request: Request) -> Response:
        return RedirectResponse(PATH, 301)

    return [Route(PATH, read, methods=["GET"]), Route("/security.txt", former, methods=["GET"])]


def written(settings: Settings, public_url: str) -> str | None:
    """The file, or None while what RFC 9116 requires (a contact, until when) is not set."""
    if settings.security_contact is None or settings.security_contact_expires is None:
        return None
    lines = {
        "Contact": settings.security_contact,
        "Expires": f"{settings.security_contact_expires.isoformat()}T00:00:00Z",
        "Preferred-Languages": settings.security_languages,
        "Canonical": public_url + PATH if public_url.startswith("https://") else None,
        "Policy": settings.security_policy,
    }
    return "".join(f"{name}: {value}\n" for name, value in lines.items() if value)


def complaint(settings: Settings, today: date) -> str | None:
    """What an operator should mend, None when all is well."""
    expires = settings.security_contact_expires
    if settings.security_contact is None or expires is None:
        return "set AMBROISE_SECURITY_CONTACT and AMBROISE_SECURITY_CONTACT_EXPIRES"
    if expires <= today:
        return f"it expired on {expires}: check it, and set a new AMBROISE_SECURITY_CONTACT_EXPIRES"
    return None
