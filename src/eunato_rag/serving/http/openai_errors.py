"""What OpenAI's clients read of an error: `error` with a message, a type, a parameter and a code, beside the problem's own members.

A problem on their routes is both, RFC 9457 allows more members; what is wrong with a request has status 400 there.
Left out: which problem an error is (problems).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

ROUTES = ("/v1/chat/completions", "/v1/models")

_TYPES: Mapping[int, str] = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def speaks(path: str) -> bool:
    """Whether the clients of a route expect errors in OpenAI's shape."""
    return any(path == route or path.startswith(route + "/") for route in ROUTES)


def status_of(status: int) -> int:
    return 400 if status == 422 else status


def error(status: int, code: str, detail: str, listed: Sequence[Mapping[str, str]] = ()) -> dict[str, str | None]:
    """The member `error`; `listed` are the problem's `errors`, the first of which names the parameter."""
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    parameter = _parameter(listed[0]["pointer"]) if listed else "messages" if code == "invalid_question" else None
    return {"message": detail, "type": kind, "param": parameter, "code": code}


def _parameter(pointer: str) -> str | None:
    """`messages[0].content` for the JSON pointer `/messages/0/content`."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return re.sub(r"^\.", "", "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts)) or None
