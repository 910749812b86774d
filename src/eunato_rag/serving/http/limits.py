"""What one request may take: bytes and time of its body, time of its answer, and how many are computed at once.

A body is counted while it passes through, and held nowhere. A computation runs in a thread, which nothing can end: when
its time is up the caller is told so, and its place stays taken until it is done, so that no more than so many ever run.
Left out: how often one caller may ask (rates).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eunato_rag.serving.http.access import is_page
from eunato_rag.serving.http.short import Short

MAX_BODY = 256 * 1024
"""Bytes of a request's body; a question needs far less."""

LARGER: Mapping[str, int] = {
    "/v1/drafts": 12 * 2**20,
    "/v1/verify": 4 * 2**20,
    "/v1/chat/completions": 2 * 2**20,
    "/mcp": 4 * 2**20,
    "/v1/documents": 65 * 2**20,
}
"""For paths that take files, whole answers, or conversations that clients send from their beginning."""

GRACE_S = 20.0
SLOWEST = 16 * 1024
"""Bytes a second below which a body is given up, once the grace is over."""

NOT_COMPUTED = frozenset({"/livez", "/readyz", "/version", "/metrics", "/openapi.json"})
OVERLOADED = 503, "overloaded", "Too much is being computed. Try again shortly."
_EVENTS = b"text/event-stream"


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """Refuses a body over the limit, whether announced or only sent (413), and one that comes too slowly (408)."""

    app: ASGIApp
    limit: int = MAX_BODY
    larger: Mapping[str, int] | None = None
    grace_s: float = GRACE_S

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = (LARGER if self.larger is None else self.larger).get(scope["path"], self.limit)
        too_large = 413, "too_large", f"The body has more than {limit:,} bytes, which is the most for this address. Send less."
        short, clock = Short(scope, receive, send), asyncio.get_running_loop().time
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced) > limit:
            short.cut(*too_large)
            await short.tell()
            return
        came, began, complete = 0, clock(), False

        async def counted() -> Message:
            nonlocal came, complete
            if complete:
                return await receive()
            if short.is_cut:
                return {"type": "http.disconnect"}
            try:
                async with asyncio.timeout_at(began + self.grace_s + came / SLOWEST):
                    message = await receive()
            except TimeoutError:
                return short.cut(408, "too_slow", f"After {clock() - began:.0f} s only {came:,} bytes of the body were here.")
            came += len(message.get("body", b""))
            complete = message["type"] == "http.request" and not message.get("more_body", False)
            return short.cut(*too_large) if came > limit else message

        await short.run(self.app, counted)


COMPUTED = 4
"""At a time. Threads of Python take turns: more of them compute no more, and the one that answers callers gets its turn less often."""
WAITED_FOR = 16
"""The same where a language model writes: most of that time is waited."""


@dataclass(frozen=True, slots=True)
class Work:
    """How much is computed at once, how many wait for it and how long, and when an answer must have begun; in seconds."""

    at_a_time: int = COMPUTED
    queue: int = 64
    queue_s: float = 10.0
    answer_s: float = 120.0


class WorkLimit:
    """Lets so many requests be computed at a time; others wait, not many and not long (503). An answer begins in time (504).

    A request takes its place when its body is complete, and leaves it when its answer begins or, of a stream, ends.
    """

    def __init__(self, app: ASGIApp, work: Work = Work()) -> None:
        self.app, self.work = app, work
        self._places = asyncio.Semaphore(work.at_a_time)
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_computed(scope["path"]):
            await self.app(scope, receive, send)
            return
        short = Short(scope, receive, send)
        if self.is_full:  # before anything is done for it
            short.cut(*OVERLOADED)
            await short.tell()
            return
        await _Turn(self, short, receive).run()

    @property
    def is_full(self) -> bool:
        """Whether as many wait as may."""
        return self._waiting >= self.work.queue and self._places.locked()

    async def enter(self) -> bool:
        """Take a place; False where too many wait, or this one waited too long."""
        if self.is_full:
            return False
        self._waiting += 1
        try:
            async with asyncio.timeout(self.work.queue_s):
                await self._places.acquire()
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
        return True

    def leave(self) -> None:
        self._places.release()


class _Turn:
    """One request's turn."""

    def __init__(self, limit: WorkLimit, short: Short, receive: Receive) -> None:
        self._limit, self._short, self._receive = limit, short, receive
        self._inside = self._streams = False
        self._begun = False
        self._clock: asyncio.Task[None] | None = None

    async def run(self) -> None:
        headers = Headers(scope=self._short.scope)
        if "transfer-encoding" not in headers and headers.get("content-length", "0") == "0":
            await self._begin()
        try:
            if self._short.is_cut:
                await self._short.tell()
            else:
                await self._short.run(self._limit.app, self._received, self._sent)
        finally:
            self._leave()
            await self._stop_clock()

    async def _received(self) -> Message:
        if self._short.is_cut:
            return {"type": "http.disconnect"}
        message = await self._receive()
        if not self._begun and message["type"] == "http.request" and not message.get("more_body", False):
            await self._begin()
            if self._short.is_cut:
                return {"type": "http.disconnect"}
        return message

    async def _sent(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._short.is_cut:
            self._short.started = True  # before the clock can look again
            self._streams = any(name.lower() == b"content-type" and value.startswith(_EVENTS) for name, value in message["headers"])
        if not self._streams:
            self._leave()
        await self._short.send(message)

    async def _begin(self) -> None:
        self._begun = True
        self._inside = await self._limit.enter()
        if self._inside:
            self._clock = asyncio.create_task(self._expire())
        else:
            self._short.cut(*OVERLOADED)

    async def _expire(self) -> None:
        seconds = self._limit.work.answer_s
        await asyncio.sleep(seconds)
        if not self._short.started:
            self._short.cut(504, "took_too_long", f"No answer within {seconds:g} s. Ask for less at once.")
            await self._short.tell()

    def _leave(self) -> None:
        """Give the place back, once. After 504 not before the computation is through."""
        if self._inside:
            self._inside = False
            self._limit.leave()

    async def _stop_clock(self) -> None:
        if self._clock is None:
            return
        if self._short.is_cut:
            await self._clock  # it may be telling why
        else:
            self._clock.cancel()


def is_computed(path: str) -> bool:
    """Whether a request for a path counts: not for files, and not for what only looks on."""
    events = path.startswith("/v1/jobs/") and path.endswith("/events")
    return not (path in NOT_COMPUTED or is_page(path) or events)
