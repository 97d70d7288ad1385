"""What a browser says of itself, in words that its holder recognises."""

from __future__ import annotations

from collections.abc import Callable

from ambroise.interfaces.web.ui.i18n import N_

# The order matters: most browsers also name those that they imitate.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_name(agent: str, say: Callable[[str], str]) -> str:
    """« Firefox sur Android »; `say` translates."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in agent), None)
    if browser and system:
        return say(N_("%(browser)s sur %(system)s")) % {"browser": browser, "system": system}
    return browser or system or say(N_("Appareil inconnu"))
