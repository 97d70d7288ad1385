"""A record with a citizen in it."""

from tests.integration.record.conftest import world

__all__ = ["world"]
