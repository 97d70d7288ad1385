"""The medical profile, for the person it is about."""
