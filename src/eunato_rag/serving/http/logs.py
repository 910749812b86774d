"""The log of the service: one line an event on standard error, JSON unless a person looks; uvicorn's own lines among them.

What is in it: times, methods, paths, statuses, ids of requests and keys. What is not: questions, queries, addresses of
callers, unless settings say so, and never a key. Left out: rotation, which is the work of what starts the service.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal, TextIO

import structlog
import structlog.tracebacks
from structlog.types import EventDict, Processor

_TRACEBACK = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
"""Without the values of variables: among them are questions and keys."""

Form = Literal["auto", "json", "text"]


def configure(form: Form = "auto", stream: TextIO | None = None, process: int | None = None) -> None:
    """Send all logs of this process to standard error, or to another stream. auto: text on a terminal, else JSON.

    Each line has the `process`, where several serve.
    """
    out = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if process is not None:
        shared.append(lambda _, __, event: {**event, "process": process})
    if form == "text" or (form == "auto" and out.isatty()):
        plain = structlog.dev.plain_traceback
        last: list[Processor] = [structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=plain)]
    else:
        last = [structlog.processors.ExceptionRenderer(_TRACEBACK), structlog.processors.JSONRenderer(ensure_ascii=False)]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _without_colour, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in ("eunato_rag", "uvicorn", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True  # the frame tells of requests, without what was asked


def _without_colour(_: object, __: str, event: EventDict) -> EventDict:
    """uvicorn says some things twice, once with escape codes."""
    event.pop("color_message", None)
    return event
