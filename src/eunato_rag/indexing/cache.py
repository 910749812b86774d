"""Vectors cached by content: (model digest, text digest) -> vector and token codes, in one SQLite file beside the snapshots.

So a rebuild embeds only what changed, and an interrupted one goes on from the vectors that it had. Each row has a checksum,
for what comes from here goes into snapshots: one that changed is embedded again. Rows are read one after the other, however
many there are. Left out: which passages there are; that is a snapshot's business.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from threading import Lock

import numpy as np

from eunato_rag.errors import IndexStoreError
from eunato_rag.indexing.embedding import Embedder, Vectors
from eunato_rag.indexing.interaction import SCHEME, TokenCodes, compress

_TABLE = """CREATE TABLE IF NOT EXISTS encoded (model TEXT, text BLOB, vector BLOB, tokens BLOB);
CREATE UNIQUE INDEX IF NOT EXISTS encoded_by_text ON encoded (text, model);"""
_PUT = "INSERT OR REPLACE INTO encoded VALUES (?, ?, ?, ?)"
_AT_ONCE = 500
"""Keys that one statement asks for."""
_WAIT_S = 60.0
"""How long one connection waits for another to have written."""

Encoding = tuple[Vectors, TokenCodes]


class VectorCache:
    """The vectors and tokens of texts by one embedder. Safe to share between threads. `embedded` counts what was put in."""

    def __init__(self, path: Path, embedder: Embedder) -> None:
        """Open the file, or make it.

        Raises:
            IndexStoreError: it cannot be used.
        """
        self.path, self._embedder = path, embedder
        self._model = f"{embedder.digest} {SCHEME}"
        self._lock = Lock()
        self.embedded = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(self._connect()) as db, db:
                db.execute("PRAGMA journal_mode=WAL")
                db.executescript(_TABLE)
        except sqlite3.DatabaseError as error:
            raise IndexStoreError(f"The vector cache {path} cannot be used: {error}. Delete it; it will be made anew.") from error

    def known(self, keys: Iterable[str]) -> set[str]:
        """Those keys, SHA-256 of texts in hexadecimal digits, whose texts have a row here."""
        found, remaining = set[str](), iter(keys)
        with closing(self._connect()) as db:
            while some := list(islice(remaining, _AT_ONCE)):
                marks = ",".join("?" * len(some))
                rows = db.execute(
                    f"SELECT text FROM encoded WHERE model = ? AND text IN ({marks})", (self._model, *map(bytes.fromhex, some))
                )
                found.update(key.hex() for (key,) in rows)
        return found

    def embed(self, texts: Sequence[str]) -> None:
        """Embed texts, whether they are known or not, and keep what comes of it."""
        self.keep(zip(texts, encode(self._embedder, texts), strict=True))

    def keep(self, rows: Iterable[tuple[str, Encoding]]) -> None:
        """Keep vectors and tokens that were just made, each with its text."""
        packed = [(self._model, _key(text), *pack(*encoding)) for text, encoding in rows]
        with self._lock, closing(self._connect()) as db, db:
            db.executemany(_PUT, packed)
            self.embedded += len(packed)

    def read(self, texts: Iterable[str]) -> Iterator[Encoding]:
        """The vector and tokens of each text, in order; one that is not there, or was changed, is embedded now."""
        with closing(self._connect()) as db:
            for text in texts:
                row = db.execute("SELECT vector, tokens FROM encoded WHERE text = ? AND model = ?", (_key(text), self._model)).fetchone()
                found = unpack(row[0], row[1], self._embedder.dimension) if row else None
                if found is None:
                    self.embed([text])
                    (found,) = self.read([text])
                yield found

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=_WAIT_S)
        db.execute("PRAGMA synchronous=NORMAL")  # with a log that is whole either way
        return db


def encode(embedder: Embedder, texts: Sequence[str]) -> list[Encoding]:
    """The vector and tokens of each text, as they are kept."""
    return [(encoded.vector, compress(encoded)) for encoded in embedder.encode_document_tokens(texts)]


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def pack(vector: Vectors, tokens: TokenCodes) -> tuple[bytes, bytes]:
    """A vector and tokens as a row of bytes, with a checksum in the second."""
    first = vector.astype("<f4").tobytes()
    second = tokens.pieces.astype("<i4").tobytes() + tokens.places.astype("<i4").tobytes() + tokens.codes.tobytes()
    return first, second + _checksum(first, second)


def _checksum(first: bytes, second: bytes) -> bytes:
    return zlib.crc32(second, zlib.crc32(first)).to_bytes(4, "little")


def unpack(vector: bytes, packed: bytes, dimension: int) -> Encoding | None:
    """What `pack` made a row of; None where it is no row of this form, or was changed."""
    tokens, checksum = packed[:-4], packed[-4:]
    width = -(-dimension // 8)
    size, rest = divmod(len(tokens), 8 + width)
    if rest or len(vector) != 4 * dimension or checksum != _checksum(vector, tokens):
        return None
    pieces = np.frombuffer(tokens, dtype="<i4", count=size).astype(np.int32)
    places = np.frombuffer(tokens, dtype="<i4", count=size, offset=4 * size).astype(np.int32)
    codes = np.frombuffer(tokens, dtype=np.uint8, offset=8 * size).reshape(size, width)
    return np.frombuffer(vector, dtype="<f4").astype(np.float32), TokenCodes(codes, pieces, places)
