"""`/mcp` of the service: the protocol's streamable HTTP, without sessions.

A request is complete in itself, so each has a manager of its own, nothing lives between two, and no lifespan is needed. The
SDK is imported at the first request. Left out: keys, limits, and whose pages may call, which are the service's own.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from eunato_rag.serving.addresses import base_url
from eunato_rag.serving.http import problems
from eunato_rag.serving.http.served import Served

if TYPE_CHECKING:
    from mcp.server.lowlevel.server import Server

PATH = "/mcp"


class Endpoint:
    """The ASGI application of the path. `public_url` is the service's own address in links, else that of each request."""

    def __init__(self, served: Served, public_url: str | None = None) -> None:
        self._served, self._public_url = served, public_url
        self._server = cache(self._made)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":  # a GET would open a stream on which a server without sessions has nothing to say
            detail = "Messages of the protocol are sent by POST."
            refused = problems.problem(Request(scope), 405, "method_not_allowed", detail, headers={"Allow": "POST"})
            await refused(scope, receive, send)
            return
        server = await run_in_threadpool(self._server)
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        manager = StreamableHTTPSessionManager(server, stateless=True)
        async with manager.run():
            await manager.handle_request(scope, receive, send)

    def _made(self) -> Server[Any]:
        from eunato_rag.serving.mcp.server import create_server

        return create_server(self._served, self._base)

    def _base(self, request: Request | None) -> str:
        assert request is not None, "over HTTP there is one"
        return base_url(request, self._public_url)
