"""Mechanisms. Knows neither health nor HTTP."""
