"""A text -> its words in folded form, each with its range: the one reading of words that quotations are compared by.

Folded are case, ligatures, decomposed accents, soft hyphens and other marks of no width, and the shape of apostrophes.
A hyphen parts words, and so does every mark of punctuation; signs that change what is said (%, €, §, +, a minus before
a number) are words of their own, as are raised digits. Accents, spelling and the marks inside a number are kept.
Left out: what may be set equal besides (citing).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
FOLDING = "words-folded/1"
"""Name and version of `read_words`; a change of its output changes the version."""

_SHAPES = str.maketrans({"’": "'", "ʼ": "'", "‘": "'", "＇": "'", "‛": "'", "−": "-", "–": "-", "‐": "-", "‑": "-"})
_NO_WIDTH = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_RESHAPED = re.compile(rf"[{_NO_WIDTH}]+|[ﬀ-ﬆßẞİŉǰ]|[^\W\d_][\u0300-\u036f]+")
_LETTER = rf"[^\W_{RAISED}]"
_PARTED = re.compile(
    rf"(\d+(?:[.,]\d+)*{_LETTER}*|{_LETTER}+(?:'{_LETTER}+)*|[{RAISED}]+"
    r"|[%‰°§&=±×÷≤≥≠≈$€£¥¢₤₴₽₹+]|[<>~](?=\s?\d)|[#@](?=\w)|(?<![^\s(\[|])-(?=\d))"
)
"""A word. It is a group, so that a text is split into what stands between words and words, by turns."""


@dataclass(frozen=True, slots=True)
class Words:
    """The folded words of a text in order, and where each stands in it: ranges of code points, ends exclusive."""

    forms: list[str]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.forms)


def read_words(text: str) -> Words:
    """The words of a text. A slice of a text that cuts no word has the same words as the text has there."""
    folded, origins = _fold(text)
    parted = _PARTED.split(folded)
    ends = np.cumsum(np.fromiter(map(len, parted), dtype=np.int32, count=len(parted)), dtype=np.int32)
    forms, starts, ends = parted[1::2], ends[:-1:2], ends[1::2]
    if origins is not None:
        starts, ends = origins[0][starts], origins[1][ends - 1]
    return Words(forms, starts, ends)


def fold(word: str) -> str:
    """A word as `read_words` gives it."""
    return _fold(word)[0]


def _fold(text: str) -> tuple[str, tuple[NDArray[np.int32], NDArray[np.int32]] | None]:
    """The text with what is not to count folded away; and where each character began and ended, unless all stand as they stood."""
    if text.isascii():
        return text.lower(), None
    pieces: list[str] = []
    origins: list[tuple[int, int, int]] = []
    done = 0
    for match in _RESHAPED.finditer(text):
        whole = match.group()
        plain = "" if whole[0] in _NO_WIDTH else unicodedata.normalize("NFC" if len(whole) > 1 else "NFKC", whole).casefold()
        if len(plain) == len(whole):
            continue
        pieces += [_lower(text[done : match.start()]), plain]
        origins.append((match.start(), match.end(), len(plain)))
        done = match.end()
    if not origins:
        return _lower(text), None
    pieces.append(_lower(text[done:]))
    starts, ends = [], []
    done = 0
    for start, end, size in [*origins, (len(text), len(text), 0)]:
        kept = np.arange(done, start, dtype=np.int32)
        starts += [kept, np.full(size, start, dtype=np.int32)]
        ends += [kept + 1, np.full(size, end, dtype=np.int32)]
        done = end
    return "".join(pieces), (np.concatenate(starts), np.concatenate(ends))


def _lower(text: str) -> str:
    text = text.translate(_SHAPES)
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
