"""The write path, all stages in order: files -> documents -> passages -> vectors and keywords -> a published snapshot."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from eunato_rag.answering.abstention import Abstention
from eunato_rag.errors import EmptyCorpus
from eunato_rag.indexing import snapshot
from eunato_rag.indexing.acronyms import find_acronyms
from eunato_rag.indexing.cache import VectorCache
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.ingestion import sources
from eunato_rag.ingestion.chunking import Chunking, chunk, embedding_text
from eunato_rag.ingestion.duplicates import find_duplicates
from eunato_rag.ingestion.fetched import fetched_files
from eunato_rag.ingestion.isolation import Limits, Workers
from eunato_rag.records import Document, Passage, Work
from eunato_rag.tokens import count_tokens

Stage = Literal["read", "chunk", "embed", "publish"]
Progress = Callable[[Stage, int, int], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that gave no document, and why."""

    source: str
    error: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did. `embedded` passages were embedded now, `reused` ones came from the cache.

    `duplicates` are the sources left out because another one, named second, is the same document.
    """

    snapshot: str
    documents: int
    passages: int
    embedded: int
    reused: int
    failed: tuple[Failure, ...]
    duplicates: tuple[tuple[str, str], ...]
    changes: tuple[tuple[str, str], ...]
    seconds: float


def reindex(
    corpus: Path,
    index: Path,
    embedder: Embedder,
    chunking: Chunking,
    *,
    abstention: Abstention = Abstention(),
    limits: Limits = Limits(),
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
        manifest = sources.read_manifest(corpus).with_files(fetched_files(corpus))
        documents, failed = _read_all(corpus, manifest, limits, progress)
        if not documents:
            reasons = "".join(f"\n  {failure.source}: {failure.error}" for failure in failed)
            raise EmptyCorpus(f"No document in {corpus} could be read; the index was left as it is. Put a text file there.{reasons}")
        duplicates = find_duplicates(documents, lambda document: _preference(document, manifest))
        documents = [document for document in documents if document.source not in duplicates]
        if full:
            (index / snapshot.CACHE).unlink(missing_ok=True)
        identity, passages, embedded = index_documents(documents, manifest.works, index, embedder, chunking, progress, abstention)
    return Report(
        snapshot=identity,
        documents=len(documents),
        passages=passages,
        embedded=embedded,
        reused=passages - embedded,
        failed=tuple(failed),
        duplicates=tuple(sorted(duplicates.items())),
        changes=tuple((d.source, change.detail) for d in documents for change in d.report),
        seconds=time.perf_counter() - began,
    )


def index_documents(
    documents: Sequence[Document],
    works: Sequence[Work],
    index: Path,
    embedder: Embedder,
    chunking: Chunking,
    progress: Progress = lambda stage, done, total: None,
    abstention: Abstention = Abstention(),
) -> tuple[str, int, int]:
    """Publish a snapshot of documents that were read: its id, the number of passages, and how many were embedded now."""
    passages = _chunk_all(documents, embedder, chunking, progress)
    by_id = {document.id: document for document in documents}
    texts = [
        embedding_text(
            by_id[passage.document_id],
            passage.locator.start,
            passage.locator.end,
            model_size=embedder.count_tokens,
            model_limit=embedder.max_tokens,
        )
        for passage in passages
    ]
    cache = VectorCache(index / snapshot.CACHE)
    vectors, tokens, embedded = cache.encode_document(embedder, texts, lambda done, total: progress("embed", done, total))
    progress("publish", 0, 1)
    contents = snapshot.Contents(
        documents,
        passages,
        works,
        vectors,
        tokens,
        texts,
        find_acronyms(document.text for document in documents),
        snapshot.describe(embedder),
        asdict(chunking),
        asdict(abstention),
    )
    identity = snapshot.publish(index, contents)
    progress("publish", 1, 1)
    return identity, len(passages), embedded


def _read_all(corpus: Path, manifest: sources.Manifest, limits: Limits, progress: Progress) -> tuple[list[Document], list[Failure]]:
    files = sources.list_sources(corpus)
    documents: list[Document] = []
    failed: list[Failure] = []
    taken: set[str] = set()
    progress("read", 0, len(files))
    with Workers(limits, os.cpu_count() or 1) as workers:
        outcomes = workers.read_all([path for _, path in files])
        for done, ((source, _), outcome) in enumerate(zip(files, outcomes, strict=True), 1):
            if isinstance(outcome, Document):
                document = sources.identify(outcome, source, manifest)
                if document.id in taken:  # a second file of one work; the first keeps the work's id
                    document = replace(document, id=sources.document_id(source))
                taken.add(document.id)
                documents.append(document)
            else:
                failed.append(Failure(source, str(outcome)))
            progress("read", done, len(files))
    return documents, failed


def _preference(document: Document, manifest: sources.Manifest) -> tuple[bool, bool, str]:
    """Of the same document in several files: the one that the manifest names, then one with pages, then by name."""
    return manifest.for_source(document.source) is None, not document.pages, document.source


def _chunk_all(documents: Sequence[Document], embedder: Embedder, chunking: Chunking, progress: Progress) -> list[Passage]:
    passages: list[Passage] = []
    for done, document in enumerate(documents, 1):
        passages += chunk(document, chunking, size=count_tokens, model_size=embedder.count_tokens, model_limit=embedder.max_tokens)
        progress("chunk", done, len(documents))
    return passages
