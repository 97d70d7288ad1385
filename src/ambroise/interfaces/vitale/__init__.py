"""The e-carte Vitale for software of professionals: what a card reader calls, under `/vitale/v1`."""

from __future__ import annotations

from ambroise.interfaces.vitale.rest import routes

__all__ = ["routes"]
