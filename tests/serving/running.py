"""A real server over an index, for what only a real connection shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI

from eunato_rag.serving.http.server import server_options
from tests import conftest


@contextmanager
def running(application: FastAPI, trusted_proxies: str = "") -> Iterator[tuple[str, int]]:
    """Host and port of a server, run as `eunato-rag serve` runs it."""
    with conftest.running(application, **server_options(trusted_proxies)) as address:
        place = urlsplit(address)
        assert place.hostname is not None
        assert place.port is not None
        yield place.hostname, place.port
