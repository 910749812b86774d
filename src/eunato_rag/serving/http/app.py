"""The HTTP door: the application, made of its routes, its limits and its errors. Routes parse, call the engine, and render.

Plain functions, run by FastAPI in threads; the engine is synchronous and safe to share.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path

import structlog
from fastapi import FastAPI, Request, Response

from eunato_rag.engine import Writer
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.reranking import Reranker
from eunato_rag.serving.http import problems
from eunato_rag.serving.http.limits import BodyLimit
from eunato_rag.serving.http.routes import corpus, page, questions, state
from eunato_rag.serving.http.served import Served, since

_SECURITY = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

log = structlog.get_logger("eunato_rag.http")


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
    app.add_middleware(BodyLimit)
    problems.install(app)

    @app.middleware("http")
    async def frame(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.request_id = uuid.uuid4().hex
        began = time.perf_counter()
        response = await call_next(request)
        response.headers["X-Request-ID"] = request.state.request_id
        for name, value in _SECURITY.items():
            response.headers.setdefault(name, value)
        took = since(began)
        log.info("request", id=request.state.request_id, method=request.method, path=request.url.path, status=response.status_code, ms=took)
        return response

    for routes in (state.router(served), questions.router(served), corpus.router(served), page.router()):
        app.include_router(routes)
    return app
