"""Vectors cached by content: (model digest, text digest) -> vector, in one SQLite file beside the snapshots.

So a rebuild embeds only what changed, and an interrupted one goes on from the vectors that it had.
Left out: which passages there are; that is a snapshot's business.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from eunato_rag.errors import IndexStoreError
from eunato_rag.indexing.embedding import Embedder, Vectors

_BATCH = 64


class VectorCache:
    """Embeds texts through an embedder, each distinct one once."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        try:
            with closing(sqlite3.connect(path)) as db, db:
                db.execute("PRAGMA journal_mode=WAL")
                db.execute(
                    "CREATE TABLE IF NOT EXISTS vectors (model TEXT, text BLOB, vector BLOB, PRIMARY KEY (model, text)) WITHOUT ROWID"
                )
        except sqlite3.DatabaseError as error:
            raise IndexStoreError(f"The vector cache {path} cannot be used: {error}. Delete it; it will be made anew.") from error

    def encode_document(
        self, embedder: Embedder, texts: Sequence[str], progress: Callable[[int, int], None] = lambda done, total: None
    ) -> tuple[Vectors, int]:
        """The vectors of the texts, shape (len(texts), dimension), and how many of them had to be embedded.

        `progress(done, total)` is called after each batch; what is embedded by then is kept.
        """
        keys = [hashlib.sha256(text.encode()).digest() for text in texts]
        vectors = np.zeros((len(texts), embedder.dimension), dtype=np.float32)
        with closing(sqlite3.connect(self.path)) as db:
            missing: dict[bytes, str] = {}
            for row, (key, text) in enumerate(zip(keys, texts, strict=True)):
                found = db.execute("SELECT vector FROM vectors WHERE model = ? AND text = ?", (embedder.digest, key)).fetchone()
                if found and len(found[0]) == 4 * embedder.dimension:
                    vectors[row] = np.frombuffer(found[0], dtype="<f4")
                else:
                    missing[key] = text
            order = sorted(missing, key=lambda key: -len(missing[key]))
            fresh: dict[bytes, Vectors] = {}
            progress(0, len(order))
            for start in range(0, len(order), _BATCH):
                batch = order[start : start + _BATCH]
                made = embedder.encode_document([missing[key] for key in batch])
                fresh.update(zip(batch, made, strict=True))
                with db:
                    db.executemany(
                        "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                        [(embedder.digest, key, fresh[key].astype("<f4").tobytes()) for key in batch],
                    )
                progress(start + len(batch), len(order))
        for row, key in enumerate(keys):
            if key in fresh:
                vectors[row] = fresh[key]
        return vectors, len(fresh)
