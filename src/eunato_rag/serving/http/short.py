"""A request that may be cut short. Left out: when and why, which is for those who cut (limits, draining)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eunato_rag.serving.http import problems


class Short:
    """A request that may be cut short: once it is, nothing that the application still says reaches the caller."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self.started = False
        self._refusal: tuple[int, str, str] | None = None

    def cut(self, status: int, code: str, detail: str) -> Message:
        """Refuse the request; the application hears that nobody is there any more."""
        self._refusal = (status, code, detail)
        return {"type": "http.disconnect"}

    @property
    def is_cut(self) -> bool:
        return self._refusal is not None

    async def send(self, message: Message) -> None:
        if self._refusal is None:
            self.started = True
            await self._send(message)

    async def run(self, app: ASGIApp, receive: Receive, send: Send | None = None) -> None:
        try:
            await app(self.scope, receive, send or self.send)
        except Exception:  # what it makes of a request that was cut tells nothing
            if not self.is_cut:
                raise
        await self.tell()

    async def tell(self) -> None:
        """Say why, where nothing was said before; else the connection ends where it stands."""
        if self._refusal is not None and not self.started:
            self.started = True
            # Who is too slow is hung up on. Who sends too much is heard to the end, unread, else they would not hear why.
            headers = {"Connection": "close"} if self._refusal[0] == 408 else None
            response = problems.problem(Request(self.scope), *self._refusal, headers=headers)
            await response(self.scope, self._receive, self._send)
