"""Embedding beside reading: what the cache lacks of an entry's texts is embedded while the next documents are being read.

Left out: who computes the vectors, and where they are kept (cache).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from itertools import islice
from types import TracebackType

from eunato_rag.indexing.cache import Encoding, VectorCache
from eunato_rag.indexing.entries import Entry

_BATCH = 64
"""Texts that are embedded, and then kept, together: what is lost at most where a run is ended, for each batch at work."""


class Ahead:
    """Embeds in the background, each text once. What was embedded stays, even where the work is broken off.

    `encode` makes vectors and tokens, of `at_once` batches at a time.
    """

    def __init__(self, cache: VectorCache, encode: Callable[[Sequence[str]], list[Encoding]], at_once: int) -> None:
        self._cache, self._encode = cache, encode
        self._pool = ThreadPoolExecutor(at_once)
        self._begun: dict[Future[None], int] = {}
        self._failed: Future[None] | None = None
        self._new: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._seen: set[str] = set()
        self.missing: set[str] = set()
        """Keys of what was, or will be, embedded."""

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)

    def add(self, entry: Entry) -> None:
        """Have the texts of an entry embedded that are not known.

        Raises:
            Whatever stopped the embedding of an earlier one.
        """
        if self._failed is not None:
            self._failed.result()
        for row, text in zip(entry.passages, entry.texts(), strict=True):
            if row.key not in self._seen:
                self._seen.add(row.key)
                self._new[row.key] = text
        if len(self._new) >= _BATCH:
            self._look_up()

    def finish(self, progress: Callable[[int, int], None]) -> None:
        """Wait until all is embedded; `progress(done, total)` is called with numbers of texts.

        Raises:
            Whatever stopped it.
        """
        self._look_up()
        if self._texts:
            self._begin()
        done, total = 0, sum(self._begun.values())
        progress(done, total)
        for future in as_completed(self._begun):
            future.result()
            done += self._begun[future]
            progress(done, total)

    def _look_up(self) -> None:
        known = self._cache.known(self._new)
        self._texts.update((key, text) for key, text in self._new.items() if key not in known)
        self.missing.update(self._new.keys() - known)
        self._new.clear()
        while len(self._texts) >= _BATCH:
            self._begin()

    def _begin(self) -> None:
        batch = [self._texts.pop(key) for key in list(islice(self._texts, _BATCH))]
        future = self._pool.submit(self._embed, sorted(batch, key=len, reverse=True))  # the long ones first, so that all end together
        self._begun[future] = len(batch)
        future.add_done_callback(self._ended)

    def _embed(self, batch: Sequence[str]) -> None:
        self._cache.keep(zip(batch, self._encode(batch), strict=True))

    def _ended(self, future: Future[None]) -> None:
        if not future.cancelled() and future.exception() is not None:
            self._failed = future
