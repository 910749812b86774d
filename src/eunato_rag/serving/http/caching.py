"""What need not be sent again: an entity tag per snapshot (RFC 9110, 8.8.3, 13.1.2), and what is compressed already.

A snapshot never changes, so what is read from it is told by its id; which is why a tag costs nothing, and 304 no rendering.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Annotated

from fastapi import Query, Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eunato_rag.engine import Engine
from eunato_rag.serving.http.served import Served

UNCOMPRESSED = tuple(
    dict.fromkeys(
        (
            *DEFAULT_EXCLUDED_CONTENT_TYPES,
            "application/pdf",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "image/*",
            "text/event-stream",
        )
    )
)
"""Types that hold little air, and streams, each part of which has to arrive at once."""


def pinned(served: Served) -> Callable[..., Engine]:
    """A dependency: the engine of the wanted snapshot, with the tag of what is read from it in the answer's headers.

    Raises:
        HTTPException: 304, the caller has it.
        NotFound, DamagedSnapshot, IncompatibleIndex: the named snapshot cannot be used.
    """

    def engine_for(
        request: Request,
        response: Response,
        snapshot: Annotated[str | None, Query(description="Id of an older snapshot to read; the current one if left out.")] = None,
    ) -> Engine:
        engine = served.engine(snapshot)
        headers = {"ETag": tag(engine.snapshot.id), "Cache-Control": "no-cache"}
        if is_known(headers["ETag"], request.headers.get("if-none-match", "")):
            raise HTTPException(304, headers=headers)
        response.headers.update(headers)
        return engine

    return engine_for


@dataclass(frozen=True, slots=True)
class NotModified:
    """Answers 304 in the place of 200 where the answer has an entity tag and the caller has what it names: files, above all."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = Headers(scope=scope).get("if-none-match", "") if scope["type"] == "http" and scope["method"] == "GET" else ""
        if not wanted:
            await self.app(scope, receive, send)
            return
        known = False

        async def told(message: Message) -> None:
            nonlocal known
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message["headers"]))
                if message["status"] == 200 and is_known(headers.get("etag", ""), wanted):
                    known = True
                    del headers["content-length"], headers["content-type"]
                    message = {**message, "status": 304, "headers": headers.raw}
            elif known:
                message = {**message, "body": b""}
            await send(message)

        await self.app(scope, receive, told)


def tag(snapshot: str) -> str:
    """Weak: the bytes differ by compression. Of the version too, as another renders otherwise."""
    return f'W/"{snapshot}-{_version()}"'


def is_known(current: str, if_none_match: str) -> bool:
    """Whether a caller's If-None-Match names the current tag, by the weak comparison."""
    known = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return bool(current) and ("*" in known or current.removeprefix("W/") in known)


@cache
def _version() -> str:
    return version("eunato-rag")
