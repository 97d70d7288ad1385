"""Binary in its two forms, for bytes that no document holds."""

import base64
import os

import httpx
import pytest

from ambroise.interfaces.token_claims import Role
from tests.support.server import BASE, House

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"content-type": "application/fhir+json"}


async def test_bytes_are_sent_and_read_as_they_are(system: httpx.AsyncClient) -> None:
    content = os.urandom(3000)
    made = await system.post("Binary", content=content, headers={"content-type": "image/png"})
    assert made.status_code == 201, made.text
    assert made.content == b""
    place = made.headers["location"].partition("/_history")[0].removeprefix(BASE + "/")
    raw = await system.get(place)
    assert (raw.status_code, raw.content, raw.headers["content-type"]) == (200, content, "image/png")
    resource = (await system.get(place, headers={"accept": "application/fhir+json"})).json()
    assert (resource["contentType"], base64.b64decode(resource["data"])) == ("image/png", content)


async def test_a_resource_is_sent_and_its_bytes_are_read(system: httpx.AsyncClient) -> None:
    sent = {"resourceType": "Binary", "contentType": "text/plain", "data": base64.b64encode(b"bonjour").decode()}
    made = await system.post("Binary", json=sent, headers=JSON)
    assert made.status_code == 201, made.text
    place = f"Binary/{made.json()['id']}"
    assert (await system.get(place)).content == b"bonjour"
    assert (await system.get(place, headers={"accept": "text/plain"})).content == b"bonjour"
    assert (await system.get(place, headers={"accept": "image/*"})).status_code == 406
    changed = await system.put(place, content=b"au revoir", headers={"content-type": "text/plain"})
    assert changed.status_code == 200, changed.text
    assert (await system.get(place)).content == b"au revoir"
    assert (await system.delete(place)).status_code == 204
    assert (await system.get(place)).status_code == 410


async def test_bytes_of_no_sort_are_refused(system: httpx.AsyncClient) -> None:
    assert (await system.post("Binary", content=b"x")).status_code == 415


async def test_a_binary_that_a_browser_shows_has_no_power(system: httpx.AsyncClient) -> None:
    page = b"<script>alert(1)</script>"
    made = await system.post("Binary", content=page, headers={"content-type": "text/html"})
    read = await system.get(made.headers["location"].partition("/_history")[0])
    assert read.content == page
    assert "sandbox" in read.headers["content-security-policy"]
    assert read.headers["x-content-type-options"] == "nosniff"


async def test_others_file_bytes_with_a_document_only(house: House) -> None:
    async with house.client(Role.OPERATOR) as desk:
        refused = await desk.post("Binary", content=b"x", headers={"content-type": "text/plain"})
        assert refused.status_code in (403, 422)


async def test_twenty_megabytes_go_through(system: httpx.AsyncClient) -> None:
    content = os.urandom(1_000_000) * 20
    made = await system.post("Binary", content=content, headers={"content-type": "application/octet-stream"})
    assert made.status_code == 201, made.text[:500]
    assert (await system.get(made.headers["location"].partition("/_history")[0])).content == content
