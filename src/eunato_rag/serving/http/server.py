"""What uvicorn is told, and how the service ends. Left out: the application, and how many are computed at a time (limits).

uvicorn by itself closes its door first, gives requests at hand their time, and then raises the signal again, which is no
clean exit. Here the door stays open until what is at hand is through, so that who comes meanwhile hears where they stand.
Its own limit of connections is not used, since whom it refuses does not hear when to come again.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
from starlette.types import ASGIApp

from eunato_rag.serving.http.draining import Draining

if TYPE_CHECKING:
    from eunato_rag.serving.http.processes import Part

KEEP_ALIVE_S = 5
GRACE_S = 8.0
"""Seconds that requests have to be through once the service is asked to end."""
BREAK_OFF_S = 1.5
"""Seconds after that to the end of the process, whatever is still at work; those who stop services kill after ten in all."""

BACKLOG = 256
"""Connections that wait to be taken."""

log = structlog.get_logger("eunato_rag.http")


def server_options(trusted_proxies: str = "") -> dict[str, Any]:
    """Options of `uvicorn.Config`. A caller's address is what a proxy says only where that proxy is named as one to be believed."""
    return {
        "http": "h11",  # which bounds a request's head; httptools does not
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": bool(trusted_proxies),
        "forwarded_allow_ips": trusted_proxies,
        "timeout_keep_alive": KEEP_ALIVE_S,
        "timeout_graceful_shutdown": 1,  # of connections, once no request is waited for
        "h11_max_incomplete_event_size": 32 * 1024,
        "backlog": BACKLOG,
        "ws": "none",
    }


def serve(application: ASGIApp, draining: Draining, grace_s: float = GRACE_S, part: Part | None = None, **options: Any) -> None:
    """Serves until SIGTERM or SIGINT; the process then ends with 0, within `grace_s` and `BREAK_OFF_S`.

    A second signal ends the process at once, as it ends any other; one that has a `part` is ended by its parent.
    `options` are those of `uvicorn.Config`.
    """
    if part is None:
        _Server(uvicorn.Config(application, **options), draining, grace_s).run()
        return
    # asyncio takes as many waiting connections at once as its backlog: with one at a time, the other processes get theirs.
    config = uvicorn.Config(application, **{**options, "loop": "asyncio", "backlog": 1})
    _PartServer(config, draining, grace_s, part).run(list(part.listening))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, draining: Draining, grace_s: float) -> None:
        super().__init__(config)
        self._draining, self._grace_s = draining, grace_s
        draining.connections = lambda: len(self.server_state.connections)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._draining.asked = self.should_exit = True
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # A computation runs in a thread, which nothing can end and for which the interpreter would wait.
        last = threading.Timer(self._grace_s + BREAK_OFF_S, _end)
        last.daemon = True
        last.start()
        log.info("ending", at_hand=len(self._draining.at_hand))
        if left := await self._draining.through(self._grace_s):
            log.warning("not through in time, broken off", requests=left)
            await self._draining.cut()
        await super().shutdown(sockets)


class _PartServer(_Server):
    """One of several processes. Who stops a service may signal them all, and their parent does so too: that is one signal."""

    def __init__(self, config: uvicorn.Config, draining: Draining, grace_s: float, part: Part) -> None:
        super().__init__(config, draining, grace_s)
        self._part = part
        for door in part.listening:
            door.connections = draining.connections

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._draining.asked = self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for made in self._part.listening:
            made.listen(BACKLOG)
        self._part.serves()


def _end() -> None:
    log.warning("ended while something was still at work")
    os._exit(0)
