"""The corpus: documents, their texts and notes, passages, works."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from eunato_rag.serving.http import render, schemas
from eunato_rag.serving.http.served import Served

PAGE_SIZE = 50


def router(served: Served) -> APIRouter:
    routes = APIRouter(tags=["corpus"])

    @routes.get("/v1/documents")
    def documents(cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = PAGE_SIZE) -> schemas.Documents:
        """All documents, page by page; a cursor belongs to the snapshot that gave it."""
        engine = served.engine()
        ids = engine.documents()
        start = _read_cursor(cursor, engine.snapshot.id) if cursor else 0
        shown = [render.document(engine.document(identity)) for identity in ids[start : start + limit]]
        after = _cursor(engine.snapshot.id, start + limit) if start + limit < len(ids) else None
        return schemas.Documents(documents=shown, next_cursor=after, snapshot=engine.snapshot.id)

    @routes.get("/v1/documents/{document_id}")
    def document(document_id: str) -> schemas.FullDocument:
        """One document: its record, outline, blocks, pages, and what reading it changed."""
        engine = served.engine()
        return render.full_document(engine.document(document_id), engine.snapshot.id)

    @routes.get("/v1/documents/{document_id}/text")
    def text(document_id: str, start: Annotated[int, Query(ge=0)] = 0, end: Annotated[int | None, Query(ge=0)] = None) -> schemas.Text:
        """A range of the canonical text, or all of it."""
        engine = served.engine()
        whole = engine.document(document_id).text
        stop = len(whole) if end is None else end
        if not start <= stop <= len(whole):
            raise HTTPException(422, f"The text has {len(whole)} code points; {start} to {stop} is no range of it.")
        return schemas.Text(document_id=document_id, start=start, end=stop, text=whole[start:stop], snapshot=engine.snapshot.id)

    @routes.get("/v1/documents/{document_id}/footnotes")
    def footnotes(document_id: str) -> schemas.Footnotes:
        """The notes: where each stands, what it cites, and how much of that is known."""
        return render.footnotes(served.engine(), document_id)

    @routes.get("/v1/passages/{passage_id}")
    def passage(passage_id: str) -> schemas.PassageView:
        """One passage with its document."""
        engine = served.engine()
        found = engine.passage(passage_id)
        fields = render.passage(engine, found).model_dump()
        return schemas.PassageView(**fields, document=render.document(engine.document(found.document_id)), snapshot=engine.snapshot.id)

    @routes.get("/v1/works")
    def works() -> schemas.Works:
        """Every work of the manifest, and whether it is in the corpus."""
        engine = served.engine()
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
