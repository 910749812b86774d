"""The HTTP door: routes parse, call one method of the engine, and render. No logic of their own.

Plain functions, run by FastAPI in threads; the engine is synchronous and safe to share.
"""

from __future__ import annotations

import time
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import structlog
from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eunato_rag.engine import Engine, Writer, conclusion
from eunato_rag.errors import IndexStoreError, NotFound
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.reranking import Reranker
from eunato_rag.serving.http import problems, render, schemas, streaming

PAGE = Path(__file__).parents[1] / "page"
MAX_BODY = 256 * 1024
"""Bytes of a request's body; a question needs far less."""
PAGE_SIZE = 50

_SECURITY = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_REVALIDATE = {"Cache-Control": "no-cache"}
"""A browser asks again each time, and is told by ETag that nothing changed; else an upgrade would meet an old script."""

log = structlog.get_logger("eunato_rag.http")


class Served:
    """The engine that requests use: the current snapshot's, changed between two requests when another is published."""

    def __init__(self, index: Path, embedder: Embedder, writer: Writer | None, reranker: Reranker | None) -> None:
        self._index, self._embedder, self._writer, self._reranker = index, embedder, writer, reranker
        self._engine = Engine.open(index, embedder, writer, reranker)

    def engine(self) -> Engine:
        """The engine of the current snapshot; the one at hand where the new one cannot be opened."""
        engine = self._engine
        try:
            if not engine.is_current(self._index):
                engine = self._engine = Engine.open(self._index, self._embedder, self._writer, self._reranker)
                log.info("snapshot opened", snapshot=engine.snapshot.id)
        except (IndexStoreError, NotFound) as error:
            log.error("new snapshot cannot be served; the old one goes on", error=str(error), snapshot=engine.snapshot.id)
        return engine


def create_app(index: Path, embedder: Embedder, writer: Writer | None = None, reranker: Reranker | None = None) -> FastAPI:
    """The application over an index folder that was built; with a writer, answers are in its words.

    Raises:
        NoIndex, DamagedSnapshot, IncompatibleIndex: the index cannot be served.
    """
    served = Served(index, embedder, writer, reranker)
    app = FastAPI(
        title="eunato-rag",
        version=version("eunato-rag"),
        description="Answers from a paper on EU-NATO cooperation and the works it cites; every sentence cited and verified.",
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(BodyLimit, limit=MAX_BODY)
    problems.install(app)

    @app.middleware("http")
    async def frame(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.request_id = uuid.uuid4().hex
        began = time.perf_counter()
        response = await call_next(request)
        response.headers["X-Request-ID"] = request.state.request_id
        for name, value in _SECURITY.items():
            response.headers.setdefault(name, value)
        took = round((time.perf_counter() - began) * 1000, 1)
        log.info("request", id=request.state.request_id, method=request.method, path=request.url.path, status=response.status_code, ms=took)
        return response

    @app.get("/livez", tags=["state"])
    def livez() -> dict[str, str]:
        """The process answers."""
        return {"status": "alive"}

    @app.get("/readyz", tags=["state"])
    def readyz() -> dict[str, str]:
        """The model is loaded, and a verified snapshot is open."""
        return {"status": "ready", "snapshot": served.engine().snapshot.id}

    @app.get("/version", tags=["state"])
    def get_version() -> dict[str, Any]:
        """What runs: the package, the snapshot and the model it was built with."""
        snapshot = served.engine().snapshot
        model = {key: snapshot.manifest.embedder[key] for key in ("name", "digest", "dimension")}
        return {"version": version("eunato-rag"), "snapshot": snapshot.id, "created": snapshot.manifest.created, "embedder": model}

    @app.post("/v1/search", tags=["questions"])
    def search(body: schemas.SearchRequest) -> schemas.Search:
        """The passages for a query, best first."""
        began, engine = time.perf_counter(), served.engine()
        hits = engine.search(body.query, top_k=body.top_k, wanted=body.filter.record())
        return render.search(engine, body.query, hits, _since(began))

    @app.post("/v1/ask", tags=["questions"], response_model=schemas.Answer, responses=streaming.DESCRIBED)
    def ask(body: schemas.AskRequest, request: Request) -> Any:
        """The answer to a question, each sentence cited and verified; or an abstention with the nearest evidence.

        With `Accept: text/event-stream`, as it comes: `search`, `answer.delta`, `citation`, and last `answer` or `error`.
        """
        began, engine = time.perf_counter(), served.engine()
        events = engine.stream(body.question, history=body.turns(), top_k=body.top_k, wanted=body.filter.record())
        told = streaming.logged(events, request.state.request_id)
        if streaming.is_wanted(request.headers.get("accept", "")):
            return streaming.EventStream(request, engine, told, began)
        return render.answer(engine, conclusion(told), _since(began))

    @app.get("/v1/documents", tags=["corpus"])
    def documents(cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = PAGE_SIZE) -> schemas.Documents:
        """All documents, page by page; a cursor belongs to the snapshot that gave it."""
        engine = served.engine()
        ids = engine.documents()
        start = _read_cursor(cursor, engine.snapshot.id) if cursor else 0
        shown = [render.document(engine.document(identity)) for identity in ids[start : start + limit]]
        after = _cursor(engine.snapshot.id, start + limit) if start + limit < len(ids) else None
        return schemas.Documents(documents=shown, next_cursor=after, snapshot=engine.snapshot.id)

    @app.get("/v1/documents/{document_id}", tags=["corpus"])
    def document(document_id: str) -> schemas.FullDocument:
        """One document: its record, outline, blocks, pages, and what reading it changed."""
        engine = served.engine()
        return render.full_document(engine.document(document_id), engine.snapshot.id)

    @app.get("/v1/documents/{document_id}/text", tags=["corpus"])
    def text(document_id: str, start: Annotated[int, Query(ge=0)] = 0, end: Annotated[int | None, Query(ge=0)] = None) -> schemas.Text:
        """A range of the canonical text, or all of it."""
        engine = served.engine()
        whole = engine.document(document_id).text
        stop = len(whole) if end is None else end
        if not start <= stop <= len(whole):
            raise HTTPException(422, f"The text has {len(whole)} code points; {start} to {stop} is no range of it.")
        return schemas.Text(document_id=document_id, start=start, end=stop, text=whole[start:stop], snapshot=engine.snapshot.id)

    @app.get("/v1/documents/{document_id}/footnotes", tags=["corpus"])
    def footnotes(document_id: str) -> schemas.Footnotes:
        """The notes: where each stands, what it cites, and how much of that is known."""
        return render.footnotes(served.engine(), document_id)

    @app.get("/v1/passages/{passage_id}", tags=["corpus"])
    def passage(passage_id: str) -> schemas.PassageView:
        """One passage with its document."""
        engine = served.engine()
        found = engine.passage(passage_id)
        fields = render.passage(engine, found).model_dump()
        return schemas.PassageView(**fields, document=render.document(engine.document(found.document_id)), snapshot=engine.snapshot.id)

    @app.get("/v1/works", tags=["corpus"])
    def works() -> schemas.Works:
        """Every work of the manifest, and whether it is in the corpus."""
        engine = served.engine()
        present = set(engine.documents())
        return schemas.Works(works=[render.work(w, w.id in present) for w in engine.works()], snapshot=engine.snapshot.id)

    @app.get("/", include_in_schema=False)
    @app.get("/documents/{document_id}", include_in_schema=False)
    def page(document_id: str = "") -> FileResponse:
        return FileResponse(PAGE / "index.html", headers=_REVALIDATE)

    @app.get("/page/{name}", include_in_schema=False)
    def page_file(name: str) -> FileResponse:
        if name not in ("app.js", "style.css"):
            raise HTTPException(404, f"There is no file {name}.")
        return FileResponse(PAGE / name, headers=_REVALIDATE)

    return app


class BodyLimit:
    """Refuses a body over the limit, whether announced or only sent; without it one request could fill the memory."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > self.limit:
            await self._refuse(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.limit:
                await self._refuse(scope, receive, send)
                return
        parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return parts.pop() if parts else await receive()

        await self.app(scope, replay, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"The body has more than {self.limit:,} bytes. Ask a shorter question, or send less history."
        response: JSONResponse = problems.problem(Request(scope), 413, "too_large", detail)
        await response(scope, receive, send)


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)


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
