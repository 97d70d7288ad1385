"""The cookies of the portals: named `__Host-`, secure, out of reach of scripts.

A browser counts `localhost` as secure. On a demonstration instance reached by a bare address over plain HTTP it does
not, and would drop such cookies without a word: there, and only there, they go without the prefix.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

Name = Literal["session", "signon", "enrolment", "recovery", "device", "visitor", "toast", "language", "theme"]
_PREFIX = "__Host-"


class Cookies(Struct, frozen=True):
    """Reads and writes our cookies for one request."""

    request: Request
    secure: bool

    @classmethod
    def of(cls, request: Request, *, demonstration: bool) -> Cookies:
        url = request.url
        trusted = url.scheme == "https" or url.hostname == "localhost"
        return cls(request, secure=trusted or not demonstration)

    def get(self, name: Name) -> str | None:
        """The value that the browser sent."""
        return self.request.cookies.get(self._full(name))

    def put(self, response: Response, name: Name, value: str, *, max_age: int | None = None) -> None:
        """Ask the browser to keep a value; until it closes when there is no `max_age`."""
        response.set_cookie(
            self._full(name), value, max_age=max_age, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def drop(self, response: Response, name: Name) -> None:
        """Ask the browser to forget a value."""
        response.delete_cookie(self._full(name), path="/", secure=self.secure, httponly=True, samesite="lax")

    def _full(self, name: Name) -> str:
        return f"{_PREFIX}{name}" if self.secure else f"ambroise-{name}"
