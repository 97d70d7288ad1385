"""A soak: mixed traffic for a long time, at an even pace, and what must not change meanwhile.

    python -m bench.soak --minutes 30

An instance of its own, everything on. Each minute it keeps how many requests were answered and how fast, the memory of
every process, PostgreSQL's too; in the end it proves that every acknowledged act has its trace and that every
acknowledged document is there. It writes SOAK.md and soak.json.
"""
