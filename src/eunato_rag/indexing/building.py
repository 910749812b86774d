"""Write a snapshot aside, search it, flush it to disk, publish it by a rename.

Everything is gone through document by document and row by row, so that memory grows by the texts, a kilobyte or two for a
passage and its vector, and not by the tokens. Left out: what is in a snapshot's manifest, and how one is opened (snapshot).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eunato_rag.errors import DamagedSnapshot, IncompatibleIndex, NotFound
from eunato_rag.indexing import checksums
from eunato_rag.indexing.cache import Encoding
from eunato_rag.indexing.catalogue import Catalogue, write_catalogue
from eunato_rag.indexing.concordance import SCHEME as CONCORDANCE_SCHEME
from eunato_rag.indexing.concordance import Concordance
from eunato_rag.indexing.embedding import Vectors
from eunato_rag.indexing.entries import Entry
from eunato_rag.indexing.interaction import SCHEME, TokenCodes, TokenIndex
from eunato_rag.indexing.keywords import ANALYSER, KeywordIndex
from eunato_rag.indexing.probing import probe
from eunato_rag.indexing.snapshot import (
    ACRONYMS,
    BUILDING,
    CATALOGUE,
    CONCORDANCE,
    FORMAT,
    KEYWORDS,
    SNAPSHOTS,
    TOKENS,
    VECTORS,
    Manifest,
    Snapshot,
    flush_folder,
    read_manifest,
    remembered,
    set_current,
    write_manifest,
)
from eunato_rag.indexing.vectors import VectorIndex
from eunato_rag.records import Work

if TYPE_CHECKING:
    from eunato_rag.indexing.milvus import Milvus

_ROWS = 4096
"""Vectors that are put into the index at a time."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a snapshot.

    `encodings` gives the vector and tokens of texts, in order. `asked` are vectors of texts such as will be searched for.
    """

    entries: Sequence[Entry]
    works: Sequence[Work]
    encodings: Callable[[Iterable[str]], Iterator[Encoding]]
    asked: Vectors | None
    acronyms: Mapping[str, str]
    embedder: Mapping[str, Any]
    chunking: Mapping[str, Any]
    abstention: Mapping[str, float]

    @property
    def passage_count(self) -> int:
        return sum(len(entry.passages) for entry in self.entries)

    def texts(self) -> Iterator[str]:
        """What is embedded and indexed for each passage, in order."""
        return (text for entry in self.entries for text in entry.texts())


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
        aside = Path(tempfile.mkdtemp(prefix=BUILDING, dir=folder.parent))
        try:
            manifest = _write(aside, identity, contents)
            _check(aside, manifest, contents)
            _flush(aside)
            os.replace(aside, folder)
            flush_folder(folder.parent)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        checksums.remember(folder, manifest.files, remembered(index, identity))
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
        milvus.publish(identity, catalogue, VectorIndex.load(folder / VECTORS), KeywordIndex.read(folder / KEYWORDS))
    finally:
        catalogue.close()


def _identity(contents: Contents) -> str:
    made_by = {
        "format": FORMAT,
        "embedder": contents.embedder["digest"],
        "analyser": ANALYSER,
        "tokens": SCHEME,
        "concordance": CONCORDANCE_SCHEME,
        "chunking": contents.chunking,
        "abstention": contents.abstention,
        "acronyms": contents.acronyms,
        "works": [asdict(work) for work in contents.works],
    }
    total = hashlib.sha256(json.dumps(made_by, sort_keys=True, default=str).encode())
    for entry in contents.entries:
        total.update(f"\n{entry.digest}".encode())
        total.update("".join(f"\n{row.id} {row.key}" for row in entry.passages).encode())
    return total.hexdigest()[:12]


def _write(folder: Path, identity: str, contents: Contents) -> Manifest:
    write_catalogue(folder / CATALOGUE, contents.entries, contents.works)
    vectors: list[Vectors] = []
    contexts = (len(row.context) for entry in contents.entries for row in entry.passages)
    tokens = _without_vectors(contents.encodings(contents.texts()), vectors)
    dimension = int(contents.embedder["dimension"])
    TokenIndex.write(folder / TOKENS, tokens, contexts, dimension)
    dense = VectorIndex.write(folder / VECTORS, _taken(vectors), dimension, contents.asked)
    KeywordIndex.write(folder / KEYWORDS, contents.texts())
    Concordance.write(folder / CONCORDANCE, (entry.text for entry in contents.entries))
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
        dense=dense,
        counts={"documents": len(contents.entries), "passages": contents.passage_count, "works": len(contents.works)},
        files=checksums.digests(folder),
    )
    write_manifest(folder, manifest)
    return manifest


def _without_vectors(encodings: Iterable[Encoding], vectors: list[Vectors]) -> Iterator[TokenCodes]:
    """The tokens of encodings; their vectors are put into a list, some thousand to a row of arrays."""
    some: list[Vectors] = []
    for vector, tokens in encodings:
        some.append(vector)
        if len(some) == _ROWS:
            vectors.append(np.stack(some))
            some.clear()
        yield tokens
    if some:
        vectors.append(np.stack(some))


def _taken(batches: list[Vectors]) -> Iterator[Vectors]:
    """The batches, each gone from the list once it was given: so that they do not lie in memory twice."""
    batches.reverse()
    while batches:
        yield batches.pop()


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


def _check(folder: Path, manifest: Manifest, contents: Contents) -> None:
    snapshot = Snapshot(folder, manifest)
    try:
        probe(snapshot, contents)
    finally:
        snapshot.close()


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        else:
            flush_folder(path)
    flush_folder(folder)
