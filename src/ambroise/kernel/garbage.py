"""How often Python looks for garbage that reference counts do not free."""

import gc


def collect_rarely() -> None:
    """Look for cycles some seventy times less often than by default.

    The program makes many objects, keeps most of those that it makes at its start, and leaves hardly any cycle.
    """
    gc.set_threshold(50_000, 20, 50)
