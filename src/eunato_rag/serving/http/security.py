"""What a browser is told about responses, and which requests of web pages elsewhere are refused.

The service may be open to whoever sits at the machine, so a page of any site must not reach it through their browser:
not by a name that it makes resolve to 127.0.0.1 (DNS rebinding: the Host is none of ours), nor by sending what needs no
permission of ours (a form, text/plain: the Origin is another, the content is no JSON).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from eunato_rag.serving.http import problems

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_PDF_POLICY = {"Content-Security-Policy": "frame-ancestors 'none'"}
"""A browser's own viewer of PDF brings styles and scripts, which a stricter policy would stop; nothing of ours runs there."""
SECURE_ONLY = {"Strict-Transport-Security": "max-age=31536000"}
"""Told over https alone; over http a browser must not heed it (RFC 6797, 8.1)."""

CROSS_ORIGIN = {
    "allow_methods": ("GET", "HEAD", "POST", "DELETE"),
    "allow_headers": (
        *("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-Request-ID"),
        *("Last-Event-ID", "Mcp-Protocol-Version", "Mcp-Session-Id"),
    ),
    "expose_headers": ("ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate", "X-Request-ID"),
    "allow_credentials": False,  # a key is sent by the page itself; the browser adds nothing
}
"""What pages of the origins that are welcome may send and read."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_FORM_PATHS = frozenset({"/v1/documents"})


def allowed_hosts(bound: str, public_url: str | None, more: Iterable[str] = ()) -> frozenset[str]:
    """The names that a service on loopback is asked for by: loopback's, its own, the public one, and others that are set."""
    public = (urlsplit(public_url).hostname or "") if public_url else ""
    return frozenset(name.casefold().strip("[]") for name in (*LOOPBACK, bound, public, *more) if name)


def headers_for(content_type: str, scheme: str) -> dict[str, str]:
    """The headers of an answer of that type, told over http or https."""
    policy = _PDF_POLICY if content_type.startswith("application/pdf") else {}
    return {**HEADERS, **policy, **(SECURE_ONLY if scheme == "https" else {})}


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches what listens on an address."""
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"


@dataclass(frozen=True, slots=True)
class Guard:
    """Refuses requests for other hosts (421), of other sites' pages (403), and bodies that a form can send (415).

    `hosts` are the names to be asked for by, None for any. `origins` are those whose pages are welcome.
    """

    app: ASGIApp
    hosts: frozenset[str] | None = None
    origins: Collection[str] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._refusal(scope) if scope["type"] == "http" else None
        await (refused or self.app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        request, headers = Request(scope), Headers(scope=scope)
        host = headers.get("host", "")
        if self.hosts is not None and _hostname(host) not in self.hosts:
            detail = f"This service is not known as {host!r}. Where it should be, set EUNATO_SERVING__PUBLIC_URL or EUNATO_SERVING__HOSTS."
            return problems.problem(request, 421, "unknown_host", detail)
        if scope["method"] not in _CHANGING:
            return None
        if not self._is_welcome(headers, host):
            detail = "A page of another site sent this. Where it may, name its origin in EUNATO_SERVING__CORS_ORIGINS."
            return problems.problem(request, 403, "cross_site", detail)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if "transfer-encoding" not in headers and headers.get("content-length", "0") == "0":
            return None
        if kind == "application/json" or (kind == "multipart/form-data" and scope["path"] in _FORM_PATHS):
            return None
        wanted = "multipart/form-data" if scope["path"] in _FORM_PATHS else "application/json"
        return problems.problem(request, 415, "unsupported_content_type", f"The body is taken as {wanted}, not as {kind or 'no type'}.")

    def _is_welcome(self, headers: Headers, host: str) -> bool:
        """Whether what sends this is no web page, or one of ours. A browser names the origin of all that changes something."""
        origin = headers.get("origin")
        if origin in self.origins:
            return True
        if origin is not None:
            return urlsplit(origin).netloc.casefold() == host.casefold() != ""
        return headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def _hostname(host: str) -> str:
    """The name in a Host header, without port and brackets; "" for what is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
