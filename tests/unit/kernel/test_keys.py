import stat
from pathlib import Path

import pytest
from joserfc import jwt

from ambroise.kernel.crypto import ApplicationSecret, MasterKeys, SigningKeys, UnknownMasterKey


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


def test_the_newest_key_signs_and_all_of_them_verify(tmp_path: Path) -> None:
    before = SigningKeys.load(tmp_path, create=True)
    token = jwt.encode({"alg": "ES256", "kid": before.signer.kid}, {"sub": "x"}, before.signer)
    added = SigningKeys.add_to(tmp_path)
    after = SigningKeys.load(tmp_path)
    assert after.signer.kid == added.stem != before.signer.kid
    assert jwt.decode(token, after.all, algorithms=["ES256"]).claims == {"sub": "x"}


def test_a_key_added_by_another_process_is_known_at_once(tmp_path: Path) -> None:
    running = SigningKeys.load(tmp_path, create=True)
    SigningKeys.add_to(tmp_path)
    signer = SigningKeys.load(tmp_path).signer
    token = jwt.encode({"alg": "ES256", "kid": signer.kid}, {"sub": "x"}, signer)
    assert jwt.decode(token, running.all, algorithms=["ES256"]).claims == {"sub": "x"}


def test_published_keys_hold_nothing_private(tmp_path: Path) -> None:
    SigningKeys.add_to(tmp_path)
    SigningKeys.add_to(tmp_path)
    published = SigningKeys.load(tmp_path).jwks()["keys"]
    assert {key["kid"] for key in published} == {path.stem for path in tmp_path.glob("*.pem")}
    assert all("d" not in key for key in published)


def test_without_a_signing_key_the_message_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ambroise migrate"):
        SigningKeys.load(tmp_path)
