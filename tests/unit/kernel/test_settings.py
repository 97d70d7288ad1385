import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationError

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
    with pytest.raises(ValidationError, match="--data or AMBROISE_DATA"):
        load()
