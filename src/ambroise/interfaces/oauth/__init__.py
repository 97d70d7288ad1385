"""OAuth 2.0 and OpenID Connect for software: what machines call. What people see is in `interfaces/web/sign_on`."""

from ambroise.interfaces.oauth.endpoints import routes

__all__ = ["routes"]
