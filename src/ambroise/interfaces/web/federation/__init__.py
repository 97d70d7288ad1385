"""Leaving for the provider of others, coming back from it, and what is said when nobody could come in."""
