import gzip
from importlib.resources import files

import pytest

from ambroise.modules.identity.api import Weakness, hash_password, weakness
from ambroise.modules.identity.passwords import matches


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("court", Weakness.TOO_SHORT),
        ("x" * 300, Weakness.TOO_LONG),
        ("aaaabbbbaaaa", Weakness.REPETITIVE),
        ("lune42lune42", Weakness.REPETITIVE),
        ("azertyuiopqs", Weakness.REPETITIVE),
        ("210987654321", Weakness.REPETITIVE),
        ("MotDePasse2026!", Weakness.COMMON),
        ("M0tD3P4ss3!!!", Weakness.COMMON),
        ("Élise-aime-la-mer", Weakness.PERSONAL),
        ("Princess-2026!", Weakness.COMMON),
        ("!!!7777777777ab", Weakness.REPETITIVE),
        ("qwertyuiop[]1", Weakness.COMMON),
        ("quatre bateaux verts", None),
        ("Rivière7cascade", None),
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused(password: str, expected: Weakness | None) -> None:
    assert weakness(password, "elise.fictive@exemple.fr", "Élise Fictive") is expected


async def test_a_password_is_recognised_whatever_the_form_of_its_accents() -> None:
    kept = hash_password("forêt-enneigée-7")
    assert await matches(kept, "fore\u0302t-enneige\u0301e-7")
    assert not await matches(kept, "foret-enneigee-7")


async def test_nobody_matches_when_nothing_is_kept() -> None:
    assert not await matches(None, "nobody has this password")


def test_the_list_of_common_passwords_is_long_and_says_its_source() -> None:
    data = files("ambroise.modules.identity").joinpath("data")
    counted = gzip.decompress(data.joinpath("common_passwords.gz").read_bytes()).decode().splitlines()
    assert len(counted) == len(set(counted)) >= 10_000
    assert {"123456", "password", "princess"} <= set(counted)
    assert "MIT" in data.joinpath("common_passwords.LICENCE.txt").read_text(encoding="utf-8")
