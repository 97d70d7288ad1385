"""What journeys use."""

from tests.integration.record.conftest import world
from tests.journeys.support.instance import instance
from tests.journeys.support.portal import portal
from tests.journeys.support.visitors import visitors

__all__ = ["instance", "portal", "visitors", "world"]
