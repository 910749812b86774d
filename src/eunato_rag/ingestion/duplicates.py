"""The same document under two names, or nearly the same in two formats: one is kept.

Documents are compared by samples of their runs of words (Broder 1997: resemblance of shingle sets), so that another
format, other line ends or a missing title page make no second document.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

SAME = 0.85
"""Least resemblance, 0..1, of two texts that are one document."""
_RUN = 6
_SAMPLE = 4
"""One run of words in four is compared; short texts are compared whole."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""An odd number without pattern (2 ** 64 by the golden ratio), which spreads what is multiplied by it over all bits."""


Runs = NDArray[np.uint32]


class Sampled(Protocol):
    """A text by its sample, and where it comes from."""

    @property
    def source(self) -> str: ...
    @property
    def runs(self) -> Runs: ...


Found = TypeVar("Found", bound=Sampled)


def find_duplicates(documents: Sequence[Found], rank: Callable[[Found], object]) -> dict[str, str]:
    """Source of each duplicate to the source of the one that is kept: the lowest `rank` of those that are the same.

    Two sets as alike as that share a run among the rarest of each, a little more than the part in which they may differ;
    so only those are looked up, and a paragraph that thousands of documents have in common costs nothing
    (prefix filtering: Xiao et al., 2008).
    """
    samples = {document.source: document.runs for document in documents}
    known, times = np.unique(np.concatenate([np.zeros(0, np.uint32), *samples.values()]), return_counts=True)
    holders: dict[int, list[str]] = defaultdict(list)
    duplicates: dict[str, str] = {}
    for document in sorted(documents, key=rank):  # type: ignore[arg-type]
        mine = samples[document.source]
        often = times[np.searchsorted(known, mine)]
        order = np.lexsort((mine, often))[: len(mine) - math.ceil(SAME * len(mine)) + 1]
        rarest = [int(run) for run in mine[order[often[order] > 1]]]  # what no other has leads to none
        best, same = 0, None
        for other in dict.fromkeys(other for run in rarest for other in holders[run]):
            shared = len(np.intersect1d(mine, samples[other], assume_unique=True))
            if shared > best and shared >= SAME * (len(mine) + len(samples[other]) - shared):
                best, same = shared, other
        if same is not None:
            duplicates[document.source] = same
            continue
        for run in rarest:
            holders[run].append(document.source)
    return duplicates


def sample(text: str) -> Runs:
    """Numbers for some of a text's runs of words, in order, each once: by them alone two texts are compared."""
    words = re.findall(r"\w+", text.casefold())
    marks = np.fromiter((crc32(word.encode()) for word in words), dtype=np.uint64, count=len(words))
    size = min(_RUN, len(marks))
    mixed = np.zeros(len(marks) - size + 1, dtype=np.uint64)
    for n in range(size):
        mixed = (mixed + marks[n : n + len(mixed)]) * _FACTOR
    runs = np.unique((mixed >> 32).astype(np.uint32))
    some = runs[runs % _SAMPLE == 0]
    return some if len(some) >= 50 else runs
