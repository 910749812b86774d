"""A web page as a browser searches it for a text fragment, as far as the canonical text tells.

Left out: what the page says beside its canonical text, such as menus, and languages that set no spaces, in which words
are known to end only at punctuation.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from eunato_rag.records import Document

_JOINING = frozenset(".,:;'’‘·․﹒＇．_‿")
"""Marks that hold a word or a number together where they stand inside it (Unicode Annex 29, WB6 to WB13)."""
_JOINING_NUMBERS = frozenset(".,;'’")
_LIST_MARK = re.compile(r"(?:[-*•–◦▪]|\(?\w{1,4}[.)])\s+")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Directive:
    """What a browser looks for: `prefix-,start,end,-suffix`; `end` is empty where `start` is the whole."""

    start: str
    end: str = ""
    prefix: str = ""
    suffix: str = ""


class SearchedPage:
    """The text of a page, the runs of it that a term may stand in, and the first place that a directive fits."""

    def __init__(self, document: Document) -> None:
        self.text = document.text
        table = str.maketrans({char: _folded(char) for char in set(document.text)})
        self._folded = document.text.translate(table)
        self.runs = _runs(document)
        self._starts = [start for start, _ in self.runs]

    def run_of(self, offset: int) -> int | None:
        """The position of the run that holds an offset."""
        index = bisect_right(self._starts, offset) - 1
        return index if index >= 0 and offset < self.runs[index][1] else None

    def words(self, start: int, end: int) -> list[Span]:
        """What white space parts between two offsets."""
        return [(start + match.start(), start + match.end()) for match in re.finditer(r"\S+", self.text[start:end])]

    def snapped(self, start: int, end: int) -> Span | None:
        """A range widened to whole words, without what no term can name at its edges; None where nothing is left."""
        inside = range(max(0, bisect_right(self._starts, start) - 1), bisect_left(self._starts, end))
        cut = [(n, max(self.runs[n][0], start), min(self.runs[n][1], end)) for n in inside]
        named = [(n, a, b) for n, a, b in cut if any(char.isalnum() for char in self.text[a:b])]
        if not named:
            return None
        (opening, first, _), (closing, _, last) = named[0], named[-1]
        while self.text[first].isspace():
            first += 1
        while self.text[last - 1].isspace():
            last -= 1
        while first > self.runs[opening][0] and not self._is_boundary(first):
            first -= 1
        while last < self.runs[closing][1] and not self._is_boundary(last):
            last += 1
        return first, last

    def first(self, directive: Directive) -> Span | None:
        """The first place that fits: in any case, with or without accents, each term from word to word.

        A place counts unless it is certain that a browser passes it by, so that no other can come before the one found.
        """
        start, end = self._fold(directive.start), self._fold(directive.end)
        prefix, suffix = self._fold(directive.prefix), self._fold(directive.suffix)
        for found in self._occurrences(start, 0):
            if prefix and not self._stands_before(prefix, found):
                continue
            behind = found + len(start)
            if not end and (not suffix or self._stands_behind(suffix, behind)):
                return found, behind
            if end:
                ends = (at + len(end) for at in self._occurrences(end, behind))
                last = next((at for at in ends if not suffix or self._stands_behind(suffix, at)), None)
                return None if last is None else (found, last)
        return None

    def _occurrences(self, term: str, since: int) -> Iterator[int]:
        at = self._folded.find(term, since)
        while at >= 0:
            if not self._is_inside_word(at) and not self._is_inside_word(at + len(term)):
                yield at
            at = self._folded.find(term, at + 1)

    def _stands_before(self, prefix: str, offset: int) -> bool:
        at = offset
        while at > 0 and self.text[at - 1].isspace():
            at -= 1
        return self._folded.endswith(prefix, 0, at) and not self._is_inside_word(at - len(prefix))

    def _stands_behind(self, suffix: str, offset: int) -> bool:
        while offset < len(self.text) and self.text[offset].isspace():
            offset += 1
        return self._folded.startswith(suffix, offset) and not self._is_inside_word(offset + len(suffix))

    def _is_inside_word(self, offset: int) -> bool:
        return 0 < offset < len(self.text) and _is_word(self.text[offset - 1]) and _is_word(self.text[offset])

    def _is_boundary(self, offset: int) -> bool:
        """Whether a word surely begins or ends here."""
        if not 0 < offset < len(self.text):
            return True
        before, after = self.text[offset - 1], self.text[offset]
        if before.isspace() or after.isspace():
            return True
        if _is_word(before) == _is_word(after):
            return unicodedata.category(before)[0] == unicodedata.category(after)[0] == "P"
        mark, beyond = (after, offset + 1) if _is_word(before) else (before, offset - 2)
        held = mark in _JOINING and 0 <= beyond < len(self.text) and _is_word(self.text[beyond])
        return not held and unicodedata.category(mark)[0] == "P"

    @staticmethod
    def _fold(term: str) -> str:
        return "".join(map(_folded, term))


def _runs(document: Document) -> list[Span]:
    """Ranges of words that stand side by side in the page.

    They end at a line's end, at the edges of blocks and of a table's cells, behind a list's own mark, and where the marker
    of a note stood, since the page has the marker there.
    """
    text = document.text
    gaps = [match.span() for match in re.finditer(r"[\n|]", text)]
    gaps += [(edge, edge) for block in document.blocks for edge in (block.start, block.end)]
    for block in document.blocks:
        if block.kind in ("list_item", "note") and (mark := _LIST_MARK.match(text, block.start, block.end)):
            gaps.append(mark.span())
    gaps += [(_end_before(text, anchor), anchor) for note in document.footnotes for anchor in note.anchors]
    runs = []
    reached = 0
    for start, end in sorted([*gaps, (len(text), len(text))]):
        run = text[reached:start]
        if run.strip():
            runs.append((reached + len(run) - len(run.lstrip()), reached + len(run.rstrip())))
        reached = max(reached, end)
    return runs


def _end_before(text: str, anchor: int) -> int:
    """Where the last word before a marker ends that has an end in the page: `NATO` has none in `NATO1`, nor `2019.` in `2019.1`."""
    last, before = text[anchor - 1 : anchor], text[anchor - 2 : anchor - 1]
    if not last or not (_is_word(last) or (last in _JOINING_NUMBERS and before.isdigit())):
        return anchor
    while anchor > 0 and not text[anchor - 1].isspace():
        anchor -= 1
    return anchor


def _folded(char: str) -> str:
    """One character without case and accent: a browser compares base letters."""
    return " " if char.isspace() else (unicodedata.normalize("NFKD", char)[0].casefold() or char)[0]


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_" or unicodedata.category(char) in ("Mn", "Mc", "Me", "Cf")
