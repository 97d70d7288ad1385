"""Depositing files from a command line: which files, what is said of them, and by which way they go."""
