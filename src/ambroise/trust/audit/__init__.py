"""The trace: who did what, when, why, under which rule; sealed, and shown to the person concerned."""
