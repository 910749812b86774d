"""The engine that requests use: that of the snapshot that CURRENT names."""

from __future__ import annotations

import re
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import structlog

from eunato_rag.engine import Engine, Writer
from eunato_rag.errors import DamagedSnapshot, IndexStoreError, NoIndex, NotFound
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.history import list_snapshots
from eunato_rag.indexing.reranking import Reranker
from eunato_rag.indexing.snapshot import Snapshot, current_id, open_snapshot, served_ids

if TYPE_CHECKING:
    from eunato_rag.indexing.milvus import Milvus

OLDER = 3
"""Engines of older snapshots that are kept open."""

PATIENCE_S = 2.0
AGAIN_S = 10.0
"""After this time a snapshot that could not be opened is tried again."""

_ID = re.compile(r"[0-9a-f]{12}")

log = structlog.get_logger("eunato_rag.http")


class Served:
    """The engines that requests use: the current snapshot's, changed between two requests, and older ones by id.

    A snapshot is closed when the last request that uses it is through.
    """

    def __init__(
        self,
        index: Path,
        embedder: Embedder,
        writer: Writer | None = None,
        reranker: Reranker | None = None,
        make: Callable[[Snapshot, Embedder, Writer | None, Reranker | None], Engine] = Engine,
        milvus: Milvus | None = None,
    ) -> None:
        self.index, self.embedder, self.milvus = index, embedder, milvus
        self._writer, self._reranker, self._make = writer, reranker, make
        self._lock = Lock()
        self._older: OrderedDict[str, Engine] = OrderedDict()
        self._opener = ThreadPoolExecutor(1, thread_name_prefix="snapshot")
        self._opening: tuple[str, Future[None]] | None = None
        self._again = 0.0
        self.fault: str | None = None
        """Why the snapshot that CURRENT names is not the one that is served; None where it is."""
        self._engine = self._first()

    def engine(self, snapshot: str | None = None) -> Engine:
        """The engine of the current snapshot, the one at hand where the new one cannot be opened; or of the named snapshot.

        Raises:
            NotFound, DamagedSnapshot, IncompatibleIndex: the named snapshot cannot be used.
        """
        engine = self._current()
        if snapshot in (None, engine.snapshot.id):
            return engine
        assert snapshot is not None
        with self._lock:
            if snapshot not in self._older:
                self._older[snapshot] = self._open(snapshot)
            self._older.move_to_end(snapshot)
            while len(self._older) > OLDER:
                self._older.popitem(last=False)
            return self._older[snapshot]

    def _first(self) -> Engine:
        """The engine of the current snapshot; where that is damaged, of the last sound one, and `fault` says so."""
        try:
            return self._open(current_id(self.index))
        except NoIndex:
            raise
        except (DamagedSnapshot, NotFound) as error:
            newest_first = [*served_ids(self.index), *(kept.id for kept in list_snapshots(self.index))]
            for identity in dict.fromkeys(newest_first):
                with suppress(IndexStoreError, NotFound):
                    engine = self._open(identity)
                    self._failed(str(error), engine)
                    return engine
            raise

    def _current(self) -> Engine:
        """Turns to a new snapshot when CURRENT names one; who asks meanwhile waits for it no longer than `PATIENCE_S`."""
        engine = self._engine
        try:
            identity = current_id(self.index)
        except NoIndex as error:
            self._failed(str(error), engine)
            return engine
        if identity == engine.snapshot.id:
            self.fault = None
            return engine
        with self._lock:
            if self._opening is None or self._opening[0] != identity or (self._opening[1].done() and time.monotonic() > self._again):
                self._opening = identity, self._opener.submit(self._turn_to, identity)
            opening = self._opening[1]
        wait([opening], PATIENCE_S)
        return self._engine

    def _turn_to(self, identity: str) -> None:
        try:
            engine = self._open(identity)
        except (IndexStoreError, NotFound) as error:
            self._failed(str(error), self._engine)
            return
        self._engine, self.fault = engine, None
        log.info("snapshot opened", snapshot=identity)

    def _failed(self, why: str, served: Engine) -> None:
        self._again = time.monotonic() + AGAIN_S
        if self.fault != why:
            self.fault = why
            log.error("the current snapshot cannot be served; another one is", error=why, snapshot=served.snapshot.id)

    def _open(self, identity: str) -> Engine:
        if not _ID.fullmatch(identity):
            raise NotFound(f"There is no snapshot {identity!r}. See: GET /v1/snapshots")
        engine = self._make(open_snapshot(self.index, self.embedder, identity, self.milvus), self.embedder, self._writer, self._reranker)
        weakref.finalize(engine, engine.snapshot.close)
        return engine


def since(began: float) -> float:
    """Milliseconds since a reading of `time.perf_counter`."""
    return round((time.perf_counter() - began) * 1000, 1)
