"""Where things stand in a document, worked out once for it: so that no look-up by offset reads it from its beginning.

Positions are those of blocks and notes in the document's own order. Left out: what is made of them (records).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

Span = tuple[int, int]


class Sections:
    """Of each block the heading that it stands under, and which paragraph there it is.

    `levels` are those of headings, None for other blocks; `counted` says which blocks count as paragraphs.
    """

    def __init__(self, levels: Sequence[int | None], counted: Sequence[bool]) -> None:
        self._heads: list[int] = []
        self._paragraphs: list[int] = []
        self._above: dict[int, int] = {}
        self._levels = levels
        head, paragraph = -1, 0
        open_headings: list[int] = []
        for block, level in enumerate(levels):
            if level is None:
                paragraph += counted[block]
            else:
                while open_headings and (levels[open_headings[-1]] or 0) >= level:
                    open_headings.pop()
                self._above[block] = open_headings[-1] if open_headings else -1
                open_headings.append(block)
                head, paragraph = block, 0
            self._heads.append(head)
            self._paragraphs.append(paragraph)

    def headings(self, block: int) -> list[int]:
        """The headings above a block, or the block itself where it is one, outermost first; without the document's title."""
        found: list[int] = []
        head = self._heads[block] if block >= 0 else -1
        while head >= 0:
            level = self._levels[head] or 0
            if level > 0:
                found.append(head)
            head = self._above[head] if level > 1 else -1
        return found[::-1]

    def paragraph(self, block: int) -> int:
        """The number of a counted block among those behind the last heading before it, from 1."""
        return self._paragraphs[block]


class Notes:
    """The notes of a document by the places of their markers and of their own text."""

    def __init__(self, spans: Sequence[Span], anchors: Sequence[Iterable[int]]) -> None:
        self._spans = spans
        self._order = sorted(range(len(spans)), key=lambda note: spans[note])
        self._starts = [spans[note][0] for note in self._order]
        self._ends = list(accumulate((spans[note][1] for note in self._order), max))
        marked = sorted((anchor, note) for note, offsets in enumerate(anchors) for anchor in offsets)
        self._anchors, self._noted = [anchor for anchor, _ in marked], [note for _, note in marked]

    def touching(self, start: int, end: int) -> list[int]:
        """The notes whose own text shares something with a range, in order."""
        near = self._order[bisect_right(self._ends, start) : bisect_left(self._starts, end)]
        return sorted(note for note in near if self._spans[note][1] > start)

    def marked_in(self, start: int, end: int) -> list[int]:
        """The notes with a marker behind `start` and not behind `end`, in order."""
        return sorted({*self._noted[bisect_right(self._anchors, start) : bisect_right(self._anchors, end)]})


class Rows:
    """The rows of one table. A row of a single cell heads those below it."""

    def __init__(self, rows: Sequence[Span], single: Sequence[bool]) -> None:
        self._rows = rows
        self._ends = [end for _, end in rows]
        self._parts = list(accumulate((row if alone else -1 for row, alone in enumerate(single)), max))

    def above(self, start: int) -> list[Span]:
        """What the row at an offset needs to be understood: the first row, and the last of a single cell above it."""
        count = bisect_right(self._ends, start)
        if not count:
            return []
        part = self._parts[count - 1]
        return [self._rows[0], *([self._rows[part]] if part >= 0 else [])]
