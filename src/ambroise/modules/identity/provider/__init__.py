"""The OpenID provider of professionals (Pro Santé Connect, ours)."""
