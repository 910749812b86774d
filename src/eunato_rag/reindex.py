"""The write path, all stages in order: files -> documents -> passages -> vectors and keywords -> a published snapshot."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from eunato_rag.answering.abstention import Abstention
from eunato_rag.errors import EmptyCorpus, IndexStoreError, NotFound
from eunato_rag.indexing import history, snapshot
from eunato_rag.indexing.acronyms import find_acronyms
from eunato_rag.indexing.cache import VectorCache
from eunato_rag.indexing.catalogue import Catalogue
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.ingestion import sources
from eunato_rag.ingestion.chunking import Chunking, chunk, embedding_text
from eunato_rag.ingestion.duplicates import find_duplicates
from eunato_rag.ingestion.fetched import fetched_files
from eunato_rag.ingestion.isolation import Limits, Workers
from eunato_rag.records import Change, Document, Passage, Work
from eunato_rag.tokens import count_tokens

if TYPE_CHECKING:
    from eunato_rag.indexing.milvus import Milvus

Stage = Literal["read", "chunk", "embed", "publish"]
STALE = "stale"
"""The kind of change that marks a document kept in its last good version."""

Progress = Callable[[Stage, int, int], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that gave no document, and why."""

    source: str
    error: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did, or would do. `embedded` passages were embedded now, `reused` ones came from the cache.

    Every source is named: `added`, `changed`, `unchanged` and `removed` ones compared with the snapshot that was served
    before, `failed` ones with the reason, and `stale` are those of the failed ones whose last good version is served on.
    `duplicates` were left out because another source, named second, is the same document. `snapshot` is None where
    nothing was to be published.
    """

    snapshot: str | None
    documents: int
    passages: int
    embedded: int
    reused: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    failed: tuple[Failure, ...]
    stale: tuple[str, ...]
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
    dry_run: bool = False,
    keep: int = history.KEPT,
    milvus: Milvus | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Report:
    """Build a snapshot of the corpus and publish it; what is served stays until the new one is whole.

    A file that cannot be read is named in the report, and the others go on; if it could be read once, its last good
    version is kept, marked as stale. With `full` nothing is taken from the cache of vectors. With `dry_run` everything
    is read and nothing embedded or written. `keep` snapshots are left, the new one among them. With `milvus` the snapshot is
    searched there, too.
    `progress(stage, done, total)` is called as the work goes on.

    Raises:
        CorpusNotFound, ManifestError, EmptyCorpus: nothing could be built; nothing was changed.
        IndexBusy: another process is writing. MilvusUnavailable: what is served stays.
    """
    began = time.perf_counter()
    with nullcontext() if dry_run else snapshot.writing(index):
        manifest = sources.read_manifest(corpus).with_files(fetched_files(corpus))
        documents, failed = _read_all(corpus, manifest, limits, progress)
        before = _served(index)
        stale = _last_good(index, before, failed, {document.id for document in documents})
        if not documents:
            reasons = "".join(f"\n  {failure.source}: {failure.error}" for failure in failed)
            raise EmptyCorpus(f"No document in {corpus} could be read; the index was left as it is. Put a text file there.{reasons}")
        documents = sorted([*documents, *stale], key=lambda document: document.source)
        duplicates = find_duplicates(documents, lambda document: _preference(document, manifest))
        documents = [document for document in documents if document.source not in duplicates]
        if dry_run:
            identity, (passages, embedded) = None, _to_embed(documents, index, embedder, chunking, progress, full=full)
        else:
            if full:
                (index / snapshot.CACHE).unlink(missing_ok=True)
            identity, passages, embedded = index_documents(
                documents, manifest.works, index, embedder, chunking, progress, abstention, milvus
            )
            with snapshot.storing(index):
                history.delete_old(index, keep, milvus)
    was = before.digests if before else {}
    now = {document.source: document.sha256 for document in documents}
    kept = {document.source for document in stale}
    return Report(
        snapshot=identity,
        documents=len(documents),
        passages=passages,
        embedded=embedded,
        reused=passages - embedded,
        added=tuple(source for source in now if source not in was),
        changed=tuple(source for source in now if source in was and was[source] != now[source]),
        unchanged=tuple(source for source in now if was.get(source) == now[source] and source not in kept),
        removed=tuple(sorted(was.keys() - now.keys() - duplicates.keys())),
        failed=tuple(failed),
        stale=tuple(sorted(kept & now.keys())),
        duplicates=tuple(sorted(duplicates.items())),
        changes=tuple((d.source, change.detail) for d in documents for change in d.report),
        seconds=time.perf_counter() - began,
    )


@dataclass(frozen=True, slots=True)
class _Served:
    """The snapshot that was served when a run began: the digest of each source, and the way to its documents."""

    folder: Path
    digests: Mapping[str, str]
    ids: Mapping[str, str]


def _served(index: Path) -> _Served | None:
    """None where nothing was published, or what was cannot be read: then there is nothing to compare with."""
    try:
        identity = snapshot.current_id(index)
        listed = snapshot.read_manifest(index, identity, verify=False).sources
    except (IndexStoreError, NotFound):
        return None
    folder = index / snapshot.SNAPSHOTS / identity
    return _Served(folder, {s["source"]: s["sha256"] for s in listed}, {s["source"]: s["document_id"] for s in listed})


def _last_good(index: Path, before: _Served | None, failed: Sequence[Failure], taken: set[str]) -> list[Document]:
    """The served versions of the sources that failed, marked; those whose id another source has now are left out.

    None of a snapshot that is damaged: its words would go into the new one under a checksum that holds.
    """
    wanted = [failure for failure in failed if before and failure.source in before.ids and before.ids[failure.source] not in taken]
    if before is None or not wanted:
        return []
    try:
        snapshot.read_manifest(index, before.folder.name)
    except (IndexStoreError, NotFound):
        return []
    catalogue = Catalogue(before.folder / snapshot.CATALOGUE)
    try:
        found = []
        for failure in wanted:
            document = catalogue.document(before.ids[failure.source])
            earlier = tuple(change for change in document.report if change.kind != STALE)
            mark = Change(STALE, f"the last version that could be read is kept; the file as it is now cannot: {failure.error}")
            found.append(replace(document, report=(*earlier, mark)))
        return found
    finally:
        catalogue.close()


def index_documents(
    documents: Sequence[Document],
    works: Sequence[Work],
    index: Path,
    embedder: Embedder,
    chunking: Chunking,
    progress: Progress = lambda stage, done, total: None,
    abstention: Abstention = Abstention(),
    milvus: Milvus | None = None,
) -> tuple[str, int, int]:
    """Publish a snapshot of documents that were read: its id, the number of passages, and how many were embedded now."""
    passages, texts = _texts(documents, embedder, chunking, progress)
    with snapshot.storing(index):
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
        identity = snapshot.publish(index, contents, milvus)
        progress("publish", 1, 1)
    return identity, len(passages), embedded


def _to_embed(
    documents: Sequence[Document], index: Path, embedder: Embedder, chunking: Chunking, progress: Progress, *, full: bool
) -> tuple[int, int]:
    """How many passages the documents have, and how many of them would have to be embedded."""
    passages, texts = _texts(documents, embedder, chunking, progress)
    path = index / snapshot.CACHE
    known = set() if full or not path.exists() else VectorCache(path).known(embedder, texts)
    return len(passages), len(set(texts) - known)


def _texts(documents: Sequence[Document], embedder: Embedder, chunking: Chunking, progress: Progress) -> tuple[list[Passage], list[str]]:
    """The passages of the documents, and what is embedded for each."""
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
    return passages, texts


def _read_all(corpus: Path, manifest: sources.Manifest, limits: Limits, progress: Progress) -> tuple[list[Document], list[Failure]]:
    files: list[tuple[str, Path]] = []
    failed: list[Failure] = []
    for source, path in sources.list_sources(corpus):
        if reason := sources.unfit(corpus, path):
            failed.append(Failure(source.encode("utf-8", "replace").decode(), reason))
        else:
            files.append((source, path))
    documents: list[Document] = []
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
