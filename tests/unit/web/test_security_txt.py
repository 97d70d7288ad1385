"""`security.txt` as RFC 9116 wants it, and what the doctor says of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from ambroise.interfaces.security_txt import complaint, routes
from ambroise.kernel.errors import Refusal
from ambroise.kernel.settings import Settings, load

TODAY = date(2026, 3, 14)


def chosen(**more: object) -> Settings:
    return Settings(data=Path("nowhere"), **more)  # type: ignore[arg-type]


def client(settings: Settings) -> httpx.AsyncClient:
    app = Starlette(routes=list(routes(settings, "https://ambroise.example")))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://ambroise.example")


SET = chosen(
    security_contact="mailto:securite@ambroise.example",
    security_contact_expires=date(2027, 3, 1),
    security_policy="https://ambroise.example/politique",
)


async def test_the_file_says_whom_to_tell_and_until_when() -> None:
    answer = await client(SET).get("/.well-known/security.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.splitlines() == [
        "Contact: mailto:securite@ambroise.example",
        "Expires: 2027-03-01T00:00:00Z",
        "Preferred-Languages: fr, en",
        "Canonical: https://ambroise.example/.well-known/security.txt",
        "Policy: https://ambroise.example/politique",
    ]


async def test_the_former_place_leads_to_it() -> None:
    answer = await client(SET).get("/security.txt")
    assert (answer.status_code, answer.headers["location"]) == (301, "/.well-known/security.txt")


async def test_without_a_contact_there_is_no_file() -> None:
    assert (await client(chosen()).get("/.well-known/security.txt")).status_code == 404


@pytest.mark.parametrize(
    "contact", ["securite@ambroise.example", "http://a.example", "mailto:a\nContact: b", "mailto:a\n", "mailto:"]
)
def test_a_contact_is_an_address_that_a_program_can_open(contact: str) -> None:
    with pytest.raises(Refusal, match="AMBROISE_SECURITY_CONTACT"):
        load(data=Path("nowhere"), security_contact=contact)


def test_the_doctor_asks_for_what_is_missing_or_over() -> None:
    assert complaint(SET, TODAY) is None
    assert "AMBROISE_SECURITY_CONTACT" in (complaint(chosen(), TODAY) or "")
    assert "expired" in (complaint(SET, date(2027, 3, 1)) or "")
