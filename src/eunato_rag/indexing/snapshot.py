"""Snapshots: one whole, immutable index build each; published by a rename, named by CURRENT.

    index/CURRENT                  the id of the served snapshot; below it, those of the ones that were served before
    index/snapshots/<id>/          manifest.json, catalogue.sqlite, vectors.faiss, keywords/, tokens/, concordance/,
                                   acronyms.json
    index/models/, index/cache/    exported models; vectors by content

A snapshot's id is a digest of what it was made from and by, so the same corpus and settings give the same id.
Left out: what goes into one (reindex) and what is asked of it (engine).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from eunato_rag.errors import DamagedSnapshot, IncompatibleIndex, IndexBusy, IndexStoreError, NoIndex, NotFound
from eunato_rag.indexing.acronyms import Acronyms
from eunato_rag.indexing.catalogue import Catalogue, Filter, write_catalogue
from eunato_rag.indexing.concordance import SCHEME as CONCORDANCE_SCHEME
from eunato_rag.indexing.concordance import Concordance
from eunato_rag.indexing.embedding import Embedder, Vectors
from eunato_rag.indexing.interaction import SCHEME, TokenCodes, TokenIndex
from eunato_rag.indexing.keywords import ANALYSER, KeywordIndex, Vocabulary
from eunato_rag.indexing.probing import probe
from eunato_rag.indexing.vectors import VectorIndex
from eunato_rag.records import Document, Passage, Work

if TYPE_CHECKING:
    from eunato_rag.indexing.collection import CollectionKeywords, CollectionVectors
    from eunato_rag.indexing.milvus import Milvus

FORMAT = 3
CURRENT, SNAPSHOTS, LOCK = "CURRENT", "snapshots", ".lock"
MODELS, CACHE = "models", "cache/vectors.sqlite"
MANIFEST, CATALOGUE, VECTORS, KEYWORDS, TOKENS = "manifest.json", "catalogue.sqlite", "vectors.faiss", "keywords", "tokens"
ACRONYMS, CONCORDANCE = "acronyms.json", "concordance"
_BUILDING, _NAMING = ".building-", ".CURRENT-"
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
    sources: Sequence[Mapping[str, str]]
    counts: Mapping[str, int]
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a snapshot: row n of `vectors`, of `tokens` and of `texts` belongs to passage n.

    A text is what was embedded for its passage, and ends with the passage's own words.
    """

    documents: Sequence[Document]
    passages: Sequence[Passage]
    works: Sequence[Work]
    vectors: Vectors
    tokens: Sequence[TokenCodes]
    texts: Sequence[str]
    acronyms: Mapping[str, str]
    embedder: Mapping[str, Any]
    chunking: Mapping[str, Any]
    abstention: Mapping[str, float]


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
            self.keywords = KeywordIndex.load(folder / KEYWORDS)
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
    for path in (index / SNAPSHOTS).glob(f"{_BUILDING}*"):
        shutil.rmtree(path, ignore_errors=True)
    for path in index.glob(f"{_NAMING}*"):
        path.unlink(missing_ok=True)


def publish(index: Path, contents: Contents, milvus: Milvus | None = None) -> str:
    """Write a snapshot aside, verify it, flush it to disk, and make it the current one. Returns its id.

    The served snapshot stays as it is until the last step, which is one rename. Where a sound snapshot of the same id
    stands already, only CURRENT is set. With Milvus its collection is made and verified before that, and the alias moved after.
    """
    identity = _identity(contents)
    folder = index / SNAPSHOTS / identity
    if folder.exists():
        try:
            read_manifest(index, identity)
        except DamagedSnapshot:
            shutil.rmtree(folder)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=folder.parent))
        try:
            _write(aside, identity, contents)
            _check(aside, contents)
            _flush(aside)
            os.replace(aside, folder)
            _flush_folder(folder.parent)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    if milvus is not None:
        _publish_collection(index, identity, milvus)
    set_current(index, identity)
    if milvus is not None:
        milvus.serve(identity)
    return identity


def _publish_collection(index: Path, identity: str, milvus: Milvus) -> None:
    """Make a collection of a snapshot's own files; what a run that was killed left of others goes."""
    for path in (index / SNAPSHOTS).glob("[0-9a-f]*"):
        with suppress(DamagedSnapshot, IncompatibleIndex, NotFound):
            milvus.drop_half(path.name, read_manifest(index, path.name, verify=False).counts["passages"])
    folder = index / SNAPSHOTS / identity
    catalogue = Catalogue(folder / CATALOGUE)
    try:
        milvus.publish(identity, catalogue, VectorIndex.load(folder / VECTORS), KeywordIndex.load(folder / KEYWORDS))
    finally:
        catalogue.close()


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
    for name, digest in manifest.files.items() if verify else ():
        path = folder / name
        if not path.is_file():
            raise DamagedSnapshot(f"Snapshot {identity}: {name} is missing. Run: eunato-rag reindex")
        if _digest(path) != digest:
            raise DamagedSnapshot(f"Snapshot {identity}: {name} is not as it was written (checksum). Run: eunato-rag reindex")
    return manifest


def open_snapshot(index: Path, embedder: Embedder, identity: str | None = None, milvus: Milvus | None = None) -> Snapshot:
    """The current snapshot, or the named one, verified and fit for this embedder and analyser; searched in Milvus if given.

    Raises:
        NoIndex, NotFound, DamagedSnapshot, MilvusUnavailable, or IncompatibleIndex where it was built by another model or analyser.
    """
    identity = current_id(index) if identity is None else identity
    manifest = read_manifest(index, identity)
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


def _identity(contents: Contents) -> str:
    parts = {
        "format": FORMAT,
        "embedder": contents.embedder["digest"],
        "analyser": ANALYSER,
        "tokens": SCHEME,
        "concordance": CONCORDANCE_SCHEME,
        "chunking": contents.chunking,
        "abstention": contents.abstention,
        "acronyms": contents.acronyms,
        "documents": [[d.id, d.source, d.sha256, d.work, hashlib.sha256(repr(d).encode()).hexdigest()] for d in contents.documents],
        "passages": [p.id for p in contents.passages],
        "texts": [hashlib.sha256(text.encode()).hexdigest() for text in contents.texts],
        "works": [asdict(work) for work in contents.works],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:12]


def _write(folder: Path, identity: str, contents: Contents) -> None:
    write_catalogue(folder / CATALOGUE, contents.documents, contents.passages, contents.works)
    VectorIndex.build(contents.vectors).save(folder / VECTORS)
    KeywordIndex.build(contents.texts).save(folder / KEYWORDS)
    contexts = [len(text) - len(passage.text) for text, passage in zip(contents.texts, contents.passages, strict=True)]
    TokenIndex.write(folder / TOKENS, contents.tokens, contexts)
    Concordance.write(folder / CONCORDANCE, (document.text for document in contents.documents))
    (folder / ACRONYMS).write_text(json.dumps(contents.acronyms, ensure_ascii=False, indent=1), "utf-8")
    manifest = Manifest(
        id=identity,
        format=FORMAT,
        created=_later_than_all(folder.parent).isoformat(timespec="milliseconds"),
        embedder=contents.embedder,
        analyser=ANALYSER,
        tokens=SCHEME,
        concordance=CONCORDANCE_SCHEME,
        chunking=contents.chunking,
        abstention=contents.abstention,
        sources=[{"source": d.source, "document_id": d.id, "sha256": d.sha256} for d in contents.documents],
        counts={"documents": len(contents.documents), "passages": len(contents.passages), "works": len(contents.works)},
        files={path.relative_to(folder).as_posix(): _digest(path) for path in sorted(folder.rglob("*")) if path.is_file()},
    )
    table = {**asdict(manifest), "seal": _seal(manifest)}
    (folder / MANIFEST).write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _later_than_all(snapshots: Path) -> datetime:
    """Now, or just after the newest snapshot that is there where the clock was set back: so that their times tell their order."""
    times = [datetime.now(UTC)]
    for path in snapshots.glob("[0-9a-f]*"):
        try:
            made = read_manifest(snapshots.parent, path.name, verify=False).created
        except (DamagedSnapshot, IncompatibleIndex, NotFound):
            continue
        times.append(datetime.fromisoformat(made) + timedelta(milliseconds=1))
    return max(times)


def _read_acronyms(path: Path) -> Acronyms:
    try:
        return Acronyms({str(short): str(long) for short, long in json.loads(path.read_text("utf-8")).items()})
    except (OSError, ValueError, AttributeError) as error:
        raise DamagedSnapshot(f"{path.name} holds no acronyms: {error}. Run: eunato-rag reindex") from error


def _check(folder: Path, contents: Contents) -> None:
    manifest = Manifest(**{k: v for k, v in json.loads((folder / MANIFEST).read_text("utf-8")).items() if k != "seal"})
    snapshot = Snapshot(folder, manifest)
    try:
        probe(snapshot, contents)
    finally:
        snapshot.close()


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
    _flush_folder(index)


def _seal(manifest: Manifest) -> str:
    return hashlib.sha256(json.dumps(asdict(manifest), sort_keys=True).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        else:
            _flush_folder(path)
    _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
