"""Passkeys (WebAuthn), for the three kinds of account."""
