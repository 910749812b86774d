"""That the files of a folder are as they were written: compared by SHA-256, large ones once as long as nobody touched them.

To read gigabytes again at each start would be most of a start. What was compared once is remembered by the size, time of
change and number of each file, as make and git do; a file that any program wrote to is compared again. Left out: a disk
that gives back other bytes than were written and says nothing; `snapshots verify` always reads everything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from eunato_rag.digests import sha256_of
from eunato_rag.errors import DamagedSnapshot

SMALL = 2**28
"""Bytes of a folder that is read again each time: a fraction of a second."""


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of a folder, by its path there with `/`."""
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def compare(folder: Path, files: Mapping[str, str]) -> None:
    """Compare each file with its SHA-256.

    Raises:
        DamagedSnapshot: a file is missing or changed.
    """
    for name, digest in files.items():
        path = folder / name
        if not path.is_file():
            raise DamagedSnapshot(f"Snapshot {folder.name}: {name} is missing. Run: eunato-rag reindex")
        if sha256_of(path) != digest:
            raise DamagedSnapshot(f"Snapshot {folder.name}: {name} is not as it was written (checksum). Run: eunato-rag reindex")


def compare_once(folder: Path, files: Mapping[str, str], remembered: Path) -> None:
    """As `compare`; but a large folder whose files nobody touched since is taken as `remembered`, a file, says.

    Raises:
        DamagedSnapshot: see `compare`.
    """
    seen = _seen(folder, files)
    if seen is not None:
        with suppress(OSError):
            if remembered.read_text("ascii", errors="replace") == seen:
                return
    compare(folder, files)
    remember(folder, files, remembered)


def remember(folder: Path, files: Mapping[str, str], remembered: Path) -> None:
    """Set down that the files of a large folder are as they were written."""
    seen = _seen(folder, files)
    if seen is not None:
        with suppress(OSError):  # an index that may only be read is compared each time
            remembered.parent.mkdir(parents=True, exist_ok=True)
            remembered.write_text(seen, "ascii")


def _seen(folder: Path, files: Mapping[str, str]) -> str | None:
    """A digest of size, time of change and number of each file; None of a small folder, or where one is missing."""
    found = []
    with suppress(OSError):
        for name, digest in files.items():
            status = (folder / name).stat()
            found.append((name, digest, status.st_size, status.st_mtime_ns, status.st_ino))
    if len(found) < len(files) or sum(row[2] for row in found) <= SMALL:
        return None
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()
