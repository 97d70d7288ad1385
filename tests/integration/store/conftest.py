"""Permits and scopes as the access layer would make them, and resources to store."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from psycopg import sql

from ambroise.fhir.store.seal import SEAL
from ambroise.fhir.store.types import Permit, Scope, ScopeRow
from tools.fhir_samples import Generator

NOW = datetime(2026, 3, 14, 9, 30, 0, 123_456, tzinfo=UTC)


def all_rows(row: ScopeRow) -> sql.Composable:
    return sql.SQL("true")


def rows_of_one_patient(row: ScopeRow) -> sql.Composable:
    return sql.SQL("{} = {}").format(row["patient"], row.parameter("patient"))


def unmasked_rows(row: ScopeRow) -> sql.Composable:
    return sql.SQL("{} & 1 = 0").format(row["flags"])


EVERYTHING = Scope(SEAL, "test", all_rows)
UNMASKED = Scope(SEAL, "test", unmasked_rows)
ANY_PERMIT = Permit(SEAL, "test", None, "test")


def scope_of(patient: UUID) -> Scope:
    return Scope(SEAL, "test", rows_of_one_patient, {"patient": patient})


def permit_for(patient: UUID) -> Permit:
    return Permit(SEAL, "test", patient, "test")


@pytest.fixture
def generator() -> Generator:
    return Generator(7)
