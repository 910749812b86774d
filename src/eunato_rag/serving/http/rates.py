"""How many requests a caller may send: a moving window per caller and kind of request, in memory.

A caller is a key, or where there is none an address; of IPv6 the /64 that one customer has. Counts are one process's.
The headers are those of draft-ietf-httpapi-ratelimit-headers. Left out: who may send any (access).
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Literal

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

Kind = Literal["general", "costly", "admin"]

DEFAULT: Mapping[Kind, str] = {"general": "600/minute", "costly": "120/minute", "admin": "120/minute"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one more request is within the rate, and what the caller is told of it."""

    allowed: bool
    rate: str
    wait_s: int
    headers: Mapping[str, str]


class Rates:
    """The rates of each kind of request. With `owner_is_free`, the owner of a service open to nobody else is not counted."""

    def __init__(self, rates: Mapping[Kind, str] = DEFAULT, *, owner_is_free: bool = True) -> None:
        self.owner_is_free = owner_is_free
        self._rates: dict[Kind, RateLimitItem] = {kind: parse(rate) for kind, rate in rates.items()}
        self._names: dict[Kind, str] = {kind: f"{rate.replace('/', ' requests a ')}" for kind, rate in rates.items()}
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def count(self, kind: Kind, key: str, address: str) -> Verdict:
        """Count one request. One that is refused does not count, so that waiting helps."""
        rate = self._rates[kind]
        who = f"key {key}" if key else f"address {_group(address)}"
        allowed = self._window.hit(rate, kind, who)
        reset, remaining = self._window.get_window_stats(rate, kind, who)
        wait = max(1, math.ceil(reset - time.time()))
        headers = {
            "RateLimit-Policy": f'"{kind}";q={rate.amount};w={rate.get_expiry()}',
            "RateLimit": f'"{kind}";r={max(0, remaining)};t={wait}',
        }
        return Verdict(allowed, self._names[kind], wait, headers if allowed else {**headers, "Retry-After": str(wait)})


def _group(address: str) -> str:
    """The addresses that count as one."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return address if known.version == 4 else str(ip_network((known, 64), strict=False))
