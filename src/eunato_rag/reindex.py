"""The write path, all stages in order: files -> documents -> passages -> vectors and keywords -> a published snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from eunato_rag.errors import EmptyCorpus, UnreadableDocument
from eunato_rag.indexing import snapshot
from eunato_rag.indexing.cache import VectorCache
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.ingestion import sources
from eunato_rag.ingestion.chunking import Chunking, chunk, embedding_text
from eunato_rag.ingestion.readers import read
from eunato_rag.records import Document, Passage
from eunato_rag.tokens import count_tokens

Stage = Literal["read", "chunk", "embed", "publish"]
Progress = Callable[[Stage, int, int], None]

CACHE = Path("cache") / "vectors.sqlite"
MODELS = Path("models")


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that gave no document, and why."""

    source: str
    error: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did. `embedded` passages were embedded now, `reused` ones came from the cache."""

    snapshot: str
    documents: int
    passages: int
    embedded: int
    reused: int
    failed: tuple[Failure, ...]
    changes: tuple[tuple[str, str], ...]
    seconds: float


def reindex(
    corpus: Path,
    index: Path,
    embedder: Embedder,
    chunking: Chunking,
    *,
    full: bool = False,
    progress: Progress = lambda stage, done, total: None,
) -> Report:
    """Build a snapshot of the corpus and publish it; what is served stays until the new one is whole.

    A file that cannot be read is named in the report, and the others go on. With `full` nothing is taken from the
    cache of vectors. `progress(stage, done, total)` is called as the work goes on.

    Raises:
        CorpusNotFound, ManifestError, EmptyCorpus: nothing could be built; nothing was changed.
        IndexBusy: another process is writing.
    """
    began = time.perf_counter()
    with snapshot.writing(index):
        manifest = sources.read_manifest(corpus)
        documents, failed = _read_all(corpus, manifest, progress)
        if not documents:
            reasons = "".join(f"\n  {failure.source}: {failure.error}" for failure in failed)
            raise EmptyCorpus(f"No document in {corpus} could be read; the index was left as it is. Put a text file there.{reasons}")
        passages = _chunk_all(documents, embedder, chunking, progress)
        titles = {document.id: document.title for document in documents}
        texts = [embedding_text(titles[p.document_id], p.locator.headings, p.text) for p in passages]
        if full:
            (index / CACHE).unlink(missing_ok=True)
        cache = VectorCache(index / CACHE)
        vectors, embedded = cache.encode_document(embedder, texts, lambda done, total: progress("embed", done, total))
        progress("publish", 0, 1)
        contents = snapshot.Contents(documents, passages, manifest.works, vectors, texts, snapshot.describe(embedder), asdict(chunking))
        identity = snapshot.publish(index, contents)
        progress("publish", 1, 1)
    return Report(
        snapshot=identity,
        documents=len(documents),
        passages=len(passages),
        embedded=embedded,
        reused=len(passages) - embedded,
        failed=tuple(failed),
        changes=tuple((d.source, change.detail) for d in documents for change in d.report),
        seconds=time.perf_counter() - began,
    )


def _read_all(corpus: Path, manifest: sources.Manifest, progress: Progress) -> tuple[list[Document], list[Failure]]:
    files = sources.list_sources(corpus)
    documents: list[Document] = []
    failed: list[Failure] = []
    for done, (source, path) in enumerate(files):
        progress("read", done, len(files))
        try:
            documents.append(sources.identify(read(path), source, manifest))
        except UnreadableDocument as error:
            failed.append(Failure(source, str(error)))
    progress("read", len(files), len(files))
    return documents, failed


def _chunk_all(documents: Sequence[Document], embedder: Embedder, chunking: Chunking, progress: Progress) -> list[Passage]:
    passages: list[Passage] = []
    for done, document in enumerate(documents, 1):
        passages += chunk(document, chunking, size=count_tokens, model_size=embedder.count_tokens, model_limit=embedder.max_tokens)
        progress("chunk", done, len(documents))
    return passages
