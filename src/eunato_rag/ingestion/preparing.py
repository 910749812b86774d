"""A file -> an entry of a snapshot: read, identified, cut. Here, in processes beside this one; elsewhere if others do it.

Left out: the passages' vectors, but for who computes them, and what is done with entries (reindex).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from eunato_rag.errors import UnreadableDocument
from eunato_rag.indexing.cache import Encoding, encode
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.entries import Entry
from eunato_rag.ingestion.chunking import Chunking, chunk, embedding_context
from eunato_rag.ingestion.duplicates import sample
from eunato_rag.ingestion.isolation import Limits, Workers
from eunato_rag.ingestion.sources import Manifest, identify
from eunato_rag.records import Document
from eunato_rag.tokens import count_tokens


class Measure(Protocol):
    """The part of an embedder that cutting needs."""

    @property
    def max_tokens(self) -> int: ...
    def count_tokens(self, text: str) -> int: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file's document as it was read, without passages, and as it goes into a snapshot."""

    read: Entry
    entry: Entry


class Workforce(Protocol):
    """Who reads files and embeds texts. `at_once` says how many calls of `encode` keep all of it at work."""

    @property
    def at_once(self) -> int: ...

    def prepared(self, files: Iterable[tuple[str, Path]]) -> Iterator[Prepared | UnreadableDocument]:
        """What came of each file, given with its source, in order."""
        ...

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """The vector and tokens of each text. May be called from several threads."""
        ...

    def close(self) -> None:
        """End what was begun for it."""
        ...


Recruit = Callable[[Limits, Manifest, Chunking, Embedder], Workforce]
"""Makes a workforce."""


def prepare(document: Document, chunking: Chunking, measure: Measure) -> Entry:
    """The entry of a document that was identified."""
    passages = chunk(document, chunking, size=count_tokens, model_size=measure.count_tokens, model_limit=measure.max_tokens)
    contexts = [
        embedding_context(document, passage.locator.start, model_size=measure.count_tokens, model_limit=measure.max_tokens)
        for passage in passages
    ]
    return Entry.of(document, passages, contexts, sample(document.text))


def prepared(document: Document, source: str, manifest: Manifest, chunking: Chunking, measure: Measure) -> Prepared:
    """What comes of a document that was read from a source."""
    return Prepared(Entry.of(document), prepare(identify(document, source, manifest), chunking, measure))


class Here:
    """This machine: files are read by `count` processes, and what is embedded is embedded in this one."""

    at_once = 2
    """One batch is embedded while the other is put away; an embedder uses all cores for either."""

    def __init__(
        self, limits: Limits, manifest: Manifest, chunking: Chunking, embedder: Embedder, *, count: int = os.cpu_count() or 1
    ) -> None:
        self._workers = Workers(limits, count)
        self._manifest, self._chunking, self._embedder = manifest, chunking, embedder

    def prepared(self, files: Iterable[tuple[str, Path]]) -> Iterator[Prepared | UnreadableDocument]:
        """As `Workforce`."""
        sources, paths = [], []
        for source, path in files:
            sources.append(source)
            paths.append(path)
        for source, read in zip(sources, self._workers.read_all(paths), strict=True):
            if isinstance(read, Document):
                yield prepared(read, source, self._manifest, self._chunking, self._embedder)
            else:
                yield read

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """As `Workforce`."""
        return encode(self._embedder, texts)

    def close(self) -> None:
        """As `Workforce`."""
        self._workers.close()
