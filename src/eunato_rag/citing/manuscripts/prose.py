"""One block of prose as a reader reads it, each of its characters tied to its place in the draft.

Left out: how blocks are found, which each format does for itself, and which of them are the writer's prose (sections).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field

_CLINGING = frozenset(".,;:!?)]”’»")
"""What stands right behind a word, and so behind a note marker that had a space before it."""


@dataclass(slots=True)
class Prose:
    """A block's clean text: white space is one space, and none at its ends. Filled by `write` and `hide`, in order.

    `text[i]` stands for the source between `starts[i]` and `ends[i]`. What stands in the source and is not read is
    hidden: what closes (by its start), what opens (by its end), note markers (by their start). No marker may be set
    inside an atom: a link, a formula, a stretch of code. Nothing changes it once the draft is read.
    """

    quoted: bool = False
    chars: list[str] = field(default_factory=list)
    starts: array[int] = field(default_factory=lambda: array("l"))
    ends: array[int] = field(default_factory=lambda: array("l"))
    closers: dict[int, int] = field(default_factory=dict)
    openers: dict[int, int] = field(default_factory=dict)
    markers: dict[int, int] = field(default_factory=dict)
    atoms: list[tuple[int, int]] = field(default_factory=list)
    _text: str | None = None
    _marked: bool = False

    def write(self, text: str, start: int, end: int | None = None) -> None:
        """Add text from a place on, one character for one of the source; with an `end`, all of it for that range."""
        if self._marked and text[:1] in _CLINGING and self.chars and self.chars[-1] == " ":
            self.cut(len(self.chars) - 1)
        self._marked = False
        for n, char in enumerate(text):
            at, to = (start + n, start + n + 1) if end is None else (start, end)
            if char.isspace():
                if not self.chars or self.chars[-1] == " ":
                    continue
                char = " "
            self.chars.append(char)
            self.starts.append(at)
            self.ends.append(to)
        self._text = None

    def close(self, start: int, end: int) -> None:
        """A mark that is not read and belongs to what stands before it."""
        self.closers[start] = end

    def open(self, start: int, end: int) -> None:
        """A mark that is not read and belongs to what follows it."""
        self.openers[end] = start

    def mark(self, start: int, end: int) -> None:
        """A note marker of the writer's own."""
        self.markers[start] = end
        self._marked = True

    def atom(self, start: int, end: int) -> None:
        """A range that no marker may be set into. Atoms come in order; one that holds those before it replaces them."""
        while self.atoms and self.atoms[-1][0] >= start:
            self.atoms.pop()
        self.atoms.append((start, end))

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = "".join(self.chars).rstrip(" ")
        return self._text

    def cut(self, length: int) -> None:
        """Forget what is read behind the first `length` characters."""
        del self.chars[length:], self.starts[length:], self.ends[length:]
        self._text = None

    def replace(self, chars: list[str], starts: array[int], ends: array[int]) -> None:
        """Read these characters instead."""
        self.chars, self.starts, self.ends, self._text = chars, starts, ends, None

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The range of the source that holds a range of the text, and no more."""
        return self.starts[start], self.ends[end - 1]

    def span(self, start: int, end: int, draft: str) -> tuple[int, int]:
        """The range of the source that holds a range of the text, with the marks around it and the note markers behind it."""
        first, last = self.source(start, end)
        while self.openers.get(first, first) < first:
            first = self.openers[first]
        while (behind := self._behind(last, draft)) > last:
            last = behind
        return first, last

    def _behind(self, place: int, draft: str) -> int:
        """The end of the closing mark or note marker at a place; of a marker also where space stands between."""
        beyond = place
        while beyond < len(draft) and draft[beyond] in " \u00a0":
            beyond += 1
        return max(self.closers.get(place, 0), self.markers.get(place, 0), self.markers.get(beyond, 0))

    def place(self, offset: int) -> int:
        """The first place at or behind an offset where a marker can stand."""
        index = bisect_right(self.atoms, offset, key=lambda atom: atom[0]) - 1
        while index >= 0 and self.atoms[index][0] < offset < self.atoms[index][1]:
            offset = self.atoms[index][1]
            index = bisect_right(self.atoms, offset, key=lambda atom: atom[0]) - 1
        return offset

    @property
    def extent(self) -> tuple[int, int]:
        """Where its text begins and ends in the source."""
        return self.starts[0], self.ends[len(self.text) - 1]
