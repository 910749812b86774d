"""What an HTTP answer says of trying again (RFC 9110). Left out: trying; each client has bounds of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


class Again(Exception):
    """This attempt failed, another may not. `wait` is what the server asks for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def http_date(value: str | None) -> float | None:
    """Seconds since 1970 of an HTTP-date (RFC 9110, 5.6.7), or None where it is none."""
    try:
        return parsedate_to_datetime(value or "").timestamp()
    except ValueError:
        return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a server asks to wait (RFC 9110, 10.2.3), or None; a date is read by the server's own clock.

    `headers` are found in small letters.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,3})?", value):  # some servers count in parts of a second
        return float(value)
    then, now = http_date(value), http_date(headers.get("date"))
    if then is None:
        return None
    return max(0.0, then - (datetime.now(UTC).timestamp() if now is None else now))
