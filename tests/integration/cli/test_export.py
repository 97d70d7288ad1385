"""`ambroise export`: a copy for an operator who has that duty, and the trace of who took it."""

import stat
import zipfile
from pathlib import Path

from tests.integration.cli.conftest import AUTHOR, MATRICULE, Installation, Rows

LETTER = Path(__file__).parents[3] / "examples" / "documents" / "letter.xml"


def operator(installation: Installation, tmp_path: Path, name: str, *duties: str) -> None:
    password = tmp_path / "password"
    password.write_text("quatre bateaux verts")
    options = [word for duty in duties for word in ("--duty", duty)]
    made = installation.run(
        "operator", "create", name, "--sign-in", f"{name}@exemple.fr", *options, "--password-file", password
    )
    assert made.exit_code == 0, made.output


def test_an_operator_with_the_duty_takes_a_copy_and_the_trace_says_who(
    installation: Installation, tmp_path: Path, rows: Rows
) -> None:
    assert installation.run("submit", LETTER, "--as", f"professional:{AUTHOR}").exit_code == 0
    operator(installation, tmp_path, "ana", "copies")
    operator(installation, tmp_path, "hugo", "support")
    out, other = tmp_path / "out.zip", tmp_path / "other.zip"

    refused = installation.run("export", other, "--for", MATRICULE, "--as", "operator:hugo@exemple.fr")
    assert refused.exit_code == 1
    assert not other.exists()
    assert installation.run("export", other, "--for", MATRICULE, "--as", "operator:nobody").exit_code == 1
    assert installation.run("export", other, "--for", "100000000000000", "--as", "operator:ana@exemple.fr").exit_code

    done = installation.run("export", out, "--for", MATRICULE, "--as", "operator:ana@exemple.fr", "--language", "en")
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with zipfile.ZipFile(out) as copy:
        assert copy.testzip() is None
        assert LETTER.read_bytes() in [copy.read(name) for name in copy.namelist()]
        assert "Copy of my health record" in copy.read("index.html").decode()
    assert installation.run("export", out, "--for", MATRICULE, "--as", "operator:ana@exemple.fr").exit_code == 1

    traced = rows("select actor_name, event, outcome from trace where event like 'copy%' order by xid, id")
    assert ("ana", "copy_asked", 0) in traced
    assert ("ana", "copy_taken", 0) in traced
    assert ("hugo", "copy_asked", 4) in traced
    assert rows("select count(*) from portability_part") == [(0,)], "nothing of it is kept"
