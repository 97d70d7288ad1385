import stat
from pathlib import Path

import pytest

from ambroise.kernel.crypto import ApplicationSecret, MasterKeys, SigningKeys, UnknownMasterKey
from ambroise.kernel.errors import Refusal


def test_a_wrapped_key_opens_in_its_own_context_only(tmp_path: Path) -> None:
    master = MasterKeys.open(tmp_path / "master.key", create=True)
    master_id, wrapped = master.wrap(b"k" * 32, b"patient 1")
    assert master.unwrap(master_id, wrapped, b"patient 1") == b"k" * 32
    with pytest.raises(ValueError, match="does not match its context"):
        master.unwrap(master_id, wrapped, b"patient 2")


def test_a_rotation_made_by_another_process_is_seen_at_once(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    server = MasterKeys.open(path, create=True)
    old_id, wrapped = server.wrap(b"k" * 32, b"")
    new_id = MasterKeys.open(path).add()
    assert server.current == new_id != old_id
    assert server.unwrap(old_id, wrapped, b"") == b"k" * 32


def test_a_forgotten_master_key_unwraps_no_more(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    master = MasterKeys.open(path, create=True)
    old_id, wrapped = master.wrap(b"k" * 32, b"")
    with pytest.raises(ValueError, match="rotate first"):
        master.forget(old_id)
    master.add()
    master.forget(old_id)
    with pytest.raises(UnknownMasterKey):
        MasterKeys.open(path).unwrap(old_id, wrapped, b"")


def test_secrets_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    MasterKeys.open(tmp_path / "secrets" / "master.key", create=True)
    ApplicationSecret.load(tmp_path / "secrets" / "application.key")
    SigningKeys.load(tmp_path / "secrets" / "signing", create=True)
    files = [path for path in (tmp_path / "secrets").rglob("*") if path.is_file()]
    assert len(files) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_purposes_derive_keys_that_differ_and_stay(tmp_path: Path) -> None:
    secret = ApplicationSecret.load(tmp_path / "application.key")
    again = ApplicationSecret.load(tmp_path / "application.key")
    assert secret.derive("cookies") == again.derive("cookies")
    assert secret.derive("cookies") != secret.derive("forms")


def test_a_token_says_what_was_signed_until_it_expires(tmp_path: Path) -> None:
    keys = SigningKeys.load(tmp_path, create=True)
    token = keys.sign({"sub": "professional:1", "exp": 2000})
    assert keys.verify(token, now=1000)["sub"] == "professional:1"
    with pytest.raises(Refusal, match="TOKEN_EXPIRED"):
        keys.verify(token, now=2000)


def test_a_token_of_another_key_or_altered_is_refused(tmp_path: Path) -> None:
    keys = SigningKeys.load(tmp_path / "a", create=True)
    other = SigningKeys.load(tmp_path / "b", create=True)
    head, claims, signature = keys.sign({"sub": "x", "exp": 2000}).split(".")
    unsigned = "eyJhbGciOiJub25lIn0." + claims + "."
    for token in (other.sign({"exp": 2000}), f"{head}.{claims}x.{signature}", unsigned, "", "nothing"):
        with pytest.raises(Refusal, match="TOKEN_INVALID"):
            keys.verify(token, now=1000)


def test_a_token_without_an_end_is_refused(tmp_path: Path) -> None:
    keys = SigningKeys.load(tmp_path, create=True)
    with pytest.raises(Refusal, match="TOKEN_EXPIRED"):
        keys.verify(keys.sign({"sub": "x"}), now=1000)


def test_tokens_of_the_former_key_hold_after_a_rotation(tmp_path: Path) -> None:
    token = SigningKeys.load(tmp_path, create=True).sign({"sub": "x", "exp": 2000})
    added = SigningKeys.add_to(tmp_path)
    keys = SigningKeys.load(tmp_path)
    assert keys.verify(token, now=1000)["sub"] == "x"
    assert {key["kid"] for key in keys.jwks()["keys"]} == {path.stem for path in tmp_path.glob("*.pem")}
    assert added.stem in keys.sign({"exp": 1}) or len(keys.jwks()["keys"]) == 2
    assert all("d" not in key for key in keys.jwks()["keys"])
