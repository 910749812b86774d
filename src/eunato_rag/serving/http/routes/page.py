"""The web page: one HTML file for every address that a person sees, its style and its scripts.

Style and scripts stand below `/page/{digest}/`, where the digest is that of them all: a browser keeps them for ever, and
a new version has new addresses. The HTML is asked for anew each time and known by its tag. There is no build: the files
are served as they stand in the folder. Left out: compression and 304 (the application's), and what the page does.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

PAGE = Path(__file__).parents[2] / "page"

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_PLACEHOLDER = b"/page/-/"
"""Where the HTML names its files; the digest takes the place of the dash."""
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


def router(folder: Path = PAGE) -> APIRouter:
    """The routes; the files are read once, here."""
    routes = APIRouter(include_in_schema=False)
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in _TYPES}
    digest = _digest(b"".join(name.encode() + body for name, body in files.items()))
    index = files.pop("index.html").replace(_PLACEHOLDER, f"/page/{digest}/".encode())

    @routes.get("/")
    @routes.get("/ask")
    @routes.get("/check")
    @routes.get("/library")
    @routes.get("/library/works")
    @routes.get("/library/index")
    @routes.get("/documents/{document_id}")
    def page() -> Response:
        return _response(index, ".html", _ASK_AGAIN)

    @routes.get("/page/{version}/{name}")
    def page_file(version: str, name: str) -> Response:
        if name not in files:
            raise HTTPException(404, f"There is no file {name}.")
        # A page that was open while the service was upgraded asks for its old files; it gets the new, and does not keep them.
        return _response(files[name], Path(name).suffix, _FOR_EVER if version == digest else _ASK_AGAIN)

    return routes


def _response(body: bytes, suffix: str, cache: str) -> Response:
    return Response(body, headers={"Cache-Control": cache, "ETag": f'"{_digest(body)}"'}, media_type=_TYPES[suffix])


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
