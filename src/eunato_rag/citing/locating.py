"""A row of words -> the windows of the corpus that may hold it, changed or not, best first.

The rarest words of the quotation vote for the place where it would begin; places near each other are counted together
(seeds on diagonals, as in sequence search: Wilbur and Lipman, 1983). Left out: how well a window holds it (alignment).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eunato_rag.indexing.concordance import Concordance

MAX_WINDOWS = 12
_MAX_SEEDS = 20_000
_BLOCK, _PER_BLOCK = 8, 3
"""Of a long quotation, the rarest words of each stretch vote."""
_WORTH = 0.55
"""Share of the best window's votes below which a window is not looked into."""


@dataclass(frozen=True, slots=True)
class Window:
    """Positions `start` to `end` of one document, by its number."""

    document: int
    start: int
    end: int
    votes: float


def weights(concordance: Concordance, ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """How much each word tells: the logarithm of its rarity; most for one that no document has."""
    return np.asarray(np.log1p(len(concordance) / (concordance.counts(ids) + 1.0)), dtype=np.float64)


def windows(
    concordance: Concordance, ids: NDArray[np.int64], documents: Collection[int] | None, reach: int, most: int = MAX_WINDOWS
) -> list[Window]:
    """The windows with most of the quotation's words in about its order; `reach` words more on either side."""
    n = len(ids)
    chosen = _seeds(concordance, ids)
    if not len(chosen):
        return []
    found = [concordance.positions(int(ids[i]), documents)[:_MAX_SEEDS] for i in chosen]
    places = np.concatenate(found)
    if not len(places):
        return []
    order = np.repeat(chosen, [len(one) for one in found])
    width = max(8, n // 8)
    numbers = concordance.documents_of(places)
    # a band of places where the quotation would begin; bands of different documents never share a number
    bands = (places - order + n) // width + numbers * ((len(concordance) + n) // width + 4)
    distinct, first = np.unique(bands * n + order, return_index=True)
    band, where = np.unique(distinct // n, return_inverse=True)
    sums = np.bincount(where, weights=weights(concordance, ids)[distinct % n])
    document = np.zeros(len(band), dtype=np.int64)
    document[where] = numbers[first]
    begin = np.zeros(len(band), dtype=np.int64)
    begin[where] = ((places - order + n)[first] // width) * width - n
    beside = np.concatenate([np.where(np.diff(band) == 1, sums[1:], 0.0), [0.0]])
    votes = sums + beside
    best = np.lexsort((band, -np.round(votes, 6)))[: most * 4]
    pad = 6 + n // 8 + reach
    kept: list[Window] = []
    for k in best.tolist():
        if votes[k] < _WORTH * votes[best[0]] or len(kept) == most:
            break
        low, high = concordance.span(int(document[k]))
        window = Window(int(document[k]), max(low, int(begin[k]) - pad), min(high, int(begin[k]) + 2 * width + n + pad), float(votes[k]))
        if not any(_mostly_within(window, other) for other in kept):
            kept.append(window)
    return kept


def _seeds(concordance: Concordance, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    counts = concordance.counts(ids)
    known = np.flatnonzero(counts > 0)
    if not len(known):
        return known
    if len(ids) > 25 * _BLOCK:
        blocks = np.split(known, np.searchsorted(known, np.arange(_BLOCK, len(ids), _BLOCK)))
        known = np.concatenate([block[np.argsort(counts[block], kind="stable")[:_PER_BLOCK]] for block in blocks])
    known = known[np.argsort(counts[known], kind="stable")]
    enough = int(np.searchsorted(np.cumsum(counts[known]), _MAX_SEEDS, side="right"))
    return np.asarray(known[: max(2, enough)], dtype=np.int64)


def _mostly_within(one: Window, other: Window) -> bool:
    shared = min(one.end, other.end) - max(one.start, other.start)
    return one.document == other.document and shared > 0.6 * min(one.end - one.start, other.end - other.start)
