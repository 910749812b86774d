"""Footnotes and a bibliography put into a Markdown file. Left out: where they belong, and what they say."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, repeat

from eunato_rag.citing.manuscripts.insertions import Placed, appendix, line_end, with_insertions, words_of
from eunato_rag.citing.manuscripts.markdown import blocks, end_of_blocks
from eunato_rag.citing.manuscripts.prose import Prose

_LABEL = re.compile(r"\[\^(\d{1,6})\]")
_SPECIAL = re.compile(r"[\\`*_\[\]<$]|&(?=#?\w{1,32};)|~(?=~)|\^(?=\[)|(?<!\w)@(?=\w)")
_BEGINNING = re.compile(r"^(?:(?=[-+=#>:~|])|(\d{1,9})(?=[.)]))")
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]", re.MULTILINE)


def annotated(text: str, prose: Sequence[Prose], notes: Sequence[Placed], bibliography: Sequence[str], heading: str) -> str:
    """The file with notes, in the order of their places, and a bibliography.

    The result is read again: where a marker would be taken for something else (`^[^1]`), or would change what the marks
    around it mean (`*so.**[^1]`), it is set between spaces; where that does not help, as behind a line of nothing but `1.`, the
    markers of the block go to its end. Where the file ends inside a comment or code that nothing closes,
    the notes go before that.
    """
    if not notes and not bibliography:
        return text
    first = max((int(label) for label in _LABEL.findall(text)), default=0) + 1
    paragraphs = [f"{_level(text)} {markup(heading)}", *map(markup, bibliography)] if bibliography else []
    paragraphs += [f"[^{number}]: {markup(note.text)}" for number, note in enumerate(notes, first)]
    tail, end = end_of_blocks(text), line_end(text)
    appended = appendix(text, paragraphs) if tail == len(text) else "".join(f"{end}{paragraph}{end}" for paragraph in paragraphs) + end
    if tail < len(text) and text[:tail].endswith("\r") and end == "\n":  # the two would be one line end, and no empty line before
        appended = end + appended

    def written(spaced: frozenset[int], last: frozenset[int] = frozenset()) -> str:
        placed = (replace(note, place=_end(prose[note.block], text)) if note.block in last else note for note in notes)
        markers = ((note.place, _marker(text, number, note, spaced=note.block in spaced)) for number, note in enumerate(placed, first))
        return with_insertions(text, [*markers, (tail, appended)])

    result = written(frozenset())
    changed = _changed(prose, text, result)
    if changed:
        result = written(changed)
        still = _changed(prose, text, result)
        result = written(changed, still) if still else result
    return result


def _end(block: Prose, text: str) -> int:
    """The place behind the last word of a block, white space aside."""
    place = block.place(block.span(0, len(block.text), text)[1])
    return len(text[:place].rstrip())


def _marker(text: str, number: int, note: Placed, *, spaced: bool) -> str:
    """The marker; behind an exclamation mark always with a space, for some programs take the two for a picture."""
    before = " " if spaced or text[note.place - 1] == "!" else ""
    behind = " " if spaced and text[note.place : note.place + 1].strip() else ""
    return f"{before}[^{number}]{behind}"


def _changed(prose: Sequence[Prose], text: str, result: str) -> frozenset[int]:
    """The blocks of prose that read otherwise than before, spaces aside."""
    after = chain((_letters(block.prose) for block in blocks(result, most=sys.maxsize)), repeat(""))
    before = (block.prose for block in blocks(text, most=sys.maxsize))
    starts = {old.starts[0] for old, new in zip(before, after, strict=False) if _letters(old) != new}
    return frozenset(n for n, block in enumerate(prose) if block.starts[0] in starts)


def _letters(prose: Prose) -> str:
    return prose.text.replace(" ", "")


def _level(text: str) -> str:
    """The marks of a section's heading: one where the draft has several of the first level, two where that is its title's."""
    levels = Counter(match[1] for match in _HEADING.finditer(text))
    return "#" if levels["#"] > 1 else "##"


def markup(text: str) -> str:
    """A note's text as Markdown that reads as that text: italics kept, addresses linked, all else escaped."""
    parts = []
    for words in words_of(text):
        written = f"<{words.text}>" if words.address else _SPECIAL.sub(lambda match: f"\\{match[0]}", words.text)
        parts.append(f"*{written}*" if words.italic else written)
    return _BEGINNING.sub(lambda match: f"{match[0]}\\", "".join(parts))
