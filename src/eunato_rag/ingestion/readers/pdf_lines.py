"""Rows of glyphs -> lines of text with place, direction, size and superscripts.

Figures raised above a line become markers, and wide gaps cut it into fragments: cells, or columns.
Left out: what lines mean together (pdf_order.py, pdf_blocks.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from statistics import median

from eunato_rag.ingestion.readers.pdf_glyphs import Glyph, Row

_GAP = 1.6
"""Ems between two characters of one line that belong to different cells or columns."""
_CELL_GAP = 0.9
"""The same in a line that has cells already."""
_SPACE = 0.35
"""Ems between two characters that belong to different words though no space stands between them."""
_RAISED = 0.12
"""Share of a line's height by which a superscript stands above the baseline."""
_SMALL = 0.86
_TOUCHING = 0.5
"""Ems: two rows that follow each other at most so far apart are one line, though PDFium parts them."""
_LEVEL = 0.25
"""Ems by which the baselines of one line may differ."""
_WIDE_SET = 1.5
"""Of the usual distance of a line's letters: a gap up to here is no space, where the letters are set wide."""
_MOST_STRAYS = 100
"""A page with more lone figures is a chart."""
_FIGURES = re.compile(r"\d{1,3}(?:,\d{1,3})*", re.ASCII)
_LEADERS = re.compile(r"(?:[.·…]\s*){4,}|(?:…\s*){2,}")
_RIGHT_TO_LEFT = ("R", "AL")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A stretch of a line without a wide gap; `markers` are (offset in the text, number) of superscripts lifted out."""

    text: str
    left: float
    right: float
    markers: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line: its fragments, the baseline in points, the height of its letters.

    `angle` is its direction in degrees, 0 for text that runs to the right and 90 for text that runs up; `baseline` grows
    upwards as the line's reader sees it. `opens` is the number of a superscript that the line begins with, as notes do.
    `leaders` is true where dots led from one fragment to the next; they are no part of the text.
    """

    fragments: tuple[Fragment, ...]
    page: int
    baseline: float
    size: float
    bold: bool
    opens: int | None = None
    angle: int = 0
    leaders: bool = False

    @property
    def text(self) -> str:
        return " ".join(fragment.text for fragment in self.fragments)

    @property
    def left(self) -> float:
        return min(fragment.left for fragment in self.fragments)

    @property
    def right(self) -> float:
        return max(fragment.right for fragment in self.fragments)


def lines_of(rows: Sequence[Row], number: int) -> list[Line]:
    """The lines of a page, rows that were one line put together again; `number` is the page's, counted from 1."""
    merged: list[Row] = []
    for row in chain.from_iterable(map(_pieces, rows)):
        last, first = merged[-1].letters if merged else [], row.letters[0]
        if last and merged[-1].angle == row.angle and _goes_on(last[-1], first) and _gap(last[-1], first) <= _TOUCHING * first.size:
            merged[-1] = replace(merged[-1], glyphs=(*merged[-1].glyphs, *row.glyphs))
        else:
            merged.append(row)
    return [line for row in _with_strays(merged) if (line := _line(row, number)) is not None]


def plain_lines(text: str, number: int, size: float) -> list[Line]:
    """Lines of a text of which no places are known, as if typed one below the other."""
    rows = [row for row in (re.sub(r"\s+", " ", row).strip() for row in text.splitlines()) if row]
    return [Line((Fragment(row, 72, 72 + len(row) * size / 2),), number, -1.2 * size * n, size, bold=False) for n, row in enumerate(rows)]


def _pieces(row: Row) -> list[Row]:
    """A row without its jumps: PDFium goes on with the next line behind a hyphen, and puts labels into one row."""
    pieces: list[list[Glyph]] = [[]]
    last: Glyph | None = None
    for glyph in row.glyphs:
        if not glyph.space:
            if last is not None and not _goes_on(last, glyph):
                pieces.append([])
            last = glyph
        pieces[-1].append(glyph)
    return [replace(row, glyphs=tuple(piece)) for piece in pieces if not all(glyph.space for glyph in piece)]


def _with_strays(rows: Sequence[Row]) -> list[Row]:
    """The rows, small figures that were drawn apart put back beside the letters that they are raised above."""
    strays = {n for n, row in enumerate(rows) if len(row.letters) < 4 and _FIGURES.fullmatch("".join(g.text for g in row.letters))}
    if len(strays) > _MOST_STRAYS:
        return list(rows)
    hosts = [None if n in strays else list(row.glyphs) for n, row in enumerate(rows)]
    for n in sorted(strays):
        found = next(((host, place) for host in hosts if host and (place := _beside(host, rows[n].letters)) is not None), None)
        if found is None:
            hosts[n] = list(rows[n].glyphs)
        else:
            found[0][found[1] : found[1]] = rows[n].letters
    return [replace(row, glyphs=tuple(host)) for row, host in zip(rows, hosts, strict=True) if host]


def _beside(host: Sequence[Glyph], stray: Sequence[Glyph]) -> int | None:
    """Where in a row raised figures belong that touch one of its letters; None where they touch none or are not raised."""
    first, last, size = stray[0], stray[-1], host[0].size
    raised = _RAISED * size < first.baseline - host[0].baseline < 0.9 * size
    if not raised or first.size > _SMALL * size or host[-1].right < first.left - size or host[0].left > last.right + size:
        return None
    place = sum(glyph.right <= first.left + 0.1 * size for glyph in host)
    before, after = host[place - 1] if place else None, host[place] if place < len(host) else None
    if before is not None and not before.space and _gap(before, first) < _TOUCHING * size:
        return place
    return place if after is not None and not after.space and abs(_gap(last, after)) < _TOUCHING * size else None


def _goes_on(last: Glyph, glyph: Glyph) -> bool:
    """Whether two letters stand on one line: level and not far back, or the one raised or lowered beside the other."""
    size, gap, apart = max(last.size, glyph.size), _gap(last, glyph), abs(last.baseline - glyph.baseline)
    if apart < _LEVEL * size:
        # The letters of a ligature share one place.
        return gap > -_TOUCHING * size or glyph.left >= last.left or _is_right_to_left(last) or _is_right_to_left(glyph)
    return abs(gap) <= _TOUCHING * size and apart < 0.9 * size and min(last.size, glyph.size) <= _SMALL * size


def _gap(last: Glyph, glyph: Glyph) -> float:
    return glyph.left - last.right


def _usual_gap(glyphs: Sequence[Glyph]) -> float:
    """The distance between two neighbouring letters of a line, as most have it."""
    return median([_gap(a, b) for a, b in pairwise(glyphs) if not a.space and not b.space] or [0.0])


def _is_right_to_left(glyph: Glyph) -> bool:
    return unicodedata.bidirectional(glyph.text[0]) in _RIGHT_TO_LEFT


def _line(row: Row, number: int) -> Line | None:
    glyphs = _in_logical_order(_without_narrow_spaces(row.glyphs))
    letters = [glyph for glyph in glyphs if not glyph.space]
    if not letters:
        return None
    size = median(glyph.size for glyph in letters)
    large = [glyph for glyph in letters if glyph.size > _SMALL * size] or letters
    baseline = median(glyph.baseline for glyph in large)
    raised = _markers(glyphs, size, baseline)
    dots = _leaders(glyphs)
    usual = _usual_gap(glyphs)  # large where the letters are set wide
    fragments, opens = _fragments(glyphs, raised, dots, max(_GAP * size, 4 * usual), max(_SPACE * size, 2 * usual))
    if len(fragments) > 2:  # a row of a table, whose cells may stand closer
        fragments, opens = _fragments(glyphs, raised, dots, max(_CELL_GAP * size, 3 * usual), max(_SPACE * size, 2 * usual))
    if not fragments:
        if opens is None:
            return None
        fragments, opens = [Fragment(str(opens), letters[0].left, letters[-1].right)], None
    if sum(map(_is_right_to_left, letters)) <= len(letters) / 2:
        fragments.sort(key=lambda fragment: fragment.left)
    return Line(tuple(fragments), number, baseline, size, row.bold, opens, row.angle, bool(dots))


def _fragments(
    glyphs: Sequence[Glyph], raised: Mapping[int, int | None], dots: Set[int], wide: float, narrow: float
) -> tuple[list[Fragment], int | None]:
    """The stretches of a line between wide gaps, and the number of the superscript that it begins with."""
    fragments: list[Fragment] = []
    opens: int | None = None
    parts: list[Glyph] = []
    markers: list[tuple[int, int]] = []
    previous: Glyph | None = None

    def close() -> None:
        while parts and parts[-1].space:
            parts.pop()
        text = "".join(" " if glyph.space else glyph.text for glyph in parts)
        if text:
            left, right = min(glyph.left for glyph in parts), max(glyph.right for glyph in parts)
            fragments.append(Fragment(text, left, right, tuple((min(o, len(text)), n) for o, n in markers)))
        parts.clear()
        markers.clear()

    for n, glyph in enumerate(glyphs):
        if n in dots:
            close()
            previous = glyph
            continue
        if n in raised:
            figure = raised[n]
            if figure is not None and opens is None and not parts and not fragments:
                opens = figure
            elif figure is not None:
                markers.append((sum(len(part.text) for part in parts), figure))
            previous = glyph
            continue
        gap = 0.0 if previous is None or glyph.space else max(glyph.left - previous.right, previous.left - glyph.right)
        if parts and gap > wide:
            close()
        elif parts and not parts[-1].space and gap > narrow:
            parts.append(glyph._replace(text=" ", right=glyph.left, space=True))
        if not glyph.space:
            parts.append(glyph)
            previous = glyph
        elif parts and not parts[-1].space:
            parts.append(glyph)
    close()
    return fragments, opens


def _without_narrow_spaces(glyphs: Sequence[Glyph]) -> list[Glyph]:
    """The glyphs without the spaces that PDFium makes of wide-set letters, in a line that has spaces of its own."""
    if not any(glyph.made for glyph in glyphs) or not any(glyph.space and not glyph.made for glyph in glyphs[1:-1]):
        return list(glyphs)
    usual = _usual_gap(glyphs)
    if usual < 0.03 * glyphs[0].size:
        return list(glyphs)
    return [
        glyph
        for n, glyph in enumerate(glyphs)
        if not (glyph.made and 0 < n < len(glyphs) - 1 and -usual < _gap(glyphs[n - 1], glyphs[n + 1]) <= _WIDE_SET * usual)
    ]


def _in_logical_order(glyphs: list[Glyph]) -> list[Glyph]:
    """Runs of right-to-left letters begin at their right end: one that PDFium gives from left to right is turned round."""
    classes = [unicodedata.bidirectional(glyph.text[0]) for glyph in glyphs]
    if not any(kind in _RIGHT_TO_LEFT for kind in classes):
        return glyphs
    ordered = list(glyphs)
    start = 0
    while start < len(glyphs):
        end = start
        while end < len(glyphs) and classes[end] in (*_RIGHT_TO_LEFT, "NSM"):
            end += 1
        places = [glyphs[n].left for n in range(start, end) if classes[n] in _RIGHT_TO_LEFT]
        if len(places) > 1 and sum(b < a for a, b in pairwise(places)) < (len(places) - 1) / 2:
            ordered[start:end] = reversed(glyphs[start:end])
        start = max(end, start + 1)
    return ordered


def _markers(glyphs: Sequence[Glyph], size: float, baseline: float) -> dict[int, int | None]:
    """The superscripts that are figures alone: at the place of their first glyph the number, at the others None."""
    found: dict[int, int | None] = {}
    n = 0
    while n < len(glyphs):
        end = n
        while end < len(glyphs) and (g := glyphs[end]).size <= _SMALL * size and g.baseline > baseline + _RAISED * size and not g.space:
            end += 1
        text = "".join(glyph.text for glyph in glyphs[n:end])
        if text and _FIGURES.fullmatch(text):
            at = n
            for figure in text.split(","):
                found.update(dict.fromkeys(range(at, min(at + len(figure) + 1, end))))
                found[at] = int(figure)
                at += len(figure) + 1
        n = max(end, n + 1)
    return found


def _leaders(glyphs: Sequence[Glyph]) -> frozenset[int]:
    """The dots, four at least, that lead the eye from an entry to its page or figure, and the spaces among them."""
    found: set[int] = set()
    for match in _LEADERS.finditer("".join(glyph.text[0] for glyph in glyphs)):
        if match.end() < len(glyphs):
            found.update(range(*match.span()))
    return frozenset(found)
