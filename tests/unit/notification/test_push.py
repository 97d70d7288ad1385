"""Messages to browsers: encrypted as the standard's example, and sent to named services at public addresses only."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from ambroise.kernel.crypto import ApplicationSecret
from ambroise.modules.notification.push.encryption import encrypt
from ambroise.modules.notification.push.services import NotAllowed, PushServices, _public
from ambroise.modules.notification.push.text import b64, unb64
from ambroise.modules.notification.push.vapid import Vapid

NAMED = PushServices(("updates.push.services.mozilla.com", "*.push.apple.com"))


def test_the_example_of_the_standard() -> None:
    """RFC 8291, section 5 and appendix A."""
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        unb64("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        unb64("BTBZMqHH6r4Tts7J_aSIgg"),
        salt=unb64("DGv6ra1nlYgDCS1FRnbzlw"),
        ours=derive_private_key(
            int.from_bytes(unb64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), SECP256R1()
        ),
    )
    assert b64(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru"
        "3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_the_instance_says_who_it_is_to_one_service_for_a_while() -> None:
    vapid = Vapid.of(ApplicationSecret(b"s" * 32), "mailto:ambroise@exemple.fr")
    now = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
    scheme, _, rest = vapid.authorization("https://push.example.net:443/send/abc?x=1", now).partition(" ")
    token, key = (part.strip().partition("=")[2] for part in rest.split(","))
    assert (scheme, key) == ("vapid", vapid.public)
    point = unb64(key)
    public = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])})
    claims = jwt.decode(token, public, algorithms=["ES256"]).claims
    assert claims["aud"] == "https://push.example.net:443"
    assert 0 < claims["exp"] - now.timestamp() <= 24 * 3600
    assert Vapid.of(ApplicationSecret(b"s" * 32), "mailto:x@y").public == vapid.public, "the same for ever"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://updates.push.services.mozilla.com/x",
        "https://updates.push.services.mozilla.com:8443/x",
        "https://updates.push.services.mozilla.com@127.0.0.1/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://[::1]/x",
        "https://push.apple.com/x",
        "https://evilpush.apple.com/x",
        "https://push.apple.com.evil.example/x",
        "https://updates.push.services.mozilla.com/x#y",
        "https://updates.push.services.mozilla.com/\r\nx: y",
        "file:///etc/passwd",
        "https://[broken",
        "https://updates.push.services.mozilla.com:99999/x",
        "https://updates.push.services.mozilla.com/" + "x" * 1000,
    ],
)
def test_no_other_address_is_registered(endpoint: str) -> None:
    assert not NAMED.allows(endpoint)


def test_named_services_are() -> None:
    assert NAMED.allows("https://updates.push.services.mozilla.com/wpush/v2/abc")
    assert NAMED.allows("https://web.push.apple.com/abc")
    assert NAMED.allows("https://web.push.apple.com:443/abc")


async def test_a_named_host_that_leads_into_our_network_is_not_called() -> None:
    with pytest.raises(NotAllowed):
        await PushServices(("localhost",)).place("https://localhost/x")


@given(st.one_of(st.ip_addresses(network="10.0.0.0/8"), st.ip_addresses(network="169.254.0.0/16")))
def test_addresses_of_networks_are_not_public(address: object) -> None:
    assert not _public(str(address))
    assert not _public(f"::ffff:{address}")


def test_addresses_of_the_world_are() -> None:
    assert _public("8.8.8.8")
    assert not any(map(_public, ("127.0.0.1", "::1", "fe80::1%eth0", "fc00::1", "100.64.0.1", "0.0.0.0", "224.0.0.1")))
