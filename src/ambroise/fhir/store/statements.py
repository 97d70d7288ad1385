"""Statements put together once: the text of a composed query, ready to be sent again and again."""

from typing import LiteralString, cast

from psycopg import sql


def flat(composed: sql.Composable) -> sql.SQL:
    """The same statement as one string. Values are not in it: they are placeholders in `composed` already."""
    return sql.SQL(cast(LiteralString, composed.as_string(None)))
