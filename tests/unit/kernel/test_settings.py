import importlib.util
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from psycopg.conninfo import conninfo_to_dict

from ambroise.kernel.errors import Refusal
from ambroise.kernel.settings import load

ROOT = Path(__file__).parents[3]


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("document_settings", ROOT / "tools" / "document_settings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_the_settings_is_up_to_date() -> None:
    tool = generator()
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "run python tools/document_settings.py"


def test_what_the_command_line_chose_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMBROISE_DATA", "/elsewhere")
    monkeypatch.setenv("AMBROISE_PORT", "9000")
    settings = load(data=tmp_path, port=None)
    assert settings.data == tmp_path
    assert settings.port == 9000


def test_keys_and_documents_are_in_the_data_folder_unless_said_otherwise(tmp_path: Path) -> None:
    settings = load(data=tmp_path, master_key_file=tmp_path / "elsewhere.key")
    assert settings.embedded
    assert settings.master_key == tmp_path / "elsewhere.key"
    assert settings.signing_keys == tmp_path / "secrets" / "signing"
    assert settings.objects() == (f"file://{tmp_path}/objects", {})


def test_a_password_comes_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("s3cret'\n")
    settings = load(data=tmp_path, database_url="postgresql://app@db/ambroise", database_password_file=secret)
    assert not settings.embedded
    assert conninfo_to_dict(settings.app_dsn or "")["password"] == "s3cret'"


def test_without_a_folder_or_keys_the_message_says_what_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMBROISE_DATA", raising=False)
    with pytest.raises(Refusal, match="--data or AMBROISE_DATA"):
        load()


def test_variables_are_read_as_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMBROISE_ROLES", '["web"]')
    monkeypatch.setenv("AMBROISE_OBJECTS_OPTIONS", '{"region": "eu-west-3"}')
    monkeypatch.setenv("AMBROISE_OPERATORS_BY_PASSKEY", "false")
    monkeypatch.setenv("AMBROISE_MTLS_PORT", "8443")
    monkeypatch.setenv("AMBROISE_SECURITY_CONTACT_EXPIRES", "2027-03-31")
    monkeypatch.setenv("AMBROISE_SMTP_URL", "")
    settings = load(data=tmp_path)
    assert settings.roles == {"web"}
    assert settings.objects()[1] == {"region": "eu-west-3"}
    assert settings.operators_by_passkey is False
    assert settings.mtls_port == 8443
    assert settings.security_contact_expires == date(2027, 3, 31)
    assert settings.smtp_url is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("PROCESSES", "0"),
        ("ROLES", "web"),
        ("ROLES", '["cook"]'),
        ("LOG_LEVEL", "x"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"AMBROISE_{name}", value)
    with pytest.raises(Refusal, match=f"AMBROISE_{name}: "):
        load(data=tmp_path)


def test_the_embedded_database_is_not_asked_for_more_connections_than_it_has(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="lower AMBROISE_PROCESSES"):
        load(data=tmp_path, processes=20)
    assert load(data=tmp_path, processes=20, database_url="postgresql://db/ambroise").processes == 20


def test_no_password_is_ever_printed(tmp_path: Path) -> None:
    assert "s3cret" not in repr(load(data=tmp_path, database_url="postgresql://app:s3cret@db/ambroise"))
