"""Ambroise: an open national digital health space, under each citizen's control."""

__version__ = "0.1.0"
