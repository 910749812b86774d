"""The engine that requests use: that of the snapshot that CURRENT names."""

from __future__ import annotations

import time
from pathlib import Path

import structlog

from eunato_rag.engine import Engine, Writer
from eunato_rag.errors import IndexStoreError, NotFound
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.reranking import Reranker

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


def since(began: float) -> float:
    """Milliseconds since a reading of `time.perf_counter`."""
    return round((time.perf_counter() - began) * 1000, 1)
