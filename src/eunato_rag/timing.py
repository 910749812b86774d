"""Where time goes: a stage tells whoever listens how long it took. Nobody listens unless a door sets `listener`.

It is a context variable, so it reaches the threads that a request's work is done in. Left out: what becomes of the figures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, float], None]
"""Is told of a stage's name and its seconds."""

listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """What is done inside counts as the stage of that name, also where it fails."""
    told = listener.get()
    began = time.perf_counter()
    try:
        yield
    finally:
        if told is not None:
            told(name, time.perf_counter() - began)
