"""Deep links: to the service's own page of a document, and to the place in the public original.

In a PDF the place is a page (`#page=6`, RFC 8118); in a web page it is a text fragment (`#:~:text=…`), chosen in
`text_fragments`. Left out: whether the original still stands at its address, and whether it still says the same.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

from eunato_rag.citing.text_fragments import text_directive
from eunato_rag.records import Document

PDF_FRAGMENTS = "http://tools.ietf.org/rfc/rfc3778"
"""How the Web Annotation model names the fragments of a PDF; RFC 8118 took the place of RFC 3778 and kept them."""
TEXT_FRAGMENTS = "https://wicg.github.io/scroll-to-text-fragment/"
_PRIVATE = (".localhost", ".local", ".internal", ".lan", ".home", ".test", ".invalid")
_WEB_PAGES = {".htm", ".html", ".xhtml", ".php", ".asp", ".aspx", ".jsp", ".shtml"}


def reader_url(document_id: str, start: int, end: int) -> str:
    """The service's own page of a document, opened at a range of its canonical text."""
    return f"/documents/{quote(document_id, safe='')}?start={start}&end={end}"


def original_url(document: Document, start: int, end: int) -> str | None:
    """The public original, opened at the place; None where the record names none that a stranger could open.

    The address itself, without a place, where none can be told: a PDF of unknown pages, or words that stand in the
    document more than once with the same words around them. A fragment of the address stays where a place can stand beside it.
    """
    address = public_address(document)
    if address is None:
        return None
    fragment = place_fragment(document, start, end)
    if fragment is None:
        return address
    bare, _, given = address.partition("#")
    given = given.partition(":~:")[0]
    if fragment.startswith(":~:"):
        return f"{bare}#{given}{fragment}"
    kept = [part for part in given.split("&") if re.match(r"(?!page=)\w+=", part)]
    return f"{bare}#{'&'.join([fragment, *kept])}"


def place_fragment(document: Document, start: int, end: int) -> str | None:
    """`page=6` for an original that is a PDF, `:~:text=…` for one that is a web page; None where the place cannot be told."""
    if _is_pdf(document):
        page = document.locate(start, end).page
        return f"page={page.number}" if page else None
    return text_directive(document, start, end)


def public_address(document: Document) -> str | None:
    """The record's URL where it is http(s) on a host that the public can reach; with what no address holds percent-encoded."""
    given = document.work.get("URL")
    if not isinstance(given, str) or re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", given.strip()):
        return None
    address = quote(given.strip(), safe="%/:?#[]@!$&'()*+,;=~-._")
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or parts.username is not None or not _is_public(host.rstrip(".")):
        return None
    return address


def _is_public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(_PRIVATE) and not re.fullmatch(r"[\d.]+", host)


def _is_pdf(document: Document) -> bool:
    """Whether the original is a PDF: its address says so, else the file that was read, which has pages only as a PDF."""
    suffix = PurePosixPath(urlsplit(str(document.work.get("URL") or "")).path.rstrip("/")).suffix.casefold()
    if suffix == ".pdf" or suffix in _WEB_PAGES:
        return suffix == ".pdf"
    return bool(document.pages) or document.source.casefold().endswith(".pdf")
