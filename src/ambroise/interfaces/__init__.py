"""Ways in and out: parse, call one use case, render. No rule lives here."""
