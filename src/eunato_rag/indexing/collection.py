"""Search in a snapshot's collection, as the embedded indexes do it: the same arguments, the same scores.

Vectors and keywords are two requests, since the scores of each are needed: they are fused by weights that follow the query
(retrieval), and a hybrid search would give back one score, fused by Milvus. A passage's keywords are BM25's own numbers,
made by the embedded index, so that an inner product with the query's terms is its BM25; Milvus' analyser knows other terms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from eunato_rag.errors import DamagedSnapshot
from eunato_rag.indexing.conditions import POSITION, Conditions, at
from eunato_rag.indexing.embedding import Vectors
from eunato_rag.indexing.keywords import Vocabulary, analyse
from eunato_rag.indexing.vectors import Ranked

if TYPE_CHECKING:
    from eunato_rag.indexing.catalogue import Filter
    from eunato_rag.indexing.milvus import Milvus

DENSE, TERMS = "dense", "terms"
"""Names of the fields that are searched."""

Allowed = Sequence[int] | str | None
"""Positions, a condition, or all."""


class Collection:
    """An opened collection: its vectors, its keywords, and what a filter allows in it. `parameters` are a vector search's."""

    def __init__(self, milvus: Milvus, name: str, conditions: Conditions, vocabulary: Vocabulary, parameters: Mapping[str, int]) -> None:
        search = _Search(milvus, name)
        self.vectors = CollectionVectors(search, len(vocabulary), parameters)
        self.keywords = CollectionKeywords(search, vocabulary)
        self._conditions = conditions

    def allowed(self, wanted: Filter) -> str | None:
        """What a filter leaves, as the searches here take it; None where it leaves all."""
        return self._conditions.of(wanted)


class _Search:
    def __init__(self, milvus: Milvus, name: str) -> None:
        self._milvus, self._name = milvus, name

    def search(self, field: str, query: Any, k: int, allowed: Allowed, parameters: Mapping[str, int]) -> Ranked:
        if k < 1:
            return []
        (hits,) = self._milvus.call(
            "search",
            collection_name=self._name,
            data=[query],
            anns_field=field,
            limit=k,
            filter=allowed if isinstance(allowed, str) else "" if allowed is None else at(allowed),
            search_params={"metric_type": "IP", "params": dict(parameters)},
            output_fields=[POSITION],
        )
        found = [(int(hit[POSITION]), float(hit["distance"])) for hit in hits]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))

    def vectors(self, positions: Sequence[int]) -> dict[int, Any]:
        rows = self._milvus.call("get", collection_name=self._name, ids=list(positions), output_fields=[POSITION, DENSE])
        if len(rows) < len(set(positions)):
            raise DamagedSnapshot(f"{self._name} in Milvus lacks rows that it had. Run: eunato-rag reindex")
        return {int(row[POSITION]): row[DENSE] for row in rows}


class CollectionVectors:
    """As `VectorIndex`, which see."""

    def __init__(self, search: _Search, size: int, parameters: Mapping[str, int]) -> None:
        self._search, self._size, self._parameters = search, size, parameters

    def __len__(self) -> int:
        return self._size

    def vectors(self, positions: Sequence[int]) -> Vectors:
        """Shape (len(positions), dimension)."""
        rows = self._search.vectors(positions)
        return np.asarray([rows[position] for position in positions], dtype=np.float32)

    def search(self, query: Vectors, k: int, allowed: Allowed = None) -> Ranked:
        """The k positions of highest cosine with one unit vector of shape (dimension,); only `allowed` ones if given."""
        return self._search.search(DENSE, np.asarray(query, dtype=np.float32), min(k, self._size), allowed, self._parameters)


class CollectionKeywords(Vocabulary):
    """As `KeywordIndex`, which see."""

    def __init__(self, search: _Search, vocabulary: Vocabulary) -> None:
        super().__init__(vocabulary.postings)
        self._search = search

    def search(self, query: str, k: int, allowed: Allowed = None) -> Ranked:
        """The k positions of highest BM25 above zero; only `allowed` ones if given."""
        return self.search_terms(analyse(query), k, allowed)

    def search_terms(self, terms: Sequence[str], k: int, allowed: Allowed = None) -> Ranked:
        """The same for terms as `analyse` gives them."""
        query = {number: float(times) for number, times in self.counted(terms).items()}
        if not query:
            return []
        return self._search.search(TERMS, query, min(k, len(self)), allowed, {})
