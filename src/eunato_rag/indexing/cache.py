"""Vectors cached by content: (model digest, text digest) -> vector and token codes, in one SQLite file beside the snapshots.

So a rebuild embeds only what changed, and an interrupted one goes on from the vectors that it had. Each row has a checksum,
for what comes from here goes into snapshots: one that changed is embedded again.
Left out: which passages there are; that is a snapshot's business.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from eunato_rag.errors import IndexStoreError
from eunato_rag.indexing.embedding import Embedder, Vectors
from eunato_rag.indexing.interaction import SCHEME, TokenCodes, compress

_BATCH = 64
_TABLE = "CREATE TABLE IF NOT EXISTS encoded (model TEXT, text BLOB, vector BLOB, tokens BLOB, PRIMARY KEY (model, text)) WITHOUT ROWID"


class VectorCache:
    """Embeds texts through an embedder, each distinct one once."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        try:
            with closing(sqlite3.connect(path)) as db, db:
                db.execute("PRAGMA journal_mode=WAL")
                db.execute(_TABLE)
        except sqlite3.DatabaseError as error:
            raise IndexStoreError(f"The vector cache {path} cannot be used: {error}. Delete it; it will be made anew.") from error

    def encode_document(
        self, embedder: Embedder, texts: Sequence[str], progress: Callable[[int, int], None] = lambda done, total: None
    ) -> tuple[Vectors, list[TokenCodes], int]:
        """The vectors of the texts, shape (len(texts), dimension), their tokens, and how many had to be embedded.

        `progress(done, total)` is called after each batch; what is embedded by then is kept.
        """
        keys = [hashlib.sha256(text.encode()).digest() for text in texts]
        model = f"{embedder.digest} {SCHEME}"
        known: dict[bytes, tuple[Vectors, TokenCodes]] = {}
        with closing(sqlite3.connect(self.path)) as db:
            missing: dict[bytes, str] = {}
            for key, text in zip(keys, texts, strict=True):
                found = db.execute("SELECT vector, tokens FROM encoded WHERE model = ? AND text = ?", (model, key)).fetchone()
                unpacked = _unpack(found[0], found[1], embedder.dimension) if found else None
                if unpacked is None:
                    missing[key] = text
                else:
                    known[key] = unpacked
            order = sorted(missing, key=lambda key: -len(missing[key]))
            progress(0, len(order))
            for start in range(0, len(order), _BATCH):
                batch = order[start : start + _BATCH]
                made = embedder.encode_document_tokens([missing[key] for key in batch])
                known.update((key, (one.vector, compress(one))) for key, one in zip(batch, made, strict=True))
                with db:
                    db.executemany(
                        "INSERT OR REPLACE INTO encoded VALUES (?, ?, ?, ?)",
                        [(model, key, *_pack(*known[key])) for key in batch],
                    )
                progress(start + len(batch), len(order))
        vectors = np.stack([known[key][0] for key in keys]) if keys else np.zeros((0, embedder.dimension), dtype=np.float32)
        return vectors, [known[key][1] for key in keys], len(order)

    def known(self, embedder: Embedder, texts: Sequence[str]) -> set[str]:
        """Those of the texts that need not be embedded."""
        model = f"{embedder.digest} {SCHEME}"
        with closing(sqlite3.connect(self.path)) as db:
            rows = db.execute("SELECT text FROM encoded WHERE model = ?", (model,))
            kept = {key for (key,) in rows}
        return {text for text in texts if hashlib.sha256(text.encode()).digest() in kept}


def _pack(vector: Vectors, tokens: TokenCodes) -> tuple[bytes, bytes]:
    first = vector.astype("<f4").tobytes()
    second = tokens.pieces.astype("<i4").tobytes() + tokens.places.astype("<i4").tobytes() + tokens.codes.tobytes()
    return first, second + _checksum(first, second)


def _checksum(first: bytes, second: bytes) -> bytes:
    return zlib.crc32(second, zlib.crc32(first)).to_bytes(4, "little")


def _unpack(vector: bytes, packed: bytes, dimension: int) -> tuple[Vectors, TokenCodes] | None:
    """What a row holds; None where it is no row of this form, or was changed."""
    tokens, checksum = packed[:-4], packed[-4:]
    width = -(-dimension // 8)
    size, rest = divmod(len(tokens), 8 + width)
    if rest or len(vector) != 4 * dimension or checksum != _checksum(vector, tokens):
        return None
    pieces = np.frombuffer(tokens, dtype="<i4", count=size).astype(np.int32)
    places = np.frombuffer(tokens, dtype="<i4", count=size, offset=4 * size).astype(np.int32)
    codes = np.frombuffer(tokens, dtype=np.uint8, offset=8 * size).reshape(size, width)
    return np.frombuffer(vector, dtype="<f4").astype(np.float32), TokenCodes(codes, pieces, places)
