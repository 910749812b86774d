"""A real server over an index, for what only a real connection shows."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from eunato_rag.serving.http.server import server_options


@contextmanager
def running(application: FastAPI, trusted_proxies: str = "") -> Iterator[tuple[str, int]]:
    """The address of a server, run as `eunato-rag serve` runs it."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, lifespan="off", **server_options(trusted_proxies)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
