"""The corpus: documents, their texts and notes, passages, works."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from eunato_rag.engine import Engine
from eunato_rag.errors import InvalidText, NotFound
from eunato_rag.ingestion.page_images import Mark, letters
from eunato_rag.serving.http import render, schemas
from eunato_rag.serving.http.caching import pinned
from eunato_rag.serving.http.originals import Originals
from eunato_rag.serving.http.served import Served

PAGE_SIZE = 50

Start = Annotated[int, Query(ge=0, description="Where the range begins.")]
End = Annotated[int | None, Query(ge=0, description="Where the range ends; where the text ends, if left out.")]

_FILE: dict[int | str, dict[str, Any]] = {200: {"description": "The file", "content": {"application/octet-stream": {}}}}
_PICTURE: dict[int | str, dict[str, Any]] = {200: {"description": "The page", "content": {"image/png": {}}}}


def router(served: Served, originals: Originals) -> APIRouter:
    routes = APIRouter(tags=["corpus"])
    current = pinned(served)

    @routes.get("/v1/documents")
    def documents(
        cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = PAGE_SIZE, engine: Engine = Depends(current)
    ) -> schemas.Documents:
        """All documents, page by page; a cursor belongs to the snapshot that gave it."""
        start = _read_cursor(cursor, engine.snapshot.id) if cursor else 0
        shown = [render.document(document) for document in engine.listed(start, limit)]
        after = _cursor(engine.snapshot.id, start + limit) if start + limit < len(engine.documents()) else None
        return schemas.Documents(documents=shown, next_cursor=after, snapshot=engine.snapshot.id)

    @routes.get("/v1/documents/{document_id}")
    def document(document_id: str, start: Start = 0, end: End = None, engine: Engine = Depends(current)) -> schemas.FullDocument:
        """One document: its record, outline, blocks, pages, and what reading it changed. A range asks for the blocks that touch it."""
        return render.full_document(engine.document(document_id), engine.snapshot.id, start, end)

    @routes.get("/v1/documents/{document_id}/text")
    def text(
        document_id: str,
        start: Start = 0,
        end: End = None,
        engine: Engine = Depends(current),
    ) -> schemas.Text:
        """A range of the canonical text, or all of it; at most 4,194,304 code points at once."""
        try:
            found = engine.text(document_id, start, end)
        except InvalidText as error:
            raise HTTPException(422, str(error)) from error
        return schemas.Text(document_id=document_id, start=start, end=start + len(found), text=found, snapshot=engine.snapshot.id)

    @routes.get("/v1/documents/{document_id}/file", response_class=FileResponse, responses=_FILE)
    def file(document_id: str) -> FileResponse:
        """The original, as it was when it was indexed."""
        path = originals.path(served.engine().document(document_id))
        shown = path.suffix.lower() == ".pdf"  # a page that came from elsewhere never opens as one of ours
        return FileResponse(path, filename=path.name, content_disposition_type="inline" if shown else "attachment")

    @routes.get("/v1/documents/{document_id}/pages/{number}.png", response_class=Response, responses=_PICTURE)
    def page_image(
        document_id: str, number: int, start: Annotated[int | None, Query(ge=0)] = None, end: Annotated[int | None, Query(ge=0)] = None
    ) -> Response:
        """A page of a PDF, by its physical number, drawn; what of the range `start` to `end` stands on it is marked."""
        document = served.engine().document(document_id)
        span = next((span for span in document.pages if span.page.number == number), None)
        path = originals.path(document)
        if span is None or path.suffix.lower() != ".pdf":
            raise NotFound(f"{document_id} has no page {number} that can be drawn.")
        mark = None
        if start is not None and end is not None:
            first, last = max(start, span.start), min(end, span.end)
            mark = Mark(document.text[first:last], len(letters(document.text[span.start : first]))) if first < last else None
        return Response(originals.picture(path, document.sha256, number, mark), media_type="image/png")

    @routes.get("/v1/documents/{document_id}/footnotes")
    def footnotes(document_id: str, start: Start = 0, end: End = None, engine: Engine = Depends(current)) -> schemas.Footnotes:
        """The notes: where each stands, what it cites, and how much of that is known. A range asks for those that stand in it."""
        return render.footnotes(engine, document_id, start, end)

    @routes.get("/v1/passages/{passage_id}")
    def passage(passage_id: str, engine: Engine = Depends(current)) -> schemas.PassageView:
        """One passage with its document."""
        found = engine.passage(passage_id)
        fields = render.passage(engine, found).model_dump()
        return schemas.PassageView(**fields, document=render.document(engine.document(found.document_id)), snapshot=engine.snapshot.id)

    @routes.get("/v1/works")
    def works(engine: Engine = Depends(current)) -> schemas.Works:
        """Every work of the manifest, and whether it is in the corpus."""
        present = set(engine.documents())
        return schemas.Works(works=[render.work(w, w.id in present) for w in engine.works()], snapshot=engine.snapshot.id)

    return routes


def _cursor(snapshot: str, start: int) -> str:
    return urlsafe_b64encode(f"{snapshot}:{start}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str, snapshot: str) -> int:
    try:
        made_in, start = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(":")
        place = int(start)
    except ValueError as error:
        raise HTTPException(422, "The cursor is not one that this service gave.") from error
    if made_in != snapshot:
        raise HTTPException(409, "The cursor belongs to another snapshot. Start again without one.")
    return place
