"""Who may do what: a caller's key, the scope that a request needs, and what those may do who bring no key.

    open     the page, /livez, /readyz, /openapi.json
    read     everything else that only reads or computes
    admin    jobs, snapshots, documents put in and taken out

A route that nobody thought of needs `read`, one that changes things `admin`. Left out: how keys are kept (serving.keys).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from eunato_rag.serving.http import problems
from eunato_rag.serving.http.rates import Kind, Rates
from eunato_rag.serving.keys import KeyStore
from eunato_rag.serving.keys import Scope as Right

Demand = Literal["auto", "always", "admin", "never"]
"""When a key is asked for. auto: by all as soon as one was made, or where others can reach the service; always: by all;
admin: for administration alone, anybody may read; never: by nobody."""

PAGE = frozenset({"/", "/ask", "/check", "/library"})
_PAGE_BELOW = ("/page/", "/documents/", "/library/")
_OPEN = frozenset({"/livez", "/readyz", "/openapi.json"})
_ADMIN = ("/v1/jobs", "/v1/snapshots")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "POST"})
"""Methods that change nothing here; a POST that does is below a path that is named."""

COSTLY = frozenset({"/v1/ask", "/v1/drafts", "/v1/verify", "/v1/chat/completions", "/mcp"})

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
_ALL: frozenset[Right] = frozenset({"read", "admin"})
_NOTHING: frozenset[Right] = frozenset()


def needed(method: str, path: str) -> Right | None:
    """The scope that a request needs; None where it is open to all."""
    if any(path == start or path.startswith(start + "/") for start in _ADMIN) or method not in _SAFE:
        return "admin"
    if method == "POST" and path.rstrip("/") == "/v1/documents":
        return "admin"
    return None if method != "POST" and (path in _OPEN or is_page(path)) else "read"


def is_page(path: str) -> bool:
    """Whether a path is one of the web page's: its addresses, its style and its scripts."""
    return path in PAGE or path.startswith(_PAGE_BELOW)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the id of their key, "" without one, and what they may do. The owner sits at this machine, and nobody else can ask."""

    key: str
    rights: frozenset[Right]
    owner: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one service. `exposed` says that it can be reached from elsewhere than this machine."""

    keys: KeyStore | None = None
    demand: Demand = "auto"
    exposed: bool = False

    def caller(self, headers: Headers) -> Caller:
        """Who asks. A key that is none is as good as no key: clients of OpenAI's dialect send one even where none is asked for.

        Raises:
            KeyFileError: the keys cannot be read; nobody is let in.
        """
        scheme, _, presented = headers.get("authorization", "").partition(" ")
        key = self.keys.find(presented.strip()) if self.keys and scheme.lower() == "bearer" else None
        return Caller(key.id, key.scopes) if key else self._without(headers)

    def _without(self, headers: Mapping[str, str]) -> Caller:
        match self.demand:
            case "always":
                return Caller("", _NOTHING)
            case "admin":
                return Caller("", frozenset({"read"}))
            case "never":
                return Caller("", _ALL)
        # A proxy on this machine lets others in, whatever address the service listens on.
        elsewhere = self.exposed or any(name in headers for name in _FORWARDED)
        asked_for = elsewhere or (self.keys is not None and bool(self.keys.all()))
        return Caller("", _NOTHING) if asked_for else Caller("", _ALL, owner=True)


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Lets a request in, or answers 401, 403 or 429. Sets `key` in the request's state: the id of the key, or ""."""

    app: ASGIApp
    access: Access = field(default_factory=Access)
    rates: Rates | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (right := needed(scope["method"], scope["path"])) is None:
            await self.app(scope, receive, send)
            return
        request, headers = Request(scope), Headers(scope=scope)
        caller = self.access.caller(headers)
        scope.setdefault("state", {})["key"] = caller.key
        more: Mapping[str, str] = {}
        if self.rates is not None and not (caller.owner and self.rates.owner_is_free):
            verdict = self.rates.count(_kind(right, scope["path"]), caller.key, (scope.get("client") or ("",))[0])
            more = verdict.headers
            if not verdict.allowed:
                detail = f"More than {verdict.rate} were sent. Wait {verdict.wait_s} s, then go on."
                refused = problems.problem(request, 429, "too_many_requests", detail, headers=more)
                await refused(scope, receive, send)
                return
        if right not in caller.rights:
            await self._refusal(request, right, caller, headers)(scope, receive, send)
            return

        async def told(message: Mapping[str, object]) -> None:
            if message["type"] == "http.response.start" and more:
                pairs = [(name.lower().encode(), value.encode()) for name, value in more.items()]
                message = {**message, "headers": [*message.get("headers", ()), *pairs]}  # type: ignore[misc]
            await send(dict(message))

        await self.app(scope, receive, told)

    def _refusal(self, request: Request, right: Right, caller: Caller, headers: Headers) -> ASGIApp:
        """RFC 6750, 3: what is wrong with the key, where one was brought."""
        if caller.key:
            detail = f"This key is not good for that: the scope {right!r} is needed. Make one: eunato-rag keys add NAME --admin"
            challenge = {"WWW-Authenticate": f'Bearer realm="eunato-rag", error="insufficient_scope", scope="{right}"'}
            return problems.problem(request, 403, "insufficient_scope", detail, headers=challenge)
        if "authorization" in headers:
            challenge = {"WWW-Authenticate": 'Bearer realm="eunato-rag", error="invalid_token"'}
            return problems.problem(request, 401, "invalid_key", "This key is unknown or revoked.", headers=challenge)
        challenge = {"WWW-Authenticate": 'Bearer realm="eunato-rag"'}
        detail = "A key is needed. Send it as: Authorization: Bearer … To make one: eunato-rag keys add NAME"
        return problems.problem(request, 401, "key_needed", detail, headers=challenge)


def _kind(right: Right, path: str) -> Kind:
    return "admin" if right == "admin" else "costly" if path in COSTLY else "general"
