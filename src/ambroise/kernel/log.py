"""Structured logs: one JSON object per line, ids only, never content."""

import logging
import sys
from typing import Any

import structlog

_CONTENT_KEYS = frozenset({"ins", "body", "content", "password", "secret", "token", "name", "text", "document"})


def _refuse_content(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Blank the fields that would carry a person's content, whoever logs them."""
    for key in _CONTENT_KEYS & event.keys():
        event[key] = "[withheld]"
    return event


def configure(*, level: str = "info", human: bool = False) -> None:
    """Set up logging for the process; `human` renders for a terminal instead of JSON."""
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=number, stream=sys.stderr, format="%(message)s", force=True)
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if human else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _refuse_content,
            structlog.processors.dict_tracebacks if not human else structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger that says where it speaks from."""
    return structlog.get_logger(where=name)
