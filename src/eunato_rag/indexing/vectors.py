"""Dense search: the only import of faiss. Cosine of unit vectors, higher is better.

Up to some ten thousand vectors all are compared: that takes a millisecond or two and misses nothing. Above, vectors lie in
lists by their nearest centre, in 8 bits a number, and only the lists nearest to a query are read (IVF: Jégou and others,
2011); what is found there is ranked by the exact vectors. How many lists are read is measured when an index is written.
All of it is mapped: read from its files where a search wants it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from eunato_rag.errors import DamagedSnapshot, IndexStoreError
from eunato_rag.indexing.embedding import Vectors

Ranked = list[tuple[int, float]]
"""(position, score) pairs, best first, ties by position."""
Allowed = Sequence[int] | NDArray[np.int64]
"""The positions that may be found, in order."""

EXACT_UP_TO = 20_000
"""Vectors up to which all are compared. Above, lists are quicker by more than the rest of a query's work varies."""
RECALL = 0.99
"""Least mean share of the ten nearest vectors that a search of the lists has to find."""

_MARGIN = 0.004
"""Recall beyond that which is asked for at build: other questions are put later."""
_NEAREST = 10
_LISTS_FOR_ROOT = 4
"""Lists for each unit of the square root of the number of vectors."""
_TRAINED_ON = 64
"""Vectors for each list from which its centre is learnt."""
_AGAIN = 2
"""Times as many as are wanted that are ranked again by their exact vectors."""


class VectorIndex:
    """Vectors by position: row n belongs to the passage with position n of the catalogue."""

    _FLAT, _LISTS = "flat.faiss", "lists.faiss"

    def __init__(self, flat: Any, lists: Any = None) -> None:
        self._flat, self._lists = flat, lists

    @classmethod
    def write(cls, folder: Path, batches: Iterable[Vectors], dimension: int, asked: Vectors | None = None) -> dict[str, Any]:
        """Write the index of vectors that come in batches into a new folder. Memory: 2 KB for each vector of 384 numbers.

        `asked` are vectors of texts such as will be searched for, by which it is found how many lists have to be read for a
        recall of `RECALL`; every vector is compared where there are none. Returns what was built: `lists` in all, `read` for a
        search, and the `recall` at ten that this gave; of lists, none where every vector is compared.

        Raises:
            IndexStoreError: the disk is full or failing.
        """
        folder.mkdir()
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        flat = faiss.IndexFlatIP(dimension)
        for batch in batches:
            flat.add(np.ascontiguousarray(batch))
        lists, built = None, {"lists": 0, "read": 0, "recall": 1.0}
        if flat.ntotal > EXACT_UP_TO and asked is not None and len(asked):
            lists, built = _lists(flat, asked)
        try:
            faiss.write_index(flat, str(folder / cls._FLAT))
            if lists is not None:
                faiss.write_index(lists, str(folder / cls._LISTS))
        except RuntimeError as error:
            raise IndexStoreError(f"{folder.name} cannot be written: {error}. Make room, or mend the disk.") from error
        return built

    @classmethod
    def load(cls, folder: Path) -> VectorIndex:
        """Open an index.

        Raises:
            DamagedSnapshot: there is none.
        """
        lists = folder / cls._LISTS
        try:
            return cls(_mapped(folder / cls._FLAT), _mapped(lists) if lists.exists() else None)
        except RuntimeError as error:
            raise DamagedSnapshot(f"{folder.name} is no FAISS index. Run: eunato-rag reindex") from error

    def __len__(self) -> int:
        return int(self._flat.ntotal)

    @property
    def dimension(self) -> int:
        return int(self._flat.d)

    def vectors(self, positions: Allowed) -> Vectors:
        """Shape (len(positions), dimension)."""
        rows: Vectors = self._flat.reconstruct_batch(np.asarray(positions, dtype=np.int64))
        return rows

    def search(self, query: Vectors, k: int, allowed: Allowed | None = None) -> Ranked:
        """The k positions of highest cosine with one unit vector of shape (dimension,); only `allowed` ones if given."""
        k = min(k, len(self) if allowed is None else len(allowed))
        if k == 0:
            return []
        faiss.omp_set_num_threads(1)  # of this thread; several for one search are quicker alone and slower in company
        if self._lists is None or (allowed is not None and len(allowed) <= EXACT_UP_TO):
            selector = None if allowed is None else faiss.IDSelectorBatch(np.asarray(allowed, dtype=np.int64))
            parameters = None if selector is None else faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
            scores, positions = self._flat.search(query.reshape(1, -1), k, params=parameters)
            found = [(int(p), float(s)) for p, s in zip(positions[0], scores[0], strict=True) if p >= 0]
            return sorted(found, key=lambda pair: (-pair[1], pair[0]))
        positions = _search_lists(self._lists, query, _AGAIN * k, allowed)
        scores = self.vectors(positions) @ query
        order = np.lexsort((positions, -scores))[:k]
        return [(int(positions[n]), float(scores[n])) for n in order]


def _mapped(path: Path) -> Any:
    return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)


def _lists(flat: Any, asked: Vectors) -> tuple[Any, dict[str, Any]]:
    """The lists of a flat index's vectors, set to read as many as `asked` needs; and what that is."""
    size, count = int(flat.ntotal), int(_LISTS_FOR_ROOT * flat.ntotal**0.5)
    lists = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(flat.d), flat.d, count, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT, False
    )
    chosen = np.sort(np.random.default_rng(0).choice(size, min(size, _TRAINED_ON * count), replace=False))
    lists.cp.min_points_per_centroid = 1  # it would print a warning
    lists.train(flat.reconstruct_batch(chosen))
    for start in range(0, size, 2**16):
        lists.add(flat.reconstruct_n(start, min(2**16, size - start)))
    _, nearest = flat.search(asked, _NEAREST)
    lists.nprobe, recall = 8, 0.0
    while lists.nprobe < count:
        lists.nprobe = min(2 * lists.nprobe, count)
        recall = float(np.mean([_share(lists, flat, query, exact) for query, exact in zip(asked, nearest, strict=True)]))
        if recall >= RECALL + _MARGIN:
            break
    return lists, {"lists": count, "read": lists.nprobe, "recall": round(recall, 4)}


def _share(lists: Any, flat: Any, query: Vectors, exact: NDArray[np.int64]) -> float:
    """The share of the nearest vectors that a search of the lists finds; one as near as the last of them counts as it."""
    positions = _search_lists(lists, query, _AGAIN * _NEAREST)
    least = float(flat.reconstruct(int(exact[-1])) @ query)
    scores = np.sort(flat.reconstruct_batch(positions) @ query)[::-1][:_NEAREST]
    return float(np.mean(np.append(scores, np.full(_NEAREST - len(scores), -1.0)) >= least - 1e-6))


def _search_lists(lists: Any, query: Vectors, k: int, allowed: Allowed | None = None) -> NDArray[np.int64]:
    parameters = None
    if allowed is not None:
        bits = np.zeros(int(lists.ntotal), dtype=bool)
        bits[np.asarray(allowed, dtype=np.int64)] = True
        selector = faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))  # type: ignore[call-arg, arg-type]  # its wrapper takes an array
        parameters = faiss.SearchParametersIVF(sel=selector, nprobe=lists.nprobe)  # type: ignore[call-arg]
    _, positions = lists.search(query.reshape(1, -1), k, params=parameters)
    found: NDArray[np.int64] = positions[0][positions[0] >= 0]
    return found
