"""A positional index of every word of every document: where a run of words stands in the corpus, to the word.

The words of all documents stand one after the other as numbers; the place of a word in that row is its position. For
each word the positions are kept in order, so that a run of words is found from its rarest one. All of it is numpy
arrays that are read from the file where they are needed. Left out: what makes two runs the same (citing).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eunato_rag.errors import DamagedSnapshot
from eunato_rag.indexing.arrays import Grouping, Numbering, RowWriter, WordList, mapped, new_array, parts
from eunato_rag.indexing.folding import FOLDING, read_words

SCHEME = f"concordance/2 {FOLDING}"
"""Name and version of what is written; a change of it changes the version."""

Positions = NDArray[np.int64]
_FEW = 16
"""Places that are compared with a run of words one by one."""
_PART = 1_000_000
"""Code points that are read into words at a time."""
_ARRAYS = ("words", "starts", "ends", "places", "bounds", "documents")


class Concordance:
    """The words of documents by position; documents are numbered in the order of the catalogue. Safe to share between threads."""

    _VOCABULARY = "vocabulary"

    def __init__(self, vocabulary: WordList, arrays: dict[str, NDArray[Any]]) -> None:
        self._forms = vocabulary
        self.words, self.starts, self.ends = arrays["words"], arrays["starts"], arrays["ends"]
        self._places, self._bounds, self._documents = arrays["places"], arrays["bounds"], arrays["documents"]

    @classmethod
    def write(cls, folder: Path, texts: Iterable[str]) -> None:
        """Write the files for the texts of the documents, in order. Memory: the distinct words, and little for each document."""
        folder.mkdir()
        numbers = Numbering()
        sizes = [0]
        with ExitStack() as stack:
            words, starts, ends = (stack.enter_context(RowWriter(folder / f"{name}.npy", np.int32)) for name in ("words", "starts", "ends"))
            for text in texts:
                for place, part in _parts(text):
                    read = read_words(part)
                    words.append(numbers.of(read.forms))
                    starts.append(read.starts + np.int32(place))
                    ends.append(read.ends + np.int32(place))
                sizes.append(words.rows)
        vocabulary, rank = numbers.in_order()
        WordList.write(folder / cls._VOCABULARY, vocabulary)
        cls._sort(folder, rank)
        np.save(folder / "documents.npy", np.asarray(sizes, dtype=np.int64), allow_pickle=False)

    @classmethod
    def _sort(cls, folder: Path, rank: NDArray[np.int32]) -> None:
        """Number the words by their order, and set down where each stands."""
        words = np.load(folder / "words.npy", mmap_mode="r+", allow_pickle=False)
        counts = np.zeros(len(rank), dtype=np.int64)
        for some in parts(len(words)):
            words[some] = rank[words[some]]
            counts += np.bincount(words[some], minlength=len(rank))
        grouping = Grouping(counts)
        places = new_array(folder / "places.npy", np.int32 if len(words) < 2**31 else np.int64, len(words))
        for some in parts(len(words)):
            order, there = grouping.places(words[some])
            places[there] = some.start + order
        np.save(folder / "bounds.npy", grouping.bounds, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> Concordance:
        try:
            vocabulary = WordList.load(folder / cls._VOCABULARY)
            arrays = {name: mapped(folder / f"{name}.npy") for name in _ARRAYS}
        except (OSError, ValueError, EOFError) as error:
            raise DamagedSnapshot(f"{folder.name} holds no concordance: {error}. Run: eunato-rag reindex") from error
        return cls(vocabulary, arrays)

    def __len__(self) -> int:
        """Words of all documents together."""
        return len(self.words)

    @property
    def document_count(self) -> int:
        return len(self._documents) - 1

    def ids(self, forms: Iterable[str]) -> NDArray[np.int64]:
        """The number of each word, -1 for one that no document has."""
        return np.asarray([self._forms.number(form) for form in forms], dtype=np.int64)

    def forms(self, start: int, end: int) -> list[str]:
        """The words from one position up to another."""
        return [self._forms[word] for word in self.words[start:end].tolist()]

    def counts(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """How often each word occurs; 0 for -1."""
        if not len(self._forms):
            return np.zeros(len(ids), dtype=np.int64)
        known = np.maximum(ids, 0)
        return np.asarray(np.where(ids < 0, 0, self._bounds[known + 1] - self._bounds[known]), dtype=np.int64)

    def positions(self, word: int, documents: Collection[int] | None = None) -> Positions:
        """Where a word stands, in order; only in some documents if given."""
        places = np.asarray(self._places[self._bounds[word] : self._bounds[word + 1]], dtype=np.int64)
        if documents is None:
            return places
        if len(documents) == 1:
            start, end = np.searchsorted(places, self.span(next(iter(documents))))
            return places[start:end]
        allowed = np.zeros(self.document_count, dtype=bool)
        allowed[list(documents)] = True
        return places[allowed[self.documents_of(places)]]

    def documents_of(self, positions: Positions) -> NDArray[np.int64]:
        """The numbers of the documents that positions lie in."""
        return np.asarray(np.searchsorted(self._documents, positions, side="right") - 1, dtype=np.int64)

    def span(self, document: int) -> tuple[int, int]:
        """The positions of a document's first word and behind its last."""
        return int(self._documents[document]), int(self._documents[document + 1])

    def find(self, ids: NDArray[np.int64], documents: Collection[int] | None = None) -> Positions:
        """Every position at which the run of words begins, in order; it lies within one document."""
        if not len(ids) or ids.min() < 0:
            return np.zeros(0, dtype=np.int64)
        order = np.argsort(self.counts(ids), kind="stable")
        found = self.positions(int(ids[order[0]]), documents) - order[0]
        found = found[(found >= 0) & (found + len(ids) <= len(self))]
        for offset in order[1:]:
            if len(found) <= _FEW:
                whole = [place for place in found.tolist() if np.array_equal(self.words[place : place + len(ids)], ids)]
                found = np.asarray(whole, dtype=np.int64)
                break
            found = found[self.words[found + offset] == ids[offset]]
        return np.asarray(found[self.documents_of(found) == self.documents_of(found + len(ids) - 1)], dtype=np.int64)


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """A text in parts, each with where it begins, cut at ends of lines, which part words: so that few are held as objects at once."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + _PART)
        end = len(text) if end < 0 else end
        yield start, text[start:end]
        start = end
