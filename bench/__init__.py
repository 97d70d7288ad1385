"""The benchmark: its own instance, people with tokens, a load generator, floors measured in the same run, a report.

python -m bench            (or `make bench`, `ambroise bench`)
"""
