"""Snapshots: one whole, immutable index build each; published by a rename, named by CURRENT.

    index/CURRENT                  the id of the served snapshot; below it, those of the ones that were served before
    index/snapshots/<id>/          manifest.json, catalogue.sqlite, vectors/, keywords/, tokens/, concordance/, acronyms.json
    index/models/, index/cache/    exported models; vectors by content, documents by file, checksums that were compared

A snapshot's id is a digest of what it was made from and by, so the same corpus and settings give the same id. Its files are
mapped, so that opening it reads little, and processes that have it open share what they read.
Left out: how one is written (building), what goes into it (reindex) and what is asked of it (engine).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from eunato_rag.errors import DamagedSnapshot, IncompatibleIndex, IndexBusy, IndexStoreError, NoIndex, NotFound
from eunato_rag.indexing import checksums
from eunato_rag.indexing.acronyms import Acronyms
from eunato_rag.indexing.catalogue import Catalogue, Filter, Source
from eunato_rag.indexing.concordance import SCHEME as CONCORDANCE_SCHEME
from eunato_rag.indexing.concordance import Concordance
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.interaction import SCHEME, TokenIndex
from eunato_rag.indexing.keywords import ANALYSER, KeywordIndex, Vocabulary
from eunato_rag.indexing.vectors import VectorIndex

if TYPE_CHECKING:
    from eunato_rag.indexing.collection import CollectionKeywords, CollectionVectors
    from eunato_rag.indexing.milvus import Milvus

FORMAT = 4
CURRENT, SNAPSHOTS, LOCK = "CURRENT", "snapshots", ".lock"
MODELS, CACHE, READINGS, VERIFIED = "models", "cache/vectors.sqlite", "cache/documents.sqlite", "cache/verified"
MANIFEST, CATALOGUE, VECTORS, KEYWORDS, TOKENS = "manifest.json", "catalogue.sqlite", "vectors", "keywords", "tokens"
ACRONYMS, CONCORDANCE = "acronyms.json", "concordance"
BUILDING, _NAMING = ".building-", ".CURRENT-"
"""How the names begin of what is not whole yet."""
_REMEMBERED = 50
"""Snapshots that CURRENT names."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot was made from and by, and the SHA-256 of each of its files."""

    id: str
    format: int
    created: str
    embedder: Mapping[str, Any]
    analyser: str
    tokens: str
    concordance: str
    chunking: Mapping[str, Any]
    abstention: Mapping[str, float]
    dense: Mapping[str, Any]
    counts: Mapping[str, int]
    files: Mapping[str, str]


class Snapshot:
    """An opened snapshot; it serves what it holds until it is closed, whatever is published meanwhile.

    Vectors and keywords are searched in its own files, or in Milvus if that is given; these files are not read then.
    """

    def __init__(self, folder: Path, manifest: Manifest, milvus: Milvus | None = None) -> None:
        self.manifest = manifest
        self.catalogue = Catalogue(folder / CATALOGUE)
        self.vectors: VectorIndex | CollectionVectors
        self.keywords: KeywordIndex | CollectionKeywords
        self.allowed: Callable[[Filter], Any] = self.catalogue.allowed
        """What a filter leaves, as the searches of `vectors` and `keywords` take it; None where it leaves all."""
        if milvus is None:
            self.vectors = VectorIndex.load(folder / VECTORS)
            self.keywords = KeywordIndex.read(folder / KEYWORDS)
        else:
            collection = milvus.open(manifest.id, self.catalogue, Vocabulary.read(folder / KEYWORDS))
            self.vectors, self.keywords, self.allowed = collection.vectors, collection.keywords, collection.allowed
        self.tokens = TokenIndex.load(folder / TOKENS)
        self.acronyms = _read_acronyms(folder / ACRONYMS)
        self.concordance = Concordance.load(folder / CONCORDANCE)

    @property
    def id(self) -> str:
        return self.manifest.id

    def close(self) -> None:
        self.catalogue.close()


def describe(embedder: Embedder) -> dict[str, Any]:
    """What a manifest records of an embedder."""
    return {"name": embedder.name, "digest": embedder.digest, "dimension": embedder.dimension, "max_tokens": embedder.max_tokens}


@contextmanager
def writing(index: Path) -> Iterator[None]:
    """The right to write to an index folder, for one process at a time.

    Raises:
        IndexBusy: another process has it.
    """
    index.mkdir(parents=True, exist_ok=True)
    lock = FileLock(index / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise IndexBusy(f"Another process is writing to {index}. Wait for it, then run the command again.") from error
    try:
        _clear(index)
        yield
    finally:
        lock.release()


@contextmanager
def storing(index: Path) -> Iterator[None]:
    """What writes into an index folder; a disk that is full, read-only or failing is an error of ours.

    Raises:
        IndexStoreError: says what the system said. What is served stays as it is.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise IndexStoreError(
            f"The index in {index} cannot be written: {error}. Make room, or mend the disk; what is served stays."
        ) from error


def _clear(index: Path) -> None:
    """Take away what a process that was killed left half written; only for who has the right to write."""
    for path in (index / SNAPSHOTS).glob(f"{BUILDING}*"):
        shutil.rmtree(path, ignore_errors=True)
    for path in index.glob(f"{_NAMING}*"):
        path.unlink(missing_ok=True)


def current_id(index: Path) -> str:
    """The id of the published snapshot.

    Raises:
        NoIndex: nothing was published here.
    """
    return served_ids(index)[0]


def served_ids(index: Path) -> list[str]:
    """The id of the served snapshot, then those of the ones served before it, the last of them first; these may be gone.

    Raises:
        NoIndex: nothing was published here.
    """
    try:
        ids = (index / CURRENT).read_text("utf-8", errors="replace").split()
    except OSError:
        ids = []
    if not ids:
        raise NoIndex(f"There is no index in {index}. Run: eunato-rag reindex")
    return ids


def read_manifest(index: Path, identity: str, *, verify: bool = True) -> Manifest:
    """The manifest of a snapshot, every file of it compared with its checksum.

    Raises:
        NotFound: no such snapshot. DamagedSnapshot: a file is missing or changed. IncompatibleIndex: another format.
    """
    folder = index / SNAPSHOTS / identity
    if not folder.is_dir():
        raise NotFound(f"There is no snapshot {identity} in {index}. Run: eunato-rag reindex")
    try:
        table = json.loads((folder / MANIFEST).read_text("utf-8"))
        if table.get("format") != FORMAT:
            raise IncompatibleIndex(
                f"Snapshot {identity} has format {table.get('format')}, this version reads {FORMAT}. Run: eunato-rag reindex"
            )
        seal = table.pop("seal", None)
        manifest = Manifest(**table)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedSnapshot(f"Snapshot {identity}: {MANIFEST} cannot be read. Run: eunato-rag reindex") from error
    if seal != _seal(manifest):
        raise DamagedSnapshot(f"Snapshot {identity}: {MANIFEST} was changed. Run: eunato-rag reindex")
    if verify:
        checksums.compare(folder, manifest.files)
    return manifest


def sources_of(index: Path, identity: str) -> dict[str, Source]:
    """The documents of a snapshot by source, nothing of them verified.

    Raises:
        NotFound, DamagedSnapshot, IncompatibleIndex: as for `read_manifest`.
    """
    read_manifest(index, identity, verify=False)
    catalogue = Catalogue(index / SNAPSHOTS / identity / CATALOGUE)
    try:
        return {source.source: source for source in catalogue.sources()}
    finally:
        catalogue.close()


def open_snapshot(index: Path, embedder: Embedder, identity: str | None = None, milvus: Milvus | None = None) -> Snapshot:
    """The current snapshot, or the named one, verified and fit for this embedder and analyser; searched in Milvus if given.

    Raises:
        NoIndex, NotFound, DamagedSnapshot, MilvusUnavailable, or IncompatibleIndex where it was built by another model or analyser.
    """
    identity = current_id(index) if identity is None else identity
    manifest = read_manifest(index, identity, verify=False)
    checksums.compare_once(index / SNAPSHOTS / identity, manifest.files, remembered(index, identity))
    built, mine = manifest.embedder, describe(embedder)
    if built["digest"] != mine["digest"]:
        raise IncompatibleIndex(
            f"Snapshot {identity} was built with {built['name']} ({built['dimension']} dimensions, vectors {built['digest'][:8]}) but "
            f"settings name {mine['name']} ({mine['dimension']}, {mine['digest'][:8]}). Run: eunato-rag reindex"
        )
    if manifest.tokens != SCHEME:
        raise IncompatibleIndex(f"Snapshot {identity} keeps tokens as {manifest.tokens}, not {SCHEME}. Run: eunato-rag reindex")
    if manifest.concordance != CONCORDANCE_SCHEME:
        raise IncompatibleIndex(
            f"Snapshot {identity} keeps words as {manifest.concordance}, not {CONCORDANCE_SCHEME}. Run: eunato-rag reindex"
        )
    if manifest.analyser != ANALYSER:
        raise IncompatibleIndex(f"Snapshot {identity} was analysed by {manifest.analyser}, not {ANALYSER}. Run: eunato-rag reindex")
    return Snapshot(index / SNAPSHOTS / identity, manifest, milvus)


def _read_acronyms(path: Path) -> Acronyms:
    try:
        return Acronyms({str(short): str(long) for short, long in json.loads(path.read_text("utf-8")).items()})
    except (OSError, ValueError, AttributeError) as error:
        raise DamagedSnapshot(f"{path.name} holds no acronyms: {error}. Run: eunato-rag reindex") from error


def set_current(index: Path, identity: str, before: Sequence[str] | None = None) -> None:
    """Name a snapshot as the one to be served, by one rename; only for who has the right to write.

    `before` are the ids to be remembered as served before; those remembered now if None.
    """
    if before is None:
        try:
            before = served_ids(index)
        except NoIndex:
            before = []
    ids = [identity, *(before[1:] if before[:1] == [identity] else before)]
    handle, name = tempfile.mkstemp(prefix=_NAMING, dir=index)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.writelines(f"{one}\n" for one in ids[:_REMEMBERED])
        file.flush()
        os.fsync(file.fileno())
    os.replace(name, index / CURRENT)
    flush_folder(index)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a manifest into the folder of its snapshot."""
    table = {**asdict(manifest), "seal": _seal(manifest)}
    (folder / MANIFEST).write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", "utf-8")


def remembered(index: Path, identity: str) -> Path:
    """Where it is set down that a snapshot's files were compared with their checksums."""
    return index / VERIFIED / identity


def _seal(manifest: Manifest) -> str:
    return hashlib.sha256(json.dumps(asdict(manifest), sort_keys=True).encode()).hexdigest()


def flush_folder(folder: Path) -> None:
    """Have the names in a folder written to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
