"""The look: contrast of every pair of colours in both themes, weight, icons, and no address outside."""

import re
from pathlib import Path

import pytest

from ambroise.interfaces.web.ui.assets import HERE, Assets

TOKENS = (HERE / "styles" / "tokens.css").read_text(encoding="utf-8")
_COLOUR = re.compile(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})")

# Words on grounds: 4.5 to 1 at least.
WORDS = [
    *((word, ground) for word in ("ink", "ink-2", "primary", "action-strong") for ground in ("page", "card", "sunken")),
    *((f"{state}-strong", f"{state}-soft") for state in ("danger", "attention", "done", "action")),
    *((f"{state}-strong", "card") for state in ("danger", "attention", "done")),
    *(("ink", ground) for ground in ("info-soft", "attention-soft", "danger-soft", "done-soft")),
    ("on-action", "action"),
    ("on-danger", "danger"),
    ("on-acting", "acting"),
    ("acting", "acting-soft"),
    ("primary", "info-soft"),
    ("card", "primary"),
    ("page", "ink"),
]
# Borders of controls and the mark of focus: 3 to 1.
PARTS = [
    ("control", "card"),
    ("control", "page"),
    ("focus", "page"),
    ("focus", "card"),
    ("action", "card"),
    ("danger", "card"),
]


def _themes() -> dict[str, dict[str, str]]:
    light, rest = TOKENS.split("@media (prefers-color-scheme: dark)")
    by_system, by_choice = rest.split(':root[data-theme="dark"]')
    base = dict(_COLOUR.findall(light))
    return {
        "light": base,
        "dark": {**base, **dict(_COLOUR.findall(by_system))},
        "chosen": {**base, **dict(_COLOUR.findall(by_choice))},
    }


def _contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_pair_of_colours_is_readable(theme: str) -> None:
    colours = _themes()[theme]
    weak = [
        f"{one} on {other}: {found:.2f}"
        for pairs, least in ((WORDS, 4.5), (PARTS, 3.0))
        for one, other in pairs
        if (found := _contrast(colours[one], colours[other])) < least
    ]
    assert weak == []


def test_the_dark_theme_is_the_same_by_choice_and_by_system() -> None:
    themes = _themes()
    assert themes["dark"] == themes["chosen"]


def test_everything_a_page_loads_stays_light() -> None:
    weights = Assets().weights()
    assert sum(weights.values()) < 110_000


def test_a_name_changes_with_the_content(tmp_path: Path) -> None:
    country = tmp_path / "tokens.css"
    country.write_text(TOKENS.replace("#0e7c7b", "#7c0e3f"), encoding="utf-8")
    assert Assets(tokens=country).url("ambroise.css") != Assets().url("ambroise.css")


def test_styles_and_scripts_name_no_other_host() -> None:
    own = [*(HERE / "styles").glob("*.css"), *(HERE / "scripts").glob("*.js")]
    for path in own:
        assert not re.search(r"https?://|@import", path.read_text(encoding="utf-8")), path.name


def test_an_icon_that_is_not_in_the_sprite_is_an_error() -> None:
    with pytest.raises(LookupError, match="build_assets"):
        Assets().icon("no-such-icon")
