"""The write path, all stages in order: files -> documents -> passages -> vectors and keywords -> a published snapshot.

What a run before this one read, cut and embedded is taken from caches. The rest is embedded while other files are still being
read, so that neither waits for the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from eunato_rag.answering.abstention import Abstention
from eunato_rag.digests import sha256_of
from eunato_rag.errors import EmptyCorpus, IndexStoreError, NotFound, UnreadableDocument
from eunato_rag.indexing import building, history, snapshot
from eunato_rag.indexing.acronyms import find_acronyms
from eunato_rag.indexing.ahead import Ahead
from eunato_rag.indexing.cache import VectorCache, encode
from eunato_rag.indexing.catalogue import Catalogue
from eunato_rag.indexing.embedding import Embedder, Vectors
from eunato_rag.indexing.entries import Entry
from eunato_rag.indexing.vectors import EXACT_UP_TO
from eunato_rag.ingestion import sources
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.duplicates import find_duplicates
from eunato_rag.ingestion.fetched import fetched_files
from eunato_rag.ingestion.isolation import Limits
from eunato_rag.ingestion.preparing import Here, Prepared, Recruit, Workforce, prepare, prepared
from eunato_rag.ingestion.readings import Readings
from eunato_rag.records import Change, Document, Work

if TYPE_CHECKING:
    from eunato_rag.indexing.milvus import Milvus

Stage = Literal["read", "embed", "publish"]
"""Read and cut; embed what is left by then; publish."""
_ASKED = 256
"""Sentences, evenly spaced, by which a large index is tuned."""
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
    recruit: Recruit = Here,
    progress: Progress = lambda stage, done, total: None,
) -> Report:
    """Build a snapshot of the corpus and publish it; what is served stays until the new one is whole.

    A file that cannot be read is named in the report, and the others go on; if it could be read once, its last good
    version is kept, marked as stale. With `full` nothing is taken from the caches. With `dry_run` everything
    is read and nothing embedded or written. `keep` snapshots are left, the new one among them. With `milvus` the snapshot is
    searched there, too. `recruit` makes who reads the files and embeds the texts.
    `progress(stage, done, total)` is called as the work goes on.

    Raises:
        CorpusNotFound, ManifestError, EmptyCorpus: nothing could be built; nothing was changed.
        IndexBusy: another process is writing. MilvusUnavailable, ClusterUnavailable: what is served stays.
    """
    began = time.perf_counter()
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(snapshot.writing(index))
            stack.enter_context(snapshot.storing(index))
        manifest = sources.read_manifest(corpus).with_files(fetched_files(corpus))
        before = _served(index)
        making = _Making(corpus, manifest, chunking, embedder, progress)
        workforce = stack.enter_context(closing(recruit(limits, manifest, chunking, embedder)))
        if dry_run:
            found = _find(making, index, before, workforce)
            identity, embedded = None, len(found.keys - (set() if full else _embedded(index, embedder, found.keys)))
        else:
            if full:
                for name in (snapshot.CACHE, snapshot.READINGS):
                    for end in ("", "-wal", "-shm"):  # a run that was killed leaves its journal, which belongs to the file
                        (index / f"{name}{end}").unlink(missing_ok=True)
            readings = stack.enter_context(closing(Readings(index / snapshot.READINGS, manifest, chunking, embedder)))
            cache = VectorCache(index / snapshot.CACHE, embedder)
            ahead = stack.enter_context(Ahead(cache, workforce.encode, workforce.at_once))
            found = _find(making, index, before, workforce, readings, ahead.add)
            ahead.finish(partial(progress, "embed"))
            identity = _publish(found.entries, manifest.works, index, embedder, cache, chunking, progress, abstention, milvus)
            embedded = cache.embedded - len(ahead.missing - found.keys)
            readings.forget_unused()
            history.delete_old(index, keep, milvus)
    entries, stale = found.entries, found.stale
    was = before.digests if before else {}
    now = {entry.source: entry.sha256 for entry in entries}
    passages = sum(len(entry.passages) for entry in entries)
    return Report(
        snapshot=identity,
        documents=len(entries),
        passages=passages,
        embedded=embedded,
        reused=passages - embedded,
        added=tuple(source for source in now if source not in was),
        changed=tuple(source for source in now if source in was and was[source] != now[source]),
        unchanged=tuple(source for source in now if was.get(source) == now[source] and source not in stale),
        removed=tuple(sorted(was.keys() - now.keys() - found.duplicates.keys())),
        failed=tuple(found.failed),
        stale=tuple(sorted(stale & now.keys())),
        duplicates=tuple(sorted(found.duplicates.items())),
        changes=tuple((entry.source, change) for entry in entries for change in entry.changes),
        seconds=time.perf_counter() - began,
    )


@dataclass(frozen=True, slots=True)
class _Making:
    """What entries are made from and by."""

    corpus: Path
    manifest: sources.Manifest
    chunking: Chunking
    embedder: Embedder
    progress: Progress

    def read_all(self, workforce: Workforce, readings: Readings | None, each: Callable[[Entry], None]) -> tuple[list[Entry], list[Failure]]:
        """The entries of the corpus's files, and the files that gave none; `each` is told of an entry as soon as there is one."""
        files: list[tuple[str, Path]] = []
        failed: list[Failure] = []
        for source, path in sources.list_sources(self.corpus):
            if reason := sources.unfit(self.corpus, path):
                failed.append(Failure(source.encode("utf-8", "replace").decode(), reason))
            else:
                files.append((source, path))
        self.progress("read", 0, len(files))
        known = {source: entry for source, path in files if readings and (entry := self._known(source, path, readings))}
        made = workforce.prepared((source, path) for source, path in files if source not in known)
        entries: list[Entry] = []
        taken: set[str] = set()
        for done, (source, path) in enumerate(files, 1):
            outcome = known.get(source) or next(made)
            if isinstance(outcome, UnreadableDocument):
                failed.append(Failure(source, str(outcome)))
            else:
                if isinstance(outcome, Prepared):
                    if readings is not None:
                        readings.keep(source, path, outcome)
                    outcome = outcome.entry
                if outcome.id in taken:  # a second file of one work; the first keeps the work's id
                    outcome = self.cut(replace(outcome.document(), id=sources.document_id(source)))
                taken.add(outcome.id)
                entries.append(outcome)
                each(outcome)
            self.progress("read", done, len(files))
        return entries, failed

    def cut(self, document: Document) -> Entry:
        """The entry of a document that was identified."""
        return prepare(document, self.chunking, self.embedder)

    def _known(self, source: str, path: Path, readings: Readings) -> Entry | None:
        """What a file gave when it was as it is now; None where that is not known."""
        try:
            sha256 = sha256_of(path)
        except OSError:
            return None  # its reader will say why
        entry = readings.cut(source, path, sha256)
        if entry is None and (read := readings.read(path, sha256)) is not None:
            made = prepared(read.document(), source, self.manifest, self.chunking, self.embedder)
            readings.keep(source, path, made)
            entry = made.entry
        return entry


@dataclass(frozen=True, slots=True)
class _Found:
    """What a corpus holds: its entries by source, and the sources that gave none, or not what they hold now."""

    entries: list[Entry]
    failed: list[Failure]
    stale: frozenset[str]
    duplicates: Mapping[str, str]

    @property
    def keys(self) -> set[str]:
        """The keys of all that is to be embedded."""
        return {row.key for entry in self.entries for row in entry.passages}


def _find(
    making: _Making,
    index: Path,
    before: _Served | None,
    workforce: Workforce,
    readings: Readings | None = None,
    each: Callable[[Entry], None] = lambda entry: None,
) -> _Found:
    entries, failed = making.read_all(workforce, readings, each)
    kept = [making.cut(document) for document in _last_good(index, before, failed, {entry.id for entry in entries})]
    if not entries:
        reasons = "".join(f"\n  {failure.source}: {failure.error}" for failure in failed)
        raise EmptyCorpus(f"No document in {making.corpus} could be read; the index was left as it is. Put a text file there.{reasons}")
    for entry in kept:
        each(entry)
    entries = sorted([*entries, *kept], key=lambda entry: entry.source)
    duplicates = find_duplicates(entries, lambda entry: _preference(entry, making.manifest))
    return _Found(
        [entry for entry in entries if entry.source not in duplicates], failed, frozenset(entry.source for entry in kept), duplicates
    )


def _embedded(index: Path, embedder: Embedder, keys: set[str]) -> set[str]:
    """Those of the keys whose texts were embedded before; nothing is made or written."""
    path = index / snapshot.CACHE
    return VectorCache(path, embedder).known(keys) if path.exists() else set()


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
        listed = snapshot.sources_of(index, identity)
    except (IndexStoreError, NotFound):
        return None
    folder = index / snapshot.SNAPSHOTS / identity
    return _Served(folder, {name: s.sha256 for name, s in listed.items()}, {name: s.document_id for name, s in listed.items()})


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
    documents: Iterable[Document],
    works: Sequence[Work],
    index: Path,
    embedder: Embedder,
    chunking: Chunking,
    progress: Progress = lambda stage, done, total: None,
    abstention: Abstention = Abstention(),
) -> tuple[str, int, int]:
    """Publish a snapshot of documents that were read: its id, the number of passages, and how many were embedded now."""
    with snapshot.storing(index):
        cache = VectorCache(index / snapshot.CACHE, embedder)
        entries = []
        with Ahead(cache, partial(encode, embedder), Here.at_once) as ahead:
            for document in documents:
                entries.append(prepare(document, chunking, embedder))
                ahead.add(entries[-1])
            ahead.finish(partial(progress, "embed"))
        identity = _publish(entries, works, index, embedder, cache, chunking, progress, abstention)
    return identity, sum(len(entry.passages) for entry in entries), cache.embedded


def _publish(
    entries: Sequence[Entry],
    works: Sequence[Work],
    index: Path,
    embedder: Embedder,
    cache: VectorCache,
    chunking: Chunking,
    progress: Progress,
    abstention: Abstention,
    milvus: Milvus | None = None,
) -> str:
    progress("publish", 0, 1)
    contents = building.Contents(
        entries,
        works,
        cache.read,
        _asked(entries, embedder),
        find_acronyms(entry.text for entry in entries),
        snapshot.describe(embedder),
        asdict(chunking),
        asdict(abstention),
    )
    identity = building.publish(index, contents, milvus)
    progress("publish", 1, 1)
    return identity


def _asked(entries: Sequence[Entry], embedder: Embedder) -> Vectors | None:
    """Sentences as if they were questions, where there are so many passages that not every vector is compared with a question's."""
    if sum(len(entry.passages) for entry in entries) <= EXACT_UP_TO:
        return None
    chosen = [entries[n] for n in np.linspace(0, len(entries) - 1, min(_ASKED, len(entries))).astype(int)]
    documents = [entry.document() for entry in chosen]
    spans = [document.sentences[len(document.sentences) // 2] for document in documents if document.sentences]
    texts = [document.text[start:end] for document, (start, end) in zip(documents, spans, strict=True)]
    return embedder.encode_query(texts) if texts else None


def _preference(entry: Entry, manifest: sources.Manifest) -> tuple[bool, bool, str]:
    """Of the same document in several files: the one that the manifest names, then one with pages, then by name."""
    return manifest.for_source(entry.source) is None, not entry.paged, entry.source
