"""What journeys use."""

from tests.integration.record.conftest import world
from tests.journeys.support.portal import portal

__all__ = ["portal", "world"]
