"""BM25 over an inverted index in files: for each term the texts that hold it, and what it counts in each.

BM25 as Lucene computes it (Robertson and Zaragoza, 2009; without the constant factor k1 + 1), each text's share of a term
worked out at build. A search adds rare terms up first; once what the common ones can add no longer lets a text in that
has none of the rare, only those that have one are looked up (MaxScore: Turtle and Flood, 1995). Left out: what a term is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eunato_rag.indexing.arrays import Grouping, Numbering, WordList, mapped, new_array

if TYPE_CHECKING:
    from eunato_rag.indexing.vectors import Ranked

K1, B = 1.2, 0.75

_BATCH = 4096
"""Texts that are counted at a time."""
_BLOCK = 128
"""Scores of which the highest is found before single ones are looked at; which ones make a block does not matter."""
_LEAST = 1e-30
"""Above what a text scores that has no term."""
_ROUNDING = 1e-3
"""More than sums of 32 bits can be off."""

Weights = NDArray[np.float32]
_Counted = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint16]]
"""Text, term, how often: of some texts in order."""


class Postings:
    """Terms by number, in the order of their code points; of each its texts in order, and the weight that it has there."""

    _TERMS = "terms"
    _LENGTHS, _BOUNDS, _TEXTS, _WEIGHTS, _HIGHEST = "lengths.npy", "bounds.npy", "texts.npy", "weights.npy", "highest.npy"

    def __init__(self, terms: WordList, arrays: Sequence[NDArray[Any]]) -> None:
        self.terms = terms
        lengths, self.bounds, self._texts, self._weights, self._highest = arrays
        self.size = len(lengths)

    @classmethod
    def write(cls, folder: Path, texts: Iterable[Sequence[str]], term: Callable[[str], str]) -> None:
        """Write the files for texts, each given as its words, of which `term` makes terms, or nothing of one that is none.

        Memory: ten bytes for each distinct term of each text, and the words.
        """
        words, terms = Numbering(), Numbering()
        term_of = np.zeros(0, dtype=np.int64)
        """For each word the number of its term, -1 for none."""
        counted: list[_Counted] = []
        lengths: list[NDArray[np.int64]] = []
        remaining = iter(texts)
        size = 0
        while batch := list(islice(remaining, _BATCH)):
            of_words = words.of(list(chain.from_iterable(batch)))
            new = map(term, islice(words, len(term_of), None))
            term_of = np.append(term_of, [terms[one] if one else -1 for one in new]).astype(np.int64)
            of_terms = term_of[of_words]
            of_texts = np.repeat(np.arange(len(batch)), [len(text) for text in batch])[of_terms >= 0]
            both, times = np.unique(of_texts + size << 32 | of_terms[of_terms >= 0], return_counts=True)
            counted.append(
                ((both >> 32).astype(np.int32), (both & 0xFFFFFFFF).astype(np.int32), np.minimum(times, 65535).astype(np.uint16))
            )
            lengths.append(np.bincount(of_texts, minlength=len(batch)))
            size += len(batch)
        vocabulary, rank = terms.in_order()
        WordList.write(folder / cls._TERMS, vocabulary)
        cls._weigh(folder, counted, np.concatenate(lengths) if lengths else np.zeros(0, np.int64), rank)

    @classmethod
    def _weigh(cls, folder: Path, counted: list[_Counted], lengths: NDArray[np.int64], rank: NDArray[np.int32]) -> None:
        size, terms = len(lengths), len(rank)
        frequencies = np.zeros(terms, dtype=np.int64)
        for _, of_terms, _ in counted:
            frequencies += np.bincount(rank[of_terms], minlength=terms)
        grouping = Grouping(frequencies)
        total = int(grouping.bounds[-1])
        rarity = np.log1p((size - frequencies + 0.5) / (frequencies + 0.5))
        usual = K1 * (1 - B + B * lengths / max(float(lengths.mean()) if size else 0.0, 1e-9))
        highest = np.zeros(terms, dtype=np.float32)
        texts = new_array(folder / cls._TEXTS, np.int32, total)
        weights = new_array(folder / cls._WEIGHTS, np.float32, total)
        for of_texts, of_terms, times in counted:
            ranked = rank[of_terms]
            made = (rarity[ranked] * times / (times + usual[of_texts])).astype(np.float32)
            order, places = grouping.places(ranked)
            texts[places], weights[places] = of_texts[order], made[order]
            np.maximum.at(highest, ranked, made)
        np.save(folder / cls._LENGTHS, lengths.astype(np.int32), allow_pickle=False)
        np.save(folder / cls._BOUNDS, grouping.bounds, allow_pickle=False)
        np.save(folder / cls._HIGHEST, highest, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> Postings:
        """What was written there.

        Raises:
            OSError, ValueError, EOFError: nothing was.
        """
        names = (cls._LENGTHS, cls._BOUNDS, cls._TEXTS, cls._WEIGHTS, cls._HIGHEST)
        return cls(WordList.load(folder / cls._TERMS), [mapped(folder / name) for name in names])

    def frequency(self, term: str) -> int:
        """In how many texts a term occurs."""
        number = self.terms.number(term)
        return int(self.bounds[number + 1] - self.bounds[number]) if number >= 0 else 0

    def of(self, number: int) -> tuple[NDArray[np.int32], Weights]:
        """The texts that hold a term, in order, and its weights there."""
        start, end = int(self.bounds[number]), int(self.bounds[number + 1])
        return self._texts[start:end], self._weights[start:end]

    def best(self, wanted: Mapping[int, int], k: int, allowed: NDArray[np.int64] | None = None) -> Ranked:
        """The k texts of highest score above zero for terms by number, each as often as given; ties by position."""
        terms = sorted(wanted, key=lambda number: (-float(self._highest[number]) * wanted[number], number))
        if not terms or k < 1:
            return []
        limits = [float(self._highest[number]) * wanted[number] for number in terms]
        scores = np.zeros(self.size, dtype=np.float32)
        least, rest = 0.0, list[int]()
        for done, number in enumerate(terms, 1):
            texts, weights = self.of(number)
            scores[texts] += weights if wanted[number] == 1 else weights * wanted[number]
            left = sum(limits[done:])
            # to look for the k-th best costs as much as to go through a common term; none is above what was added so far
            if allowed is None and 0 < left < sum(limits[:done]) and self._long(terms[done:]):
                least = _kth(scores, k) - _ROUNDING - left
                if least > 0:  # what has none of these terms cannot come so far by the others
                    rest = terms[done:]
                    break
        if allowed is not None:
            candidates = allowed[scores[allowed] > 0]
        else:
            candidates = np.flatnonzero(scores >= (least if rest else max(_kth(scores, k), _LEAST)))
        found = scores[candidates]
        for number in rest:
            texts, weights = self.of(number)
            places = np.minimum(np.searchsorted(texts, candidates), len(texts) - 1)
            found += np.where(texts[places] == candidates, weights[places] * wanted[number], np.float32(0))
        order = np.lexsort((candidates, -found))[:k]
        return [(int(candidates[n]), float(found[n])) for n in order]

    def _long(self, terms: Sequence[int]) -> bool:
        return 4 * sum(int(self.bounds[number + 1] - self.bounds[number]) for number in terms) > self.size

    def by_text(self) -> Iterator[dict[int, float]]:
        """For each text in order the weight of each of its terms, by number."""
        terms = np.repeat(np.arange(len(self.terms)), np.diff(self.bounds))
        order = np.argsort(self._texts, kind="stable")
        bounds = np.searchsorted(self._texts[order], np.arange(self.size + 1))
        for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            part = order[start:end]
            yield dict(zip(terms[part].tolist(), self._weights[part].tolist(), strict=True))


def _kth(scores: Weights, k: int) -> float:
    """The k-th highest score; 0 where there are no more than k."""
    if len(scores) <= k:
        return 0.0
    blocks = len(scores) // _BLOCK
    if blocks >= 4 * k:
        highest = scores[: blocks * _BLOCK].reshape(_BLOCK, blocks).max(axis=0)
        least = np.partition(highest, -k)[-k]  # k blocks hold at least one such score each
        scores = scores[scores >= least]
    return float(np.partition(scores, -k)[-k])
