"""The two guarantees: who may see what, and the trace of who did."""
