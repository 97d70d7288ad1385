"""Signing in through the OpenID providers of others: we are their client."""
