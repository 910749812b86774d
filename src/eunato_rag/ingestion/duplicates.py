"""The same document under two names, or nearly the same in two formats: one is kept.

Documents are compared by samples of their runs of words (Broder 1997: resemblance of shingle sets), so that another
format, other line ends or a missing title page make no second document.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from zlib import crc32

from eunato_rag.records import Document

SAME = 0.85
"""Least resemblance, 0..1, of two texts that are one document."""
_RUN = 6
_SAMPLE = 4
"""One run of words in four is compared; short texts are compared whole."""


def find_duplicates(documents: Sequence[Document], rank: Callable[[Document], object]) -> dict[str, str]:
    """Source of each duplicate to the source of the one that is kept: the lowest `rank` of those that are the same."""
    samples = {document.source: _sample(document.text) for document in documents}
    holders: dict[int, list[str]] = defaultdict(list)
    duplicates: dict[str, str] = {}
    for document in sorted(documents, key=rank):  # type: ignore[arg-type]
        mine = samples[document.source]
        shared = Counter(other for run in mine for other in holders[run])
        same = next((o for o, n in shared.most_common() if n >= SAME * (len(mine) + len(samples[o]) - n)), None)
        if same is not None:
            duplicates[document.source] = same
            continue
        for run in mine:
            holders[run].append(document.source)
    return duplicates


def _sample(text: str) -> frozenset[int]:
    words = re.findall(r"\w+", text.casefold())
    runs = frozenset(crc32(" ".join(words[n : n + _RUN]).encode()) for n in range(max(1, len(words) - _RUN + 1)))
    some = frozenset(run for run in runs if run % _SAMPLE == 0)
    return some if len(some) >= 50 else runs
