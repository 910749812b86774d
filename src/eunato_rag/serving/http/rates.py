"""How many requests a caller may send: a moving window per caller and kind of request.

A caller is a key, or where there is none an address; of IPv6 the /64 that one customer has. The clock is one that nobody
can set: else one set back would shut a caller out for as long. It is the same for all processes of a machine. The headers
are those of draft-ietf-httpapi-ratelimit-headers. Left out: who may send any (access), and how windows are kept (windows).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Literal

from eunato_rag.serving.http.windows import Windows, WindowsInMemory

Kind = Literal["general", "costly", "admin"]

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}

DEFAULT: Mapping[Kind, str] = {"general": "600/minute", "costly": "120/minute", "admin": "120/minute"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one more request is within the rate, and what the caller is told of it."""

    allowed: bool
    rate: str
    wait_s: int
    headers: Mapping[str, str]


class Rates:
    """The rates of each kind of request. With `owner_is_free`, the owner of a service open to nobody else is not counted.

    They are counted in `windows`, by default this process's own. `clock` gives seconds that never go back. Safe to share
    between threads.
    """

    def __init__(
        self,
        rates: Mapping[Kind, str] = DEFAULT,
        *,
        owner_is_free: bool = True,
        clock: Callable[[], float] = time.monotonic,
        windows: Windows | None = None,
    ) -> None:
        self.owner_is_free = owner_is_free
        self._rates = {kind: _read(rate) for kind, rate in rates.items()}
        self._names: dict[Kind, str] = {kind: f"{rate.replace('/', ' requests a ')}" for kind, rate in rates.items()}
        self._clock, self._windows = clock, windows or WindowsInMemory()

    def count(self, kind: Kind, key: str, address: str) -> Verdict:
        """Count one request. One that is refused does not count, so that waiting helps."""
        most, seconds = self._rates[kind]
        who = f"key {key}" if key else f"address {_group(address)}"
        now = self._clock()
        allowed, oldest, counted = self._windows.count(kind, who, most, seconds, now)
        wait, left = max(1, math.ceil(oldest + seconds - now)), most - counted
        headers = {"RateLimit-Policy": f'"{kind}";q={most};w={seconds}', "RateLimit": f'"{kind}";r={left};t={wait}'}
        return Verdict(allowed, self._names[kind], wait, headers if allowed else {**headers, "Retry-After": str(wait)})


def _read(rate: str) -> tuple[int, int]:
    """How many requests in how many seconds."""
    most, period = rate.split("/")
    return int(most), _SECONDS[period]


def _group(address: str) -> str:
    """The addresses that count as one."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return address if known.version == 4 else str(ip_network((known, 64), strict=False))
