"""Addresses that a client elsewhere can open: the public original at the place, else the service's own reader.

Left out: how a place becomes a fragment (citing.links).
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request

from eunato_rag.citing.links import original_url, public_address, reader_url
from eunato_rag.records import Document


def place_url(document: Document, start: int, end: int, base: str) -> str:
    """Where a person can read a range of a document: never empty, always absolute; `base` is the service's own address."""
    return original_url(document, start, end) or base + reader_url(document.id, start, end)


def document_url(document: Document, base: str) -> str:
    """Where a person can read a whole document: never empty, always absolute."""
    return public_address(document) or f"{base}/documents/{quote(document.id, safe='')}"


def base_url(request: Request, public_url: str | None) -> str:
    """The service's own address, without a slash at its end: the public one where it is set, else that of the request."""
    return (public_url or str(request.base_url)).rstrip("/")
