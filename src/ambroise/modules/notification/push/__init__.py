"""Notices to browsers (Web Push): encryption, identification, sending, and the browsers that asked for them."""
