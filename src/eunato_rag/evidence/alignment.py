"""A sentence and a passage -> how much of the sentence each run of the passage's sentences holds, word by word.

A word is held as far as the most similar word of the run is like it, in its context (the recall of BERTScore, Zhang and
others, 2020), and wholly where the run has the word itself; rare words count for more. The passages' token vectors are
those of the index, so nothing but the sentence is embedded. Left out: what that means for the sentence (verification, citing).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eunato_rag.evidence.claims import Claim, Word, read_claim
from eunato_rag.evidence.lexicon import LIGHT
from eunato_rag.evidence.verification import Run, Source, runs_of
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.interaction import Query
from eunato_rag.indexing.snapshot import Snapshot

Floats = NDArray[np.float64]

_LEAST = 0.5
"""Weight of a word that stands in every passage, so that names of the corpus's subject count for something."""
_LIGHT = 1.0
"""Most that a word counts that says little by itself."""
_NUMBER = 1.5
"""What a number counts."""
_PART = 0.25
"""Least part of a sentence, by weight, that is a clause of its own."""
_UNITS = frozenset("cent percent percentage".split())
"""They are compared with their number."""


@dataclass(frozen=True, slots=True)
class Held:
    """A content word or number of the sentence: what it counts, and how far the run holds it, 0..1."""

    word: Word
    weight: float
    share: float


@dataclass(frozen=True, slots=True)
class Aligned:
    """A run of a passage's sentences with the sentence's content words and numbers as it holds them."""

    run: Run
    words: tuple[Word, ...]
    weights: Floats
    shares: Floats

    @property
    def held(self) -> list[Held]:
        return [Held(*one) for one in zip(self.words, self.weights.tolist(), self.shares.tolist(), strict=True)]

    def share(self, without: frozenset[Word] = frozenset()) -> float:
        """How much of the sentence the run holds, 0..1 by weight, some words aside."""
        weights = np.where([word in without for word in self.words], 0.0, self.weights) if without else self.weights
        total = float(weights.sum())
        return float(weights @ self.shares) / total if total else 0.0

    def poorest(self) -> float:
        """The share of that clause of the sentence which the run holds least, of those that are no mere insertion."""
        clauses = np.asarray([word.clause for word in self.words])
        total, least = float(self.weights.sum()), 1.0
        for clause in np.unique(clauses):
            weights = self.weights[clauses == clause]
            if weights.sum() and weights.sum() >= _PART * total:
                least = min(least, float(weights @ self.shares[clauses == clause]) / float(weights.sum()))
        return least

    def missing(self, below: float) -> list[Held]:
        """The words that the run holds by less than this."""
        return [one for one in self.held if one.weight and one.share < below]


class Aligner:
    """Aligns one sentence with passages of a snapshot."""

    def __init__(self, snapshot: Snapshot, embedder: Embedder, sentence: str) -> None:
        encoded = embedder.encode_query_tokens([sentence])[0]
        self._snapshot = snapshot
        self._query: Query = snapshot.tokens.query(sentence, sentence, encoded)
        self.vector = encoded.vector
        self.claim: Claim = read_claim(sentence)
        placed = list(_placed(self.claim, sentence, encoded.places))
        self._words = tuple(word for word, _ in placed)
        self._weights = np.asarray([self._weight(word) for word in self._words], dtype=np.float64)
        self._values = [_value(word) for word in self._words]
        self._means = np.zeros((len(placed), len(encoded.places)))
        for n, (_, tokens) in enumerate(placed):
            self._means[n, tokens] = 1 / len(tokens)

    def align(self, source: Source) -> Iterator[Aligned]:
        """Every run of one to three sentences of a passage."""
        position = self._snapshot.catalogue.position(source.passage.id)
        alignment = self._snapshot.tokens.align(self._query, position)
        start = source.passage.locator.start
        for run in runs_of(source):
            first, last = run.span
            inside = (alignment.places >= first - start) & (alignment.places < last - start)
            if inside.any():
                best = alignment.similarity[inside].max(axis=0).clip(0.0, 1.0)
                shares = np.where(self._said(run), 1.0, self._means @ best)
                yield Aligned(run, self._words, self._weights, shares)

    def _said(self, run: Run) -> list[bool]:
        """Which words and numbers the run has as they are."""
        evidence = read_claim(run.text)
        terms, values = frozenset(evidence.terms), frozenset(number.value for number in evidence.numbers)
        return [word.term in terms or value in values for word, value in zip(self._words, self._values, strict=True)]

    def _weight(self, word: Word) -> float:
        if word.plain in _UNITS:
            return 0.0
        if not word.term:
            return _NUMBER
        rarity = max(_LEAST, self._snapshot.keywords.weight(word.term))
        return min(_LIGHT, rarity) if word.plain in LIGHT else rarity


def _value(word: Word) -> float | None:
    numbers = read_claim(word.text).numbers
    return numbers[0].value if numbers and not word.term else None


def _placed(claim: Claim, sentence: str, places: Sequence[int] | NDArray[np.int32]) -> Iterator[tuple[Word, NDArray[np.int64]]]:
    """The content words and numbers that stand in the sentence as they are written, each with the tokens that it is made of."""
    at = 0
    offsets = np.asarray(places)
    for word in claim.words:
        found = re.compile(rf"(?<!\w){re.escape(word.text)}(?!\w)").search(sentence, at)
        if found is None:  # written otherwise: a contraction, a short form
            continue
        at = found.end()
        tokens = np.flatnonzero((offsets >= found.start()) & (offsets < found.end()))
        if (word.term or read_claim(word.text).numbers) and len(tokens):
            yield word, tokens
