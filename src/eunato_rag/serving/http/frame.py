"""What goes round every request: its id, its line in the log, its figures, the headers of its answer, and the last resort.

Outermost of all, and pure ASGI: streams and hang-ups pass through untouched. A HEAD is a GET whose body is not sent.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from urllib.parse import quote

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eunato_rag import timing
from eunato_rag.serving.http import problems, security
from eunato_rag.serving.http.metrics import Metrics

STALLED_S = 60.0

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{7,127}")

log = structlog.get_logger("eunato_rag.http")


class Frame:
    """Frames the requests of an application. `clients` says whether the callers' addresses are logged.

    A caller that takes longer than `stalled_s` to read the next part of an answer is left.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, clients: bool = False, stalled_s: float = STALLED_S) -> None:
        self.app, self.metrics, self.clients, self.stalled_s = app, metrics, clients, stalled_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await _Framed(self, scope, receive, send).run()


class _Framed:
    """One request, framed."""

    def __init__(self, frame: Frame, scope: Scope, receive: Receive, send: Send) -> None:
        self._frame, self._receive, self._send = frame, receive, send
        self._method = scope["method"]
        # A copy, as the server goes by the method in its own.
        self._scope = {**scope, "method": "GET" if self._method == "HEAD" else self._method, "state": dict(scope.get("state") or {})}
        given = Headers(scope=scope).get("x-request-id", "")
        self._id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        self._scope["state"]["request_id"] = self._id
        self._status = 0
        self._over = self._stalled = False

    async def run(self) -> None:
        began, metrics = time.perf_counter(), self._frame.metrics
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(id=self._id)
        timing.listener.set(metrics.stage)
        metrics.in_progress.inc()
        ended = "done"
        try:
            await self._frame.app(self._scope, self._received, self._sent)
        except asyncio.CancelledError:  # the server ends; it would log one that goes on up as a fault, with a traceback
            ended = "cancelled"
        except Exception as error:
            if self._stalled or isinstance(error, ClientDisconnect):  # nobody reads any more
                ended = "gone"
                return
            ended = "failed"
            log.exception("unhandled")
            if self._status:  # part of an answer is out; only to break off tells that it is not whole
                raise
            await problems.of(Request(self._scope), error)(self._scope, self._receive, self._sent)
        finally:
            metrics.in_progress.dec()
            seconds = time.perf_counter() - began
            metrics.request(self._method, self._route(), self._status, seconds)
            self._log(ended, seconds)

    async def _received(self) -> Message:
        return {"type": "http.disconnect"} if self._over else await self._receive()

    async def _sent(self, message: Message) -> None:
        if self._over:
            return
        if message["type"] == "http.response.start":
            self._status = int(message["status"])  # some send an enumeration
            headers = MutableHeaders(raw=list(message.get("headers", ())))
            headers["X-Request-ID"] = self._id
            for name, value in security.headers_for(headers.get("content-type", ""), self._scope.get("scheme", "")).items():
                headers.setdefault(name, value)
            message = {**message, "headers": headers.raw}
        try:
            async with asyncio.timeout(self._frame.stalled_s):
                await self._send(message)
        except TimeoutError:
            self._stalled = True
            raise
        if message["type"] == "http.response.start" and self._method == "HEAD":
            self._over = True
            await self._send({"type": "http.response.body", "body": b""})

    def _route(self) -> str:
        return str(getattr(self._scope.get("route"), "path", ""))

    def _log(self, ended: str, seconds: float) -> None:
        more = {"client": (self._scope.get("client") or ("",))[0]} if self._frame.clients else {}
        if key := self._scope["state"].get("key"):
            more["key"] = key
        if ended != "done":
            more["ended"] = ended
        path = quote(self._scope["path"])[:200]  # no line end or escape code of a caller's gets into the log
        log.info("request", method=self._method, path=path, status=self._status, ms=round(seconds * 1000, 1), **more)
