"""What every answer of the portals says to the browser about what it may do with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "font-src": "'self'",
    "img-src": "'self' data: blob:",
    "script-src": "'self'",
    "worker-src": "'self'",
    "manifest-src": "'self'",
    "connect-src": "'self'",
    "object-src": "'self'",
    "frame-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
# A document of somebody: shown by the browser inside our page, and never able to do anything by itself.
_CONTENT_POLICY = {"default-src": "'none'", "object-src": "'self'", "frame-ancestors": "'self'", "base-uri": "'none'"}

_ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
}


def page_headers(*, secure: bool, forms_to: Sequence[str] = ()) -> Mapping[str, str]:
    """The headers of a page. `secure`: it went over TLS, and the browser is told to keep to it.

    `forms_to`: other origins to which the answer to a form of this page may send the browser.
    """
    policy = {**_POLICY, "form-action": " ".join(("'self'", *forms_to))}
    return {**_ALWAYS, "content-security-policy": _written(policy), **_transport(secure)}


def content_headers(*, secure: bool) -> Mapping[str, str]:
    """The headers of a document's own bytes, which our pages embed."""
    return {**_ALWAYS, "content-security-policy": _written(_CONTENT_POLICY), **_transport(secure)}


def _transport(secure: bool) -> Mapping[str, str]:
    return {"strict-transport-security": "max-age=63072000; includeSubDomains"} if secure else {}


def _written(policy: Mapping[str, str]) -> str:
    return "; ".join(f"{directive} {value}" for directive, value in policy.items())
