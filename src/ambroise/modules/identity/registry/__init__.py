"""The registry of identities: which person holds which space, under which INS."""
