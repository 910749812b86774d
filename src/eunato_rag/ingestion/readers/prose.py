"""What the readers of marked-up formats share: a writer of prose, and tables as lines.

A `ProseWriter` takes text as it comes, collapses white space, mends characters, and keeps the offsets of markers and
links right while it does. Left out: what an element of a given format means (html_blocks, docx_body).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from eunato_rag.ingestion.layout import Prose, glue, glued, join, mend_characters
from eunato_rag.records import Change

_SPACE = re.compile(r"\s+")
_CLOSING = frozenset(".,;:!?)]}»”’")
_SUPERSCRIPTS = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_RAISABLE = re.compile(r"[0-9+\-−=()n]*[0-9n][0-9+\-−=()n]*")
_REPEAT_LIMIT = 200
"""A cell that spans rows is said again in each, so that a row can be read alone; a longer text is said once."""
_REPEAT_BUDGET = 200_000
_MAX_SPAN = 100


@dataclass(slots=True)
class Mender:
    """Mends the characters of each piece and can say afterwards what was mended in all of them."""

    pieces: list[str] = field(default_factory=list)

    def mend(self, text: str) -> str:
        self.pieces.append(text)
        return text if text.isascii() and text.isprintable() else mend_characters(text)[0]

    def changes(self) -> list[Change]:
        return mend_characters("".join(self.pieces))[1]


class ProseWriter:
    """Text in, prose out: one space for any run of white space, none at either end."""

    def __init__(self, mender: Mender) -> None:
        self._mender = mender
        self._parts: list[str] = []
        self._length = 0
        self._space = False
        self._marked = False
        self._markers: list[tuple[int, int]] = []
        self._links: list[tuple[int, int, str]] = []

    @property
    def length(self) -> int:
        return self._length

    @property
    def place(self) -> int:
        """The offset at which the next character will stand."""
        return self._length + (1 if self._space else 0)

    def space(self) -> None:
        self._space = self._length > 0

    def text(self, text: str) -> None:
        mended = self._mender.mend(text)
        if not mended:
            return
        words = _SPACE.sub(" ", mended)
        if words.startswith(" "):
            self.space()
            words = words[1:]
        if not words:
            return
        if self._marked and words[0] in _CLOSING:
            self._space = False  # the marker stood between the space and the full stop
        self._put((" " if self._space else "") + words.rstrip(" "))
        self._space = words.endswith(" ")

    def verbatim(self, text: str) -> None:
        """Text whose line breaks and spaces mean something."""
        self._put(self._mender.mend(text))
        self._space = False

    def raised(self, text: str) -> None:
        """Superscript text: digits as superscript digits, since `10<sup>6</sup>` is not 106; letters as they are."""
        bare = text.strip()
        self.text(bare.translate(_SUPERSCRIPTS) if _RAISABLE.fullmatch(bare) else text)

    def marker(self, number: int) -> None:
        """A marker goes with the character before it."""
        self._markers.append((self._length, number))
        self._marked = True

    def link(self, start: int, target: str) -> None:
        """Links what was written since `start`."""
        if self._length > start:
            self._links.append((start, self._length, target))

    def prose(self) -> Prose:
        return Prose("".join(self._parts), tuple(self._markers), tuple(self._links)).cut(0)

    def _put(self, text: str) -> None:
        if self._parts and glued(self._parts[-1], text):
            # an accent in an element of its own still belongs to the letter before it
            kept, text = glue(self._parts[-1], text)
            self._length -= len(self._parts[-1]) - len(kept)
            self._parts[-1] = kept
        self._parts.append(text)
        self._length += len(text)
        self._marked = False


@dataclass(frozen=True, slots=True)
class Cell:
    prose: Prose
    columns: int = 1
    rows: int = 1
    header: bool = False


def table_prose(rows: Sequence[Sequence[Cell]]) -> Prose:
    """A table as text: one line per row, cells separated by " | ", each column in its place.

    A cell that spans rows is said in each of them; a header that spans columns is said over each; any other cell
    that spans columns is said once. Rows and columns without a word are left out.
    """
    grid = [row for row in _grid(rows) if any(cell.text for cell in row)]
    width = max((len(row) for row in grid), default=0)
    filled = [column for column in range(width) if any(column < len(row) and row[column].text for row in grid)]
    lines = []
    for row in grid:
        cells = [row[column] if column < len(row) else Prose("") for column in filled]
        while cells and not cells[-1].text:
            cells.pop()
        line = cells[0]
        for cell in cells[1:]:
            line = _append(line, cell, " | " if line.text else "| ")
        lines.append(line.cut(0))
    return join(lines, "\n")


def _grid(rows: Sequence[Sequence[Cell]]) -> list[list[Prose]]:
    grid: list[list[Prose]] = []
    hanging: dict[int, tuple[int, Prose]] = {}
    budget = _REPEAT_BUDGET
    for row in rows:
        line: list[Prose] = []
        below: dict[int, tuple[int, Prose]] = {}
        cells = list(row)
        while cells or hanging:
            column = len(line)
            if column in hanging:
                left, prose = hanging.pop(column)
                line.append(prose)
                if left > 1:
                    below[column] = (left - 1, prose)
            elif cells:
                cell = cells.pop(0)
                repeated = len(cell.prose.text) <= _REPEAT_LIMIT and budget > 0
                copy = Prose(cell.prose.text) if repeated else Prose("")
                for wide in range(min(cell.columns, _MAX_SPAN)):
                    # the rest of a wide cell is a hole, but for a header, which names every column below it
                    named = cell.header and len(row) > 1
                    line.append(cell.prose if wide == 0 else copy if named else Prose(""))
                    if cell.rows > 1:
                        below[len(line) - 1] = (cell.rows - 1, copy if wide == 0 or named else Prose(""))
                        budget -= len(copy.text) * min(cell.rows, len(rows))
            else:
                line.append(Prose(""))
        hanging = below
        grid.append(line)
    return grid


def _append(first: Prose, second: Prose, separator: str) -> Prose:
    """Like `Prose.joined`, for which an empty side swallows the separator."""
    shift = len(first.text) + len(separator)
    return Prose(
        first.text + separator + second.text,
        (*first.markers, *((offset + shift, number) for offset, number in second.markers)),
        (*first.links, *((a + shift, b + shift, target) for a, b, target in second.links)),
    )
