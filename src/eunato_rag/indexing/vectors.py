"""Dense search: the only import of faiss. Cosine of unit vectors, higher is better.

Exact search over a flat index: at the sizes of one desk's corpus it answers in a millisecond and misses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from eunato_rag.errors import DamagedSnapshot, IndexStoreError
from eunato_rag.indexing.embedding import Vectors

Ranked = list[tuple[int, float]]
"""(position, score) pairs, best first, ties by position."""


class VectorIndex:
    """Vectors by position: row n belongs to the passage with position n of the catalogue."""

    def __init__(self, index: Any) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: Vectors) -> VectorIndex:
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> VectorIndex:
        try:
            return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC))  # mapped: read where a search needs it
        except RuntimeError as error:
            raise DamagedSnapshot(f"{path.name} is no FAISS index. Run: eunato-rag reindex") from error

    def save(self, path: Path) -> None:
        """Write the index into a file.

        Raises:
            IndexStoreError: the disk is full or failing.
        """
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise IndexStoreError(f"{path.name} cannot be written: {error}. Make room, or mend the disk.") from error

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    def vectors(self, positions: Sequence[int]) -> Vectors:
        """Shape (len(positions), dimension)."""
        rows: Vectors = self._index.reconstruct_batch(np.asarray(positions, dtype=np.int64))
        return rows

    def search(self, query: Vectors, k: int, allowed: Sequence[int] | None = None) -> Ranked:
        """The k positions of highest cosine with one unit vector of shape (dimension,); only `allowed` ones if given."""
        k = min(k, len(self) if allowed is None else len(allowed))
        if k == 0:
            return []
        parameters = None
        if allowed is not None:
            selector = faiss.IDSelectorBatch(np.asarray(allowed, dtype=np.int64))
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # its wrapper takes attributes
        scores, positions = self._index.search(query.reshape(1, -1), k, params=parameters)
        found = [(int(p), float(s)) for p, s in zip(positions[0], scores[0], strict=True) if p >= 0]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))
