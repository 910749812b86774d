"""The snapshots of an index folder: which there are, which is served, which may go.

Left out: how one is built and opened (snapshot).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from eunato_rag.errors import DamagedSnapshot, IncompatibleIndex, IndexStoreError, NoIndex
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.snapshot import SNAPSHOTS, Manifest, current_id, open_snapshot, read_manifest, set_current, writing

KEPT = 5
"""Snapshots that `prune` leaves, the served one among them."""


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
    try:
        served = current_id(index)
    except NoIndex:
        served = ""
    folder = index / SNAPSHOTS
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name.startswith(".") or not path.is_dir():
            continue
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        try:
            found.append(Kept(path.name, path.name == served, size, read_manifest(index, path.name, verify=verify), None))
        except (DamagedSnapshot, IncompatibleIndex) as error:
            found.append(Kept(path.name, path.name == served, size, None, str(error)))
    return sorted(found, key=lambda kept: (kept.manifest.created if kept.manifest else "", kept.id), reverse=True)


def activate(index: Path, identity: str, embedder: Embedder) -> Manifest:
    """Make a snapshot the served one, after all of it was verified. Returns its manifest.

    Raises:
        NotFound, DamagedSnapshot, IncompatibleIndex: it cannot be served; what is served stays.
        IndexBusy: another process is writing.
    """
    with writing(index):
        snapshot = open_snapshot(index, embedder, identity)
        snapshot.close()
        set_current(index, identity)
        return snapshot.manifest


def prune(index: Path, keep: int = KEPT) -> list[str]:
    """Delete all but the served snapshot and the newest others, `keep` in all; returns the ids of those deleted.

    A server that still answers from one of them has its files open and goes on.

    Raises:
        IndexStoreError: `keep` below 1. IndexBusy: another process is writing.
    """
    if keep < 1:
        raise IndexStoreError(f"At least the served snapshot is kept: {keep} is too few.")
    with writing(index):
        kept = list_snapshots(index)
        others = [snapshot for snapshot in kept if not snapshot.current]
        gone = others[max(0, keep - (len(kept) - len(others))) :]
        for snapshot in gone:
            shutil.rmtree(index / SNAPSHOTS / snapshot.id)
        return [snapshot.id for snapshot in gone]
