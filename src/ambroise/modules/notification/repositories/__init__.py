"""The SQL of what people chose, of what is on its way, and of their browsers."""
