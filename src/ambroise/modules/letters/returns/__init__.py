"""Mails that come back: the address they come back to, what they say, and what becomes of the address written to."""
