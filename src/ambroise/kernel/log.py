"""Structured logs: one JSON object per line, ids only, never content."""

import logging
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast


@contextmanager
def _without(package: str) -> Generator[None]:
    """As if a package that is not loaded yet were not installed."""
    modules = cast("dict[str, Any]", sys.modules)
    if package in modules:
        yield
        return
    modules[package] = None
    try:
        yield
    finally:
        del modules[package]


# With Rich at hand, structlog would load seventy modules at each start, for tracebacks that show the values of
# variables: what no log of ours may hold.
with _without("rich"):
    import structlog

_CONTENT_KEYS = frozenset({"ins", "body", "content", "password", "secret", "token", "name", "text", "document"})


def _refuse_content(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Blank the fields that would carry a person's content, whoever logs them."""
    for key in _CONTENT_KEYS & event.keys():
        event[key] = "[withheld]"
    return event


def _describe_exception(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Say which exception and where; the text of a foreign exception may quote a person's data, and stays out."""
    error: Any = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    elif isinstance(error, tuple):
        error = cast("tuple[Any, Any, Any]", error)[1]
    if not isinstance(error, BaseException):
        return event
    kind = type(error)
    event["exception"] = {
        "type": f"{kind.__module__}.{kind.__qualname__}",
        "message": str(error) if kind.__module__.startswith("ambroise.") else None,
        "frames": [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ],
    }
    return event


def _spell_exception(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """The same description as lines of text, since the renderer for a terminal prints text only."""
    described = event.get("exception")
    if isinstance(described, dict):
        told = cast("dict[str, Any]", described)
        event["exception"] = "\n".join([f"{told['type']}: {told['message'] or ''}", *map(str, told["frames"])])
    return event


def _printer(*_: Any) -> structlog.PrintLogger:
    # Looked up at each use: tests and daemons replace the stream.
    return structlog.PrintLogger(sys.stderr)


def _use(level: int, *, human: bool) -> None:
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), sort_keys=False)
        if human
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _refuse_content,
            _describe_exception,
            *([_spell_exception] if human else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_printer,
    )


def configure(*, level: str = "info", human: bool = False) -> None:
    """Set up logging for the process; `human` renders for a terminal instead of JSON."""
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr, format="%(message)s", force=True)
    _use(number, human=human)


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger that says where it speaks from."""
    return structlog.get_logger(where=name)


# Whoever logs before the process has configured anything, a test for example, gets the same discretion.
_use(logging.WARNING, human=False)
