"""The snapshots of an index folder: which there are, which is served, which may go.

Left out: how one is built and opened (snapshot).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eunato_rag.errors import DamagedSnapshot, IncompatibleIndex, IndexStoreError, NoIndex, NotFound
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.snapshot import (
    SNAPSHOTS,
    Manifest,
    open_snapshot,
    read_manifest,
    remembered,
    served_ids,
    set_current,
    writing,
)

if TYPE_CHECKING:
    from eunato_rag.indexing.milvus import Milvus

KEPT = 5
"""Snapshots that are kept, the served one among them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot that lies in the index folder; `manifest` is None, and `fault` says why, where it cannot be used."""

    id: str
    current: bool
    size: int
    manifest: Manifest | None
    fault: str | None


def list_snapshots(index: Path, *, verify: bool = False) -> list[Kept]:
    """The snapshots, newest first, those that cannot be used last; with `verify`, each file is compared with its checksum."""
    served = _served(index)[:1]
    folder = index / SNAPSHOTS
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name.startswith(".") or not path.is_dir():
            continue
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        try:
            found.append(Kept(path.name, path.name in served, size, read_manifest(index, path.name, verify=verify), None))
        except (DamagedSnapshot, IncompatibleIndex) as error:
            found.append(Kept(path.name, path.name in served, size, None, str(error)))
    return sorted(found, key=lambda kept: (kept.manifest.created if kept.manifest else "", kept.id), reverse=True)


def activate(index: Path, identity: str, embedder: Embedder, milvus: Milvus | None = None) -> Manifest:
    """Make a snapshot the served one, after all of it was verified. Returns its manifest.

    Raises:
        NotFound, DamagedSnapshot, IncompatibleIndex: it cannot be served; what is served stays.
        IndexBusy: another process is writing.
    """
    with writing(index):
        manifest = _verified(index, identity, embedder, milvus)
        set_current(index, identity)
        if milvus is not None:
            milvus.serve(identity)
        return manifest


def rollback(index: Path, embedder: Embedder, milvus: Milvus | None = None) -> Manifest:
    """Serve again what was served before, the last of it that is there and sound; once more goes one further back.

    Raises:
        NotFound: there is none. NoIndex, IndexBusy: as for the others.
    """
    with writing(index):
        served = served_ids(index)
        for place, identity in enumerate(served[1:], 1):
            if identity == served[0]:
                continue
            try:
                manifest = _verified(index, identity, embedder, milvus)
            except (NotFound, DamagedSnapshot, IncompatibleIndex):
                continue
            set_current(index, identity, served[place + 1 :])
            if milvus is not None:
                milvus.serve(identity)
            return manifest
    raise NotFound(f"No snapshot that was served before {served[0]} can be served. See: eunato-rag snapshots verify")


def prune(index: Path, keep: int = KEPT, milvus: Milvus | None = None) -> list[str]:
    """Delete all but the served snapshot, those served before it and the newest others, `keep` in all; returns the ids deleted.

    A server that still answers from one of them has its files open and goes on; not so where it searches in Milvus, from
    which their collections are taken as well.

    Raises:
        IndexStoreError: `keep` below 1. IndexBusy: another process is writing. MilvusUnavailable: nothing more was deleted.
    """
    with writing(index):
        return delete_old(index, keep, milvus)


def delete_old(index: Path, keep: int, milvus: Milvus | None = None) -> list[str]:
    """As `prune`, for who has the right to write."""
    if keep < 1:
        raise IndexStoreError(f"At least the served snapshot is kept: {keep} is too few.")
    served = _served(index)
    places = {identity: place for place, identity in reversed(list(enumerate(served)))}
    kept = sorted(list_snapshots(index), key=lambda snapshot: (snapshot.manifest is None, places.get(snapshot.id, len(served))))
    gone = [snapshot.id for snapshot in kept[keep:] if not snapshot.current]
    for identity in gone:
        if milvus is not None:  # before the folder, by which alone it is known
            milvus.drop(identity)
        shutil.rmtree(index / SNAPSHOTS / identity)
        remembered(index, identity).unlink(missing_ok=True)
    return gone


def _served(index: Path) -> list[str]:
    try:
        return served_ids(index)
    except NoIndex:
        return []


def _verified(index: Path, identity: str, embedder: Embedder, milvus: Milvus | None) -> Manifest:
    read_manifest(index, identity)  # every file, whatever was compared before
    snapshot = open_snapshot(index, embedder, identity, milvus)
    snapshot.close()
    return snapshot.manifest
