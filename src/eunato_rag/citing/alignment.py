"""Two rows of words -> how they correspond, word by word, at the least cost of edits.

Dynamic programming after Needleman and Wunsch (1970), with affine gaps in the source (Gotoh, 1982) and free ends there,
one vectorised row for each word of the quotation. Long runs that both sides have once are taken for granted, as in
patience diff, so that ten thousand characters cost little more than what differs in them. An ellipsis takes any number
of words of the source for next to nothing; a bracket a few. Left out: what a difference means (differences).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OMISSION, BRACKET = -2, -3
"""What stands in a row of word numbers for an ellipsis and for a bracketed insertion."""

_ADDED, _OPEN, _LEFT_OUT, _REPLACED, _LIKE = 1.2, 0.6, 0.2, 1.05, 0.5
_PER_OMITTED, _PER_BRACKETED = 0.002, 0.25
_IN_BRACKET_MARKER = 0.05
_RUN = 5
_ANCHORED_FROM = 60
_MAX_CELLS = 6_000_000

Row = NDArray[np.int64]
Pairs = list[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class Side:
    """A row of words as numbers; `like` is the class within which one word more readily stands for another, 0 for none.

    `light` are words that cost nearly nothing to add or to leave out: markers of notes.
    """

    words: Row
    like: Row
    light: NDArray[np.bool_]


def align(yours: Side, source: Side) -> list[tuple[int, int]]:
    """For every word of `yours`, the range of `source` that it corresponds to.

    A word that corresponds to one has a range of one, whether the two are equal or not; an added one has an empty
    range where it would stand; an ellipsis or bracket has the range of what it stands for. Ranges are in order; what
    lies between two of them was left out. The ends of `source` are free.
    """
    n, m = len(yours.words), len(source.words)
    spans: list[tuple[int, int]] = [(0, 0)] * n
    i = j = 0
    for a, b, size in [*(_anchors(yours.words, source.words) if n >= _ANCHORED_FROM else []), (n, m, 0)]:
        inner = _rows(_cut(yours, i, a), _cut(source, j, b), free_start=i == 0, free_end=a == n)
        for k, (start, end) in enumerate(inner):
            spans[i + k] = (j + start, j + end)
        for k in range(size):
            spans[a + k] = (b + k, b + k + 1)
        i, j = a + size, b + size
    return spans


def _cut(side: Side, start: int, end: int) -> Side:
    return Side(side.words[start:end], side.like[start:end], side.light[start:end])


def _anchors(yours: Row, source: Row) -> Pairs:
    """Runs of words that both sides have only once, lengthened as far as they agree, in order on both sides."""
    first: dict[tuple[int, ...], int] = {}
    twice: set[tuple[int, ...]] = set()
    theirs, mine = source.tolist(), yours.tolist()
    for j in range(len(theirs) - _RUN + 1):
        run = tuple(theirs[j : j + _RUN])
        if run in first:
            twice.add(run)
        first[run] = j
    seen: dict[tuple[int, ...], int] = {}
    for i in range(len(mine) - _RUN + 1):
        run = tuple(mine[i : i + _RUN])
        if run in seen:
            twice.add(run)
        seen[run] = i
    pairs = [(i, first[run]) for run, i in seen.items() if run in first and run not in twice and min(run) >= 0]
    chosen: Pairs = []
    for i, j in _longest_rising(pairs):
        if chosen and i < chosen[-1][0] + chosen[-1][2]:
            continue
        size = _RUN
        if chosen and j < chosen[-1][1] + chosen[-1][2]:
            continue
        while i + size < len(mine) and j + size < len(theirs) and mine[i + size] == theirs[j + size] >= 0:
            size += 1
        # its ends are left to the alignment, for the first word of a run may belong to what was left out before it
        chosen.append((i + 1, j + 1, size - 2))
    return chosen


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs that rises on both sides; `pairs` rise on the first (Fredman, 1975)."""
    tails: list[int] = []
    chain: list[int] = []
    before: list[int] = []
    for n, (_, j) in enumerate(pairs):
        k = bisect_left(tails, j)
        before.append(chain[k - 1] if k else -1)
        if k == len(tails):
            tails.append(j)
            chain.append(n)
        else:
            tails[k], chain[k] = j, n
    found: list[tuple[int, int]] = []
    n = chain[-1] if chain else -1
    while n >= 0:
        found.append(pairs[n])
        n = before[n]
    return found[::-1]


def _rows(yours: Side, source: Side, *, free_start: bool, free_end: bool) -> list[tuple[int, int]]:
    n, m = len(yours.words), len(source.words)
    if not n:
        return []
    if n * m > _MAX_CELLS:
        return [(0, 0)] * n  # nothing corresponds: what differs over such a length is another text
    # what it costs to leave out the first j words of the source
    left_out = np.concatenate([[0.0], np.cumsum(np.where(source.light, 0.01, _LEFT_OUT))])
    opening = np.concatenate([np.where(source.light, 0.01, _OPEN), [_OPEN]])
    places = np.arange(m + 1)
    cost = np.zeros(m + 1) if free_start else np.where(places > 0, left_out + opening[0], 0.0)
    moves = np.zeros((n, m + 1), dtype=np.int8)  # 0 added, 1 corresponds
    jumps = np.zeros((n + 1, m + 1), dtype=np.int32)  # from where on the row words were left out
    jumps[0] = places if free_start else 0
    for i in range(n):
        word = int(yours.words[i])
        if word in (OMISSION, BRACKET):
            per = _PER_OMITTED if word == OMISSION else _PER_BRACKETED
            best, origin = _running_minimum(cost - per * places)
            cost, jumps[i + 1] = best + per * places, origin
            continue
        equal = source.words == word
        alike = (source.like == yours.like[i]) & (source.like > 0)
        diagonal = cost[:-1] + np.where(equal, 0.0, np.where(alike, _LIKE, _REPLACED))
        added = cost + (_IN_BRACKET_MARKER if yours.light[i] else _ADDED)
        row = added
        take = diagonal <= added[1:]
        row[1:] = np.where(take, diagonal, added[1:])
        moves[i, 1:] = take
        best, origin = _running_minimum(row + opening - left_out)
        skipped = best + left_out
        jump = skipped < row - 1e-9
        jumps[i + 1] = np.where(jump, origin, places)
        cost = np.where(jump, skipped, row)
    j = int(np.argmin(cost)) if free_end else m
    spans = [(0, 0)] * n
    for i in range(n - 1, -1, -1):
        start = int(jumps[i + 1, j])
        if yours.words[i] in (OMISSION, BRACKET):
            spans[i] = (start, j)
            j = start
            continue
        j = start
        if moves[i, j]:
            spans[i] = (j - 1, j)
            j -= 1
        else:
            spans[i] = (j, j)
    return spans


def _running_minimum(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The least value up to each place, and where it stands, the last one of equals."""
    best = np.minimum.accumulate(values)
    places = np.where(values <= best, np.arange(len(values)), 0)
    return best, np.maximum.accumulate(places)
