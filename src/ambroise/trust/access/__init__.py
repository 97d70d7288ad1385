"""Who may see and do what: facts, rules, and the two questions `decide` and `scope`."""
