"""The same document under two names, or nearly the same in two formats: one is kept.

Documents are compared by samples of their runs of words (Broder 1997: resemblance of shingle sets), so that another
format, other line ends or a missing title page make no second document.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar
from zlib import crc32

SAME = 0.85
"""Least resemblance, 0..1, of two texts that are one document."""
_RUN = 6
_SAMPLE = 4
"""One run of words in four is compared; short texts are compared whole."""


class Sourced(Protocol):
    """A text and where it comes from."""

    @property
    def source(self) -> str: ...
    @property
    def text(self) -> str: ...


Found = TypeVar("Found", bound=Sourced)


def find_duplicates(documents: Sequence[Found], rank: Callable[[Found], object]) -> dict[str, str]:
    """Source of each duplicate to the source of the one that is kept: the lowest `rank` of those that are the same.

    Two sets as alike as that share a run among the rarest of each, a little more than the part in which they may differ;
    so only those are looked up, and a paragraph that thousands of documents have in common costs nothing
    (prefix filtering: Xiao et al., 2008).
    """
    samples = {document.source: _sample(document.text) for document in documents}
    times = Counter(run for sample in samples.values() for run in sample)
    holders: dict[int, list[str]] = defaultdict(list)
    duplicates: dict[str, str] = {}
    for document in sorted(documents, key=rank):  # type: ignore[arg-type]
        mine = samples[document.source]
        rarest = sorted(mine, key=lambda run: (times[run], run))[: len(mine) - math.ceil(SAME * len(mine)) + 1]
        best, same = 0, None
        for other in dict.fromkeys(other for run in rarest for other in holders[run]):
            shared = len(mine & samples[other])
            if shared > best and shared >= SAME * (len(mine) + len(samples[other]) - shared):
                best, same = shared, other
        if same is not None:
            duplicates[document.source] = same
            continue
        for run in rarest:
            holders[run].append(document.source)
    return duplicates


def _sample(text: str) -> frozenset[int]:
    words = re.findall(r"\w+", text.casefold())
    runs = frozenset(crc32(" ".join(words[n : n + _RUN]).encode()) for n in range(max(1, len(words) - _RUN + 1)))
    some = frozenset(run for run in runs if run % _SAMPLE == 0)
    return some if len(some) >= 50 else runs
