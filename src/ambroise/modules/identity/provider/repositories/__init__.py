"""The SQL of the provider, by what the rows are about."""
