"""Messages to browsers reach a real push service, which only carries them: the browser's key alone opens them."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ambroise.kernel.errors import Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.notification.api import Browser, Code, notify
from ambroise.modules.notification.push.encryption import point
from ambroise.modules.notification.push.text import b64
from tests.integration.notification.conftest import Town
from tests.journeys.support.browser import serving

AUTH = b"sixteen bytes ok"


@dataclass
class Service:
    """A push service, and the browser whose messages it carries."""

    home: str = ""
    answer: int = 201
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list[tuple[dict[str, str], bytes]])
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    async def take(self, request: Request) -> Response:
        if self.answer < 300:
            self.taken.append((dict(request.headers), await request.body()))
        return Response(status_code=self.answer)

    def browser(self) -> Browser:
        return Browser(f"{self.home}/send/{new_id()}", b64(point(self.key.public_key())), b64(AUTH))

    def opened(self, body: bytes) -> Any:
        """What the browser reads: RFC 8188 and RFC 8291 from their text, with no line of ours."""
        salt, size, length = body[:16], *struct.unpack("!IB", body[16:21])
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        info = b"WebPush: info\0" + point(self.key.public_key()) + sender
        secret = HKDF(SHA256(), 32, AUTH, info).derive(self.key.exchange(ec.ECDH(), theirs))
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
        padded = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\0")
        assert padded.endswith(b"\x02")
        return json.loads(padded[:-1])


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    one = Service()
    async with serving(Starlette(routes=[Route("/send/{id}", one.take, methods=["POST"])])) as home:
        one.home = home
        yield one


async def test_a_browser_is_told_retried_and_forgotten_when_it_is_gone(town: Town, service: Service) -> None:
    world, holder = town.world, town.world.patient
    await town.account(holder, "ana@exemple.fr")

    async def tell(code: Code) -> list[str]:
        async with world.database.transaction() as tx:
            await notify(tx, holder, world.clock.now(), code, details={"by": "Dr Fictif"})
        await town.work()
        return [state for _, channel, state, _ in await town.states(holder) if channel == "push"]

    async with world.database.transaction() as tx:
        await town.wishing.tell_browser(tx, world.citizen, service.browser(), "Firefox sur Linux")
        await town.wishing.tell_browser(tx, world.citizen, service.browser(), "Téléphone")
    assert await tell(Code.EMERGENCY_ACCESS) == ["sent"]
    assert len(service.taken) == 2
    headers, body = service.taken[0]
    assert service.opened(body)["body"] == "Votre dossier a été ouvert en urgence."
    assert (headers["content-encoding"], headers["urgency"], headers["ttl"]) == ("aes128gcm", "high", "86400")
    assert headers["authorization"].startswith("vapid t=")
    assert b"urgence" not in body

    service.answer = 503
    assert await tell(Code.DOCUMENT_ADDED) == ["sent", "handed"]
    service.answer = 201
    world.clock.move(timedelta(minutes=1))
    await town.work()
    assert len(service.taken) == 4
    service.answer = 410
    assert await tell(Code.INVITED) == ["sent", "sent", "failed"]
    async with world.database.reader() as reader:
        assert list(await town.wishing.browsers(reader, world.citizen)) == []
    assert ("PARTAGE_PROFIL_AIDANT", "push", "failed", "no_browser") in await town.states(holder)


async def test_only_named_services_and_whole_keys_are_registered(town: Town, service: Service) -> None:
    good = service.browser()
    poor = [
        Browser("https://internal.example/x", good.key, good.auth),
        Browser("http://10.0.0.1/x", good.key, good.auth),
        Browser(good.endpoint, "AAAA", good.auth),
        Browser(good.endpoint, good.key, "AA"),
        Browser(good.endpoint, "é", good.auth),
    ]
    for one in poor:
        with pytest.raises(Refusal):
            await town.family.do(town.wishing.tell_browser, town.world.citizen, one, "X")
