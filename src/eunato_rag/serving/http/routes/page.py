"""The web page: one file, its script and its style."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

PAGE = Path(__file__).parents[2] / "page"

_REVALIDATE = {"Cache-Control": "no-cache"}
"""A browser asks again each time, and is told by ETag that nothing changed; else an upgrade would meet an old script."""


def router() -> APIRouter:
    routes = APIRouter()

    @routes.get("/", include_in_schema=False)
    @routes.get("/documents/{document_id}", include_in_schema=False)
    def page(document_id: str = "") -> FileResponse:
        return FileResponse(PAGE / "index.html", headers=_REVALIDATE)

    @routes.get("/page/{name}", include_in_schema=False)
    def page_file(name: str) -> FileResponse:
        if name not in ("app.js", "style.css"):
            raise HTTPException(404, f"There is no file {name}.")
        return FileResponse(PAGE / name, headers=_REVALIDATE)

    return routes
