"""What was written is read back and searched before it is published: nothing that cannot be found again is served.

Left out: damage that comes later, which the checksums tell (snapshot).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from eunato_rag.errors import DamagedSnapshot
from eunato_rag.indexing.catalogue import Filter, issued
from eunato_rag.indexing.folding import read_words
from eunato_rag.indexing.keywords import analyse

if TYPE_CHECKING:
    from eunato_rag.indexing.building import Contents
    from eunato_rag.indexing.cache import Encoding
    from eunato_rag.indexing.catalogue import Catalogue
    from eunato_rag.indexing.collection import Collection
    from eunato_rag.indexing.entries import Entry
    from eunato_rag.indexing.keywords import KeywordIndex
    from eunato_rag.indexing.snapshot import Snapshot
    from eunato_rag.indexing.vectors import VectorIndex

_ROUNDING = 1e-4
"""How far a cosine may lie off that is computed in another order."""
_SEARCHED = 256
"""Documents that are searched for, of those of a large corpus: a search reads much of an index, so one for each would take hours."""
_SEARCHED_THERE = 64
"""Passages, evenly spaced, that are searched for in a collection: each is three requests."""
_TERMS = 8
"""Terms of a passage, its rarest, by which it is searched for."""


def probe(snapshot: Snapshot, contents: Contents) -> None:
    """Compare a snapshot with what it was made of: all rows are there, every document and passage is as it was, and passages of
    documents all over it are found by their vector, their words, their tokens and their place.

    Raises:
        DamagedSnapshot: says what differs.
    """
    sizes = (len(snapshot.vectors), len(snapshot.keywords), len(snapshot.tokens), snapshot.catalogue.passage_count)
    if set(sizes) != {contents.passage_count}:
        raise DamagedSnapshot(f"The new snapshot holds {sizes} rows for {contents.passage_count} passages; it was not published.")
    if {snapshot.concordance.document_count, snapshot.catalogue.document_count} != {len(contents.entries)}:
        raise DamagedSnapshot("The new snapshot lacks documents; it was not published.")
    for entry, kept in zip(contents.entries, snapshot.catalogue.entries(), strict=True):
        if kept != entry.kept():
            raise DamagedSnapshot(f"{entry.source} was not read back as written; the snapshot was not published.")
    for number, entry, position, text, encoding in _middles(contents):
        if missed := _missed(snapshot, number, position, text, entry, encoding):
            raise DamagedSnapshot(f"The {missed} of the new snapshot do not lead to {entry.source} again; it was not published.")


def _middles(contents: Contents) -> Iterator[tuple[int, Entry, int, str, Encoding]]:
    """Of documents, evenly spaced: its number, and of the passage in its middle the position, what was embedded for it, and as what."""
    chosen = {len(contents.entries) * n // _SEARCHED for n in range(_SEARCHED)}
    told, texts, first = [], [], 0
    for number, entry in enumerate(contents.entries):
        middle = len(entry.passages) // 2
        if number in chosen and entry.passages:
            told.append((number, entry, first + middle))
            texts.append(next(islice(entry.texts(), middle, None)))
        first += len(entry.passages)
    for (number, entry, position), text, encoding in zip(told, texts, contents.encodings(texts), strict=True):
        yield number, entry, position, text, encoding


def _missed(snapshot: Snapshot, document: int, position: int, text: str, entry: Entry, encoding: Encoding) -> str | None:
    """The first part of a snapshot in which a passage is not found by what it is made of; None where it is in all."""
    vector, tokens = encoding
    if not np.array_equal(snapshot.vectors.vectors([position])[0], vector):
        return "vectors"
    # equal passages tie, so it need not be first of all
    if not any(score >= float(vector @ vector) - _ROUNDING for _, score in snapshot.vectors.search(vector, 1)):
        return "vectors"
    terms = sorted(set(analyse(text)), key=lambda term: (-snapshot.keywords.weight(term), term))[:_TERMS]
    if not all(snapshot.keywords.search_terms([term], 1, [position]) for term in terms):
        return "keywords"
    if not np.array_equal(snapshot.tokens.codes(position), tokens.codes):
        return "tokens"
    row = entry.passages[len(entry.passages) // 2]
    words = read_words(entry.text[row.start : row.end]).forms[1:-1]  # a passage may begin and end within a word
    if words and not len(snapshot.concordance.find(snapshot.concordance.ids(words), [document])):
        return "words"
    return None


def probe_collection(collection: Collection, catalogue: Catalogue, vectors: VectorIndex, keywords: KeywordIndex) -> None:
    """Compare a collection with the snapshot that it was made of: passages, evenly spaced, are found by vector, words and filter.

    Raises:
        DamagedSnapshot: says what differs.
    """
    step = max(1, len(vectors) // _SEARCHED_THERE)
    for position, weights in enumerate(keywords.weights()):
        if position % step:
            continue
        (vector,) = vectors.vectors([position])
        if not np.array_equal(collection.vectors.vectors([position])[0], vector):
            raise DamagedSnapshot(f"The vector of passage {position} is another in Milvus; the snapshot was not published.")
        document = catalogue.passage_at(position).document_id
        work = catalogue.works_of_documents[document]
        date = issued(work)
        own = Filter(document, str(work.get("publisher", "")), date, date, str(work.get("language", "")))
        found = collection.vectors.search(vector, 1, collection.allowed(own))
        if not any(score >= float(vector @ vector) - _ROUNDING for _, score in found):
            raise DamagedSnapshot(f"Passage {position} is not found by its vector in Milvus; the snapshot was not published.")
        rarest = sorted(weights, key=lambda number: -weights[number])[:_TERMS]
        said = collection.keywords.search_terms([keywords.terms[number] for number in rarest], 1, [position])
        if not said or abs(said[0][1] - sum(weights[number] for number in rarest)) > _ROUNDING:
            raise DamagedSnapshot(f"Passage {position} is not found by its words in Milvus; the snapshot was not published.")
