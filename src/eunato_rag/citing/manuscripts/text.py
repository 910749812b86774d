"""Plain text: its blocks, and the same text with numbers in brackets and the notes at its end.

Paragraphs stand between empty lines, or one a line where lines are long. Left out: columns, tables and drawings made of
characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eunato_rag.citing.manuscripts.insertions import Placed, appendix, plain, with_insertions
from eunato_rag.citing.manuscripts.markers import highest
from eunato_rag.citing.manuscripts.prose import Prose
from eunato_rag.citing.manuscripts.sections import Block, ends_sentence

NOTES = "Notes"

_LINE = re.compile(r"([^\r\n\f]*)(?:\r\n?|\n|\f|$)")
_ITEM = re.compile(r"[ \t]*(?:([-*+•▪◦‣–])|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)])[ \t]+(?=\S)")
_QUOTE = re.compile(r"[ \t]*(?:>[ \t]?)+")
_RULE = re.compile(r"\s*([-=_*~#])(?:[ \t]*\1){2,}\s*")
_HASHES = re.compile(r"[ \t]*(#{1,6})[ \t]+")
_LONG = 160
"""A line of more characters was not broken to fit a page: it is a paragraph."""

_SHORT = 60
"""The most characters of a heading right above its paragraph."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line without its end and without what marks it as a list item, a quotation or a heading: its range and its text."""

    start: int
    end: int
    text: str
    quoted: bool = False
    item: bool = False
    numbered: bool = False
    level: int | None = None


def blocks(text: str) -> Iterator[Block]:
    """The paragraphs, list items and headings of a text, in order."""
    group: list[_Line] = []
    for match in _LINE.finditer(text):
        line = _read(match[1], match.start(), first=not group or group[-1].item or ends_sentence(group[-1].text))
        rule = _RULE.fullmatch(match[1])
        if not line.text or rule:
            yield from _paragraphs(group, text, underlined=rule is not None and rule[1] in "=-")
            group = []
            continue
        if group and (line.item or line.level is not None or group[-1].level is not None or line.quoted != group[-1].quoted):
            yield from _paragraphs(group, text)
            group = []
        group.append(line)
    yield from _paragraphs(group, text)


def _read(line: str, start: int, *, first: bool) -> _Line:
    """A line at an offset; a number or dash at its beginning makes an item only where one can begin (`first`)."""
    place, level = 0, None
    quote = _QUOTE.match(line)
    if quote:
        place = quote.end()
    item = _ITEM.match(line, place) if first else None
    hashes = _HASHES.match(line, place)
    if item:
        place = item.end()
    elif hashes:
        place, level = hashes.end(), len(hashes[1])
    text = line[place:].lstrip("\ufeff \t")
    begun = start + len(line) - len(text)
    text = text.rstrip()
    return _Line(begun, begun + len(text), text, quote is not None, item is not None, item is not None and item[1] is None, level)


def _paragraphs(group: Sequence[_Line], text: str, *, underlined: bool = False) -> Iterator[Block]:
    if not group:
        return
    if underlined and len(group) == 1:
        yield Block(_prose(group, text), level=1)
    elif len(group) > 1 and (_is_heading_above(group) or max(len(line.text) for line in group) > _LONG):
        yield from _paragraphs(group[:1], text)
        yield from _paragraphs(group[1:], text)
    else:
        line = len(group) == 1 and (not group[0].item or group[0].numbered)
        yield Block(_prose(group, text), group[0].level, line=line, item=group[0].item)


def _is_heading_above(group: Sequence[_Line]) -> bool:
    """Whether the first line is short though a word more had fitted, has no end, and what follows begins anew."""
    first, second = group[0].text, group[1].text
    width = max(len(line.text) for line in group[1:])
    fitted = len(first) + 1 + len(second.split()[0]) < 0.9 * width
    return fitted and len(first) <= _SHORT and not ends_sentence(first) and second[0].isupper() and not group[0].item


def _prose(lines: Sequence[_Line], text: str) -> Prose:
    prose = Prose(quoted=lines[0].quoted)
    for line in lines:
        prose.write(" ", line.start, line.start)
        prose.write(text[line.start : line.end], line.start)
    return prose


def annotated(text: str, notes: Sequence[Placed], bibliography: Sequence[str], heading: str) -> str:
    """The text with notes, in the order of their places, and a bibliography.

    Numbers go on behind the highest that the text has in brackets itself.
    """
    first = highest(text) + 1
    paragraphs = [NOTES] if notes else []
    paragraphs += [f"[{number}] {plain(note.text)}" for number, note in enumerate(notes, first)]
    paragraphs += [heading, *map(plain, bibliography)] if bibliography else []
    insertions = [(note.place, f"[{number}]") for number, note in enumerate(notes, first)]
    return with_insertions(text, [*insertions, (len(text), appendix(text, paragraphs))] if paragraphs else [])
