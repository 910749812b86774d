"""How many requests a caller may send: a moving window per caller and kind of request, in memory.

A caller is a key, or where there is none an address; of IPv6 the /64 that one customer has. Counts are one process's.
The clock is one that nobody can set: else one set back would shut a caller out for as long. The headers are those of
draft-ietf-httpapi-ratelimit-headers. Left out: who may send any (access).
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from threading import Lock
from typing import Literal

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

    `clock` gives seconds that never go back. Safe to share between threads.
    """

    def __init__(
        self, rates: Mapping[Kind, str] = DEFAULT, *, owner_is_free: bool = True, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.owner_is_free = owner_is_free
        self._rates = {kind: _read(rate) for kind, rate in rates.items()}
        self._names: dict[Kind, str] = {kind: f"{rate.replace('/', ' requests a ')}" for kind, rate in rates.items()}
        self._clock, self._lock = clock, Lock()
        self._came: dict[Kind, OrderedDict[str, deque[float]]] = {kind: OrderedDict() for kind in rates}
        """When the requests of each caller came that still count; who asked last is last."""

    def count(self, kind: Kind, key: str, address: str) -> Verdict:
        """Count one request. One that is refused does not count, so that waiting helps."""
        most, seconds = self._rates[kind]
        who = f"key {key}" if key else f"address {_group(address)}"
        with self._lock:
            now, callers = self._clock(), self._came[kind]
            while callers and next(iter(callers.values()))[-1] <= now - seconds:
                callers.popitem(last=False)
            came = callers.setdefault(who, deque())
            while came and came[0] <= now - seconds:
                came.popleft()
            allowed = len(came) < most
            if allowed:
                came.append(now)
                callers.move_to_end(who)
            wait, left = max(1, math.ceil(came[0] + seconds - now)), most - len(came)
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
