"""Signing on to other software: the pages that a professional sees on the way, and the simulated e-CPS."""
