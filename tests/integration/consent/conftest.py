"""What tests of requests use: a record behind its door."""

from tests.integration.record.conftest import world

__all__ = ["world"]
