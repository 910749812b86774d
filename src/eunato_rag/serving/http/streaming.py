"""An answer as it comes, in server-sent events (WHATWG HTML, 9.2): `search`, `answer.delta`, `citation`, one `answer` or `error`.

The events of the engine become frames; a comment goes out every 15 seconds while nothing else does. Whoever hangs up
ends the work: the engine's generator is closed, and with it whatever it waits for.
Left out: what happens while a question is answered (engine).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator
from itertools import chain
from typing import Any

import anyio
import structlog
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from eunato_rag.engine import Engine
from eunato_rag.records import Cited, Concluded, Event, Said, Searched, Troubled, Waiting
from eunato_rag.serving.http import problems, render

MEDIA_TYPE = "text/event-stream"
SILENCE = 15.0
"""Seconds after which a comment keeps the connection open."""

EVENTS: dict[str, Any] = {
    "schema": {"type": "object", "properties": {"event": {"type": "string"}, "data": {"type": "string"}}, "required": ["data"]}
}
"""A stream in the description of the API: what each of its events is."""

DESCRIBED: dict[int | str, dict[str, Any]] = {200: {"description": "The answer, whole or as it comes", "content": {MEDIA_TYPE: EVENTS}}}

Events = Generator[Event, None, None]

log = structlog.get_logger("eunato_rag.http")


def is_wanted(accept: str) -> bool:
    """Whether an Accept header (RFC 9110, 12.5.1) names event streams, and nothing that it would rather have."""
    wishes: dict[str, float] = {}
    for wish in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in wish.split(";"))
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        wishes.setdefault(kind, float(weight) if weight.replace(".", "", 1).isdigit() else 0.0)
    return wishes.get(MEDIA_TYPE, 0.0) > 0 and next(kind for kind in wishes if wishes[kind] == max(wishes.values())) == MEDIA_TYPE


def logged(events: Events, request: str) -> Events:
    """The events without those that are for the log."""
    try:
        for event in events:
            if isinstance(event, Troubled):
                log.warning("language model", id=request, detail=event.detail)
            else:
                yield event
    finally:
        events.close()


class EventStream(StreamingResponse):
    """The response that tells the events of one answer, each as the bytes that `frame` makes of it; an error as `failure` says it.

    Raises:
        InvalidQuestion: before anything is sent.
    """

    media_type = MEDIA_TYPE

    def __init__(self, events: Events, frame: Callable[[Event], bytes], failure: Callable[[Exception], bytes]) -> None:
        first = next(events)  # a question that cannot be asked is a problem with a status, not an event
        self._frames = _frames(events, first, frame, failure)
        super().__init__(self._frames, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._frames.close)


def answer_stream(request: Request, engine: Engine, events: Events, began: float) -> EventStream:
    """The events of one answer by their names; `began` is when the question came, by `time.perf_counter`."""

    def frame(event: Event) -> bytes:
        return b"".join(_frame(engine, event, began))

    return EventStream(events, frame, lambda error: _named("error", bytes(problems.of(request, error).body)))


def _frames(
    events: Events, first: Event, frame: Callable[[Event], bytes], failure: Callable[[Exception], bytes]
) -> Generator[bytes, None, None]:
    """The frames of the events; an empty one at each sign of life, so that who sends them can notice that nobody listens."""
    sent = time.monotonic()
    try:
        for event in chain((first,), events):
            told = frame(event)
            if not told and time.monotonic() - sent >= SILENCE:
                told = b": still at work\n\n"
            sent = time.monotonic() if told else sent
            yield told
    except Exception as error:
        log.exception("stream failed")
        yield failure(error)  # which ends the stream as it should end; to break off would take the last event along
    finally:
        events.close()


def _frame(engine: Engine, event: Event, began: float) -> Iterator[bytes]:
    took_ms = round((time.perf_counter() - began) * 1000, 1)
    match event:
        case Searched(query, hits):
            yield _named("search", render.search(engine, query, hits, took_ms).model_dump_json().encode())
        case Said(text):
            yield _named("answer.delta", json.dumps({"text": text}, ensure_ascii=False).encode())
        case Cited(citation):
            yield _named("citation", render.citation(engine, citation).model_dump_json().encode())
        case Concluded(answer):
            yield _named("answer", render.answer(engine, answer, took_ms).model_dump_json().encode())
        case Waiting() | Troubled():
            return


def _named(name: str, data: bytes) -> bytes:
    """One event; JSON has no line ends of its own, so one line of data holds it."""
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
