"""What uvicorn is told. Left out: the application, and how many are computed at a time (limits)."""

from __future__ import annotations

from typing import Any

CONNECTIONS = 500
"""Open at once; below what a process may open by default."""
KEEP_ALIVE_S = 5
GRACEFUL_S = 10
"""Seconds that requests have to be through once the service is asked to end."""


def server_options(trusted_proxies: str = "") -> dict[str, Any]:
    """Options of `uvicorn.run`. A caller's address is what a proxy says only where that proxy is named as one to be believed."""
    return {
        "http": "h11",  # which bounds a request's head; httptools does not
        "limit_concurrency": CONNECTIONS,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": bool(trusted_proxies),
        "forwarded_allow_ips": trusted_proxies,
        "timeout_keep_alive": KEEP_ALIVE_S,
        "timeout_graceful_shutdown": GRACEFUL_S,
        "h11_max_incomplete_event_size": 32 * 1024,
        "backlog": 256,
        "ws": "none",
    }
