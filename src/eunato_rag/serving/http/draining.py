"""The door of a service: who comes when it is being ended, or is too crowded, is told 503 and to come again.

Requests at hand are finished before the end. A balancer that asks /readyz sees at once that it should ask elsewhere; /livez
goes on to answer, since the process lives. Left out: signals and sockets (server), and how much is computed (limits).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eunato_rag.serving.http import problems
from eunato_rag.serving.http.short import Short

CONNECTIONS = 500
"""Open at once; below what a process may open by default."""

_LOOK_EVERY_S = 0.05
_HEARD_S = 1.0
"""Seconds that the body of a request that is refused may take; who is hung up on in the middle of it does not hear why."""
_ENDING = 503, "shutting_down", "The service is being shut down. Try again shortly."
_CROWDED = 503, "overloaded", f"{CONNECTIONS} connections are open, which is the most. Try again shortly."


class Draining:
    """Whether a service was asked to end, and the requests at hand. `connections` says how many are open, where the server tells."""

    def __init__(self) -> None:
        self.asked = False
        self.at_hand: set[Short] = set()
        self.connections: Callable[[], int] = int

    async def through(self, seconds: float) -> int:
        """Waits until nothing is at hand, no longer than that; how many requests still are."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        while self.at_hand and clock() < deadline:
            await asyncio.sleep(_LOOK_EVERY_S)
        return len(self.at_hand)

    async def cut(self) -> None:
        """Cut short what is still at hand; who has heard nothing yet is told 503."""
        for short in list(self.at_hand):
            short.cut(*_ENDING)
            await short.tell()


@dataclass(frozen=True, slots=True)
class Drain:
    """Keeps account of the requests at hand; refuses new ones once the end was asked for, and closes connections behind their answers."""

    app: ASGIApp
    draining: Draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        refusal = _ENDING if self.draining.asked else _CROWDED if self.draining.connections() > CONNECTIONS else None

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and (refusal or self.draining.asked):
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                headers.setdefault("Connection", "close")
                message = {**message, "headers": headers.raw}
            await send(message)

        if refusal and scope["path"] != "/livez":
            with suppress(TimeoutError):
                async with asyncio.timeout(_HEARD_S):
                    while (await receive()).get("more_body"):
                        pass
            await problems.problem(Request(scope), *refusal)(scope, receive, told)
            return
        short = Short(scope, receive, told)
        self.draining.at_hand.add(short)
        try:
            await short.run(self.app, receive)
        finally:
            self.draining.at_hand.discard(short)
