"""What a partner encrypts for us: opened by our key alone, by algorithms that are still good."""

from __future__ import annotations

from pathlib import Path

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey, OctKey, RSAKey

from ambroise.modules.identity.federation.model import Invalid, Partner, PartnerKind, Proof
from ambroise.modules.identity.federation.opening import opened
from ambroise.modules.identity.model import AccountKind

SIGNED = "a.signed.token"
EC, RSA = ECKey.generate_key("P-256"), RSAKey.generate_key(2048)
EVERY = ["ECDH-ES", "RSA-OAEP", "RSA-OAEP-256", "RSA1_5", "dir", "A256GCM", "A128CBC-HS256", "A192GCM", "DEF"]


def partner(folder: Path, key: ECKey | RSAKey | None) -> Partner:
    file = folder / "opening.pem"
    if key is not None:
        file.write_bytes(key.as_pem(private=True))
    return Partner(
        id="fc", name="FranceConnect+", kind=PartnerKind.FRANCECONNECT, people=AccountKind.CITIZEN,
        issuer="https://fc.example", discovery="https://fc.example/d", client_id="us", proof=Proof.POST,
        credential=file, scopes=("openid",), acr_asked=(), acr_accepted=frozenset({"eidas2"}), algorithms=("ES256",),
        claims={},
        decryption=file if key is not None else None,
    )  # fmt: skip


def encrypted(key: ECKey | RSAKey | OctKey, alg: str, enc: str = "A256GCM", **header: str) -> str:
    return jwe.encrypt_compact({"alg": alg, "enc": enc, **header}, SIGNED.encode(), key, algorithms=EVERY)


@pytest.mark.parametrize(("key", "alg"), [(EC, "ECDH-ES"), (RSA, "RSA-OAEP"), (RSA, "RSA-OAEP-256")])
def test_what_is_inside_comes_out(tmp_path: Path, key: ECKey | RSAKey, alg: str) -> None:
    assert opened(partner(tmp_path, key), encrypted(key, alg)) == SIGNED


def test_a_token_that_is_only_signed_is_left_as_it_is(tmp_path: Path) -> None:
    assert opened(partner(tmp_path, EC), SIGNED) == SIGNED


def test_nothing_else_is_opened(tmp_path: Path) -> None:
    good = encrypted(EC, "ECDH-ES")
    head, _, rest = good.partition(".")
    refused = [
        encrypted(ECKey.generate_key("P-256"), "ECDH-ES"),
        encrypted(EC, "ECDH-ES", zip="DEF"),
        encrypted(EC, "ECDH-ES", "A192GCM"),
        encrypted(OctKey.generate_key(256), "dir"),
        good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"),
        f"{head[:-2]}.{rest}",
        "....",
    ]
    for token in refused:
        with pytest.raises(Invalid):
            opened(partner(tmp_path, EC), token)
    with pytest.raises(Invalid):
        opened(partner(tmp_path, RSA), encrypted(RSA, "RSA1_5"))
    with pytest.raises(Invalid):
        opened(partner(tmp_path, None), good)
