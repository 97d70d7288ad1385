"""`ambroise audit`: the trace is sealed and proved from the command line."""

import re

import psycopg

from tests.integration.cli.conftest import Installation


def test_the_trace_is_sealed_then_verified(installation: Installation) -> None:
    sealed = installation.run("audit", "seal")
    assert re.search(r"[1-9]\d* rows sealed in 1 seals", sealed.output)
    verified = installation.run("audit", "verify")
    assert verified.exit_code == 0
    assert "The trace is whole." in verified.output
    head = re.search(r"head ([0-9a-f]{64})", verified.output)
    assert head is not None
    assert installation.run("audit", "verify", "--head", head[1]).exit_code == 0
    assert installation.run("audit", "verify", "--head", "00" * 32).exit_code == 1


def test_a_line_that_was_removed_is_found_out(installation: Installation) -> None:
    installation.run("audit", "seal")
    with psycopg.connect(installation.database.superuser_dsn, autocommit=True) as root:
        root.execute("set session_replication_role = replica")
        root.execute("delete from trace where id = (select max(id::text)::uuid from trace)")
    found = installation.run("audit", "verify")
    assert found.exit_code == 1
    assert "ROWS_LOST" in found.output


def test_the_owner_retires_what_concerns_nobody_any_more(installation: Installation) -> None:
    """A seal of eleven years ago goes; one whose person still has a space, or lost it lately, stays."""
    installation.run("audit", "seal")
    with psycopg.connect(installation.database.superuser_dsn, autocommit=True) as root:
        root.execute("set session_replication_role = replica")
        root.execute("update trace_seal set at = at - interval '11 years'")
        root.execute("update access_space set state_since = state_since - interval '11 years'")
    kept = installation.run("audit", "retire", "--remove")
    assert "0 lines of 0 seals were removed" in kept.output, "their spaces live"
    with psycopg.connect(installation.database.superuser_dsn, autocommit=True) as root:
        root.execute("update access_space set state = 'purged'")
    counted = installation.run("audit", "retire")
    assert re.search(r"[1-9]\d* lines of 1 seals can be removed", counted.output)
    removed = installation.run("audit", "retire", "--remove")
    assert re.search(r"[1-9]\d* lines of 1 seals were removed", removed.output)
    verified = installation.run("audit", "verify")
    assert "1 seals past their retention" in verified.output
    assert "0 lines of 0 seals" in installation.run("audit", "retire", "--remove").output
