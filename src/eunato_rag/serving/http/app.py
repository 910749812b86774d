"""The HTTP door: the application, made of its routes, its limits and its errors. Routes parse, call the engine, and render.

Plain functions, run by FastAPI in threads; the engine is synchronous and safe to share.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from eunato_rag.engine import Writer
from eunato_rag.evidence.entailment import Entailment
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.reranking import Reranker
from eunato_rag.serving.http import caching, openapi, problems, security
from eunato_rag.serving.http.access import Doorkeeper
from eunato_rag.serving.http.draining import Drain, Draining
from eunato_rag.serving.http.frame import Frame
from eunato_rag.serving.http.limits import BodyLimit, WorkLimit
from eunato_rag.serving.http.metrics import Metrics
from eunato_rag.serving.http.observed import ObservedEngine
from eunato_rag.serving.http.originals import Originals
from eunato_rag.serving.http.routes import corpus, jobs, openai, page, questions, state, writing
from eunato_rag.serving.http.security import Guard
from eunato_rag.serving.http.served import Served
from eunato_rag.serving.http.serving import Serving
from eunato_rag.serving.jobs.dispatch import Dispatcher
from eunato_rag.serving.jobs.store import JobStore
from eunato_rag.serving.jobs.watch import Watcher
from eunato_rag.serving.mcp import endpoint

if TYPE_CHECKING:
    from eunato_rag.indexing.milvus import Milvus


def create_app(
    index: Path,
    embedder: Embedder,
    writer: Writer | None = None,
    reranker: Reranker | None = None,
    serving: Serving = Serving(),
    entailment: Entailment | None = None,
    draining: Draining | None = None,
    milvus: Milvus | None = None,
) -> FastAPI:
    """The application over an index folder that was built; with a writer, answers are in its words; with Milvus, it searches there.

    Whoever ends the service says so by `draining`.

    Raises:
        NoIndex, DamagedSnapshot, IncompatibleIndex, MilvusUnavailable: the index cannot be served.
    """
    metrics, draining = Metrics(serving.process), draining or Draining()
    make = partial(ObservedEngine, metrics, serving.log_questions, entailment=entailment)
    served = Served(index, embedder, writer, reranker, make, milvus)
    dispatcher = Dispatcher(JobStore(index), serving.corpus) if serving.corpus else None
    metrics.watch(served, dispatcher.store if dispatcher else None)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        watcher = Watcher(dispatcher) if dispatcher is not None and serving.watch else None
        if dispatcher is not None:
            dispatcher.start()
        if watcher is not None:
            watcher.start()
        yield
        if watcher is not None:
            await run_in_threadpool(watcher.close)
        if dispatcher is not None:
            await run_in_threadpool(dispatcher.close)

    app = FastAPI(
        lifespan=lifespan,
        title="eunato-rag",
        version=version("eunato-rag"),
        description="Answers from a paper on EU-NATO cooperation and the works it cites; every sentence cited and verified.",
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    openapi.install(app)
    for kind, options in _middleware(serving, metrics, draining):
        app.add_middleware(kind, **options)
    originals = Originals(serving.corpus)
    served_routes = (questions.router, writing.router)
    for routes in (
        state.router(served, metrics),
        *(router(served) for router in served_routes),
        corpus.router(served, originals),
        openai.router(served, serving.public_url),
        page.router(),
    ):
        app.include_router(routes)
    if dispatcher is not None:
        app.include_router(jobs.router(served, dispatcher, serving.keep, draining))
    app.router.routes.append(Route(endpoint.PATH, endpoint.Endpoint(served, serving.public_url)))
    return app


def _middleware(serving: Serving, metrics: Metrics, draining: Draining) -> Iterator[tuple[Any, dict[str, Any]]]:
    """What a request goes through, innermost first."""
    yield WorkLimit, {"work": serving.work}
    yield BodyLimit, {}
    yield Doorkeeper, {"access": serving.access, "rates": serving.rates}
    yield caching.NotModified, {}
    yield GZipMiddleware, {"compresslevel": 5, "exclude_content_types": caching.UNCOMPRESSED}
    if serving.origins:
        yield CORSMiddleware, {"allow_origins": serving.origins, **security.CROSS_ORIGIN}
    public = urlsplit(serving.public_url or "")
    own = [f"{public.scheme}://{public.netloc}"] if public.netloc else []
    yield Guard, {"hosts": serving.hosts, "origins": frozenset((*serving.origins, *own))}
    yield Drain, {"draining": draining}
    yield Frame, {"metrics": metrics, "clients": serving.log_clients}
