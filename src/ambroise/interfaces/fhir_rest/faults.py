"""What the database may answer that a client can do something about."""

import psycopg
from psycopg import errors

from ambroise.kernel.errors import Kind, Refusal


def as_refusal(error: psycopg.Error) -> Refusal | None:
    """The refusal that an error of the database amounts to; None for a fault of ours."""
    match error:
        case errors.DeadlockDetected() | errors.SerializationFailure() | errors.LockNotAvailable():
            text = "Somebody else was changing the same resources; nothing was written, send it again."
            return Refusal(Kind.UNAVAILABLE, "CONCURRENT_CHANGES", text)
        case errors.UniqueViolation():
            text = "Somebody else created the same at the same time; nothing was written, look for it and try again."
            return Refusal(Kind.CONFLICT, "CONCURRENT_CHANGES", text)
        case psycopg.DataError():
            return Refusal(Kind.INVALID, "VALUE_NOT_STORABLE", "A value cannot be stored; look for U+0000.")
        case psycopg.OperationalError():
            return Refusal(Kind.UNAVAILABLE, "DATABASE_UNAVAILABLE", "The database does not answer; try again shortly.")
        case _:
            return None
