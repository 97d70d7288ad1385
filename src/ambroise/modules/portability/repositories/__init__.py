"""The SQL of copies and imports."""
