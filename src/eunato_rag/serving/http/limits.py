"""What a request may ask of the service: the size of its body."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eunato_rag.serving.http import problems

MAX_BODY = 256 * 1024
"""Bytes of a request's body; a question needs far less."""

LARGER: Mapping[str, int] = {"/v1/drafts": 12 * 2**20, "/v1/verify": 4 * 2**20}
"""For paths that take files or whole answers."""


class BodyLimit:
    """Refuses a body over the limit, whether announced or only sent; without it one request could fill the memory."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY, larger: Mapping[str, int] = LARGER) -> None:
        self.app, self.limit, self.larger = app, limit, larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.larger.get(scope["path"], self.limit)
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > limit:
            await self._refuse(limit, scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > limit:
                await self._refuse(limit, scope, receive, send)
                return
        parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return parts.pop() if parts else await receive()

        await self.app(scope, replay, send)

    async def _refuse(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"The body has more than {limit:,} bytes, which is the most for this address. Send less."
        response: JSONResponse = problems.problem(Request(scope), 413, "too_large", detail)
        await response(scope, receive, send)
