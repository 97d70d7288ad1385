"""What journeys use."""

from tests.journeys.support.portal import portal

__all__ = ["portal"]
