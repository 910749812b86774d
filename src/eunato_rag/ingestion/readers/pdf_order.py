"""Lines of PDF pages -> the same lines in reading order, without what only furnishes the page.

Running heads, page numbers and watermarks go; columns of prose are read one after the other; what stands on one
baseline is one line. All by geometry and type size, measured against the document's own body text.
Left out: what the lines mean together (pdf_blocks.py).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

from eunato_rag.ingestion.layout import ends_sentence
from eunato_rag.ingestion.readers.pdf_lines import Fragment, Line
from eunato_rag.records import Change

_PAGE_NUMBER = re.compile(r"^[\W_]*(?:page\s+|p\.\s*)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:of|/|\|)\s*\d{1,4})?[^\w.,;:]*$", re.IGNORECASE)
_SMALL = 0.94
"""Of the body's size: below it, type is that of notes."""
NOTE_START = re.compile(r"^(\d{1,3})[\s.)]+(?=\S)")
_MARGIN_LINES = 3
_PROSE_LINE = 40
_WATERMARK = 1.8
"""Of the body's size: slanted text from here on is stamped across the page."""
_HEAD_GAP = 1.3
"""Heights of a line from baseline to baseline, at least, between a running head and the text."""
_LEVEL = 0.35
"""Heights of a line by which the baselines of one row may differ."""
_APART = 1.5
"""Heights of a line from baseline to baseline: further below, it does not belong to the note above."""
_MOST_CELLS = 3
"""A running head has no more fragments; a table's header row, which comes back too, has."""


@dataclass(slots=True)
class Sheet:
    """The lines of one page that run in one direction, in reading order; the notes at its foot by number."""

    lines: list[Line]
    notes: list[tuple[int, list[Line]]] = field(default_factory=list)
    columns: int = 1
    runover: tuple[int, int] = (0, 0)
    """Where among the lines stand small ones above the first note, which may belong to a note of the page before."""


def letters(text: str) -> str:
    """A title by its letters and figures alone, to compare an outline's entry with a line."""
    return re.sub(r"[\W_]+", "", text).casefold()


def body_size(pages: Sequence[Sequence[Line]]) -> float:
    """The height of most letters that stand in whole lines of prose; of all letters where there are no such lines."""
    lines = [line for page in pages for line in page]
    prose = [line for line in lines if max(len(f.text) for f in line.fragments) >= _PROSE_LINE] or lines
    sizes: Counter[float] = Counter()
    for line in prose:
        sizes[round(line.size * 2) / 2] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 10.0


def sheets_of(pages: Sequence[Sequence[Line]], body: float) -> tuple[list[Sheet], list[Change]]:
    """The lines of each page in reading order, and what was left out."""
    changes: list[Change] = []
    upright, stamped = _without_watermarks(pages, body)
    if stamped:
        changes.append(Change("watermarks", f"{len(stamped)} slanted lines of large type left out", None, "\n".join(stamped)))
    frames = [(frame, n == 0) for page in upright for n, frame in enumerate(_by_direction(page))]
    kept, heads = _without_running_heads(frames)
    if not any(kept):  # pages of nothing but a number say a number
        kept = [frame for frame, _ in frames]
    elif heads:
        changes.append(Change("running-heads", f"{len(heads)} running heads and page numbers left out", None, "\n".join(heads)))
    sheets = [_lay_out(lines, body) for lines in kept]
    columns = sum(sheet.columns > 1 for sheet in sheets)
    if columns:
        changes.append(Change("columns", f"{columns} pages read column by column"))
    for before, sheet in pairwise(sheets):
        start, stop = sheet.runover
        if before.notes and stop > start and not ends_sentence(before.notes[-1][1][-1].text):
            before.notes[-1][1].extend(sheet.lines[start:stop])
            del sheet.lines[start:stop]
    return sheets, changes


def _without_watermarks(pages: Sequence[Sequence[Line]], body: float) -> tuple[list[list[Line]], list[str]]:
    def stamped(line: Line) -> bool:
        return line.angle % 90 != 0 and line.size > _WATERMARK * body

    # On a page of nothing else, the slanted lines are its text.
    kept = [lines if all(map(stamped, lines)) else [line for line in lines if not stamped(line)] for lines in map(list, pages)]
    gone = [line.text for lines, rest in zip(pages, kept, strict=True) if len(rest) < len(lines) for line in lines if stamped(line)]
    return kept, gone


def _by_direction(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines of a page by direction, that of most letters first; a page without lines is one empty frame."""
    frames: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        frames[line.angle].append(line)
    return sorted(frames.values(), key=lambda frame: -sum(len(line.text) for line in frame)) or [[]]


def _without_running_heads(frames: Sequence[tuple[Sequence[Line], bool]]) -> tuple[list[list[Line]], list[str]]:
    """The frames, each with whether it is its page's main one, without the lines that come back in the margins; those lines."""
    seen: dict[tuple[str, int, int], set[int]] = defaultdict(set)
    margins = []
    for number, (lines, _) in enumerate(frames):
        ordered = sorted(lines, key=lambda line: -line.baseline)
        edges = [[(line, _head_key(line)) for line in edge] for edge in (ordered[: _MARGIN_LINES + 1], ordered[::-1][: _MARGIN_LINES + 1])]
        margins.append(edges)
        for _, key in (*edges[0][:_MARGIN_LINES], *edges[1][:_MARGIN_LINES]):
            seen[key].add(number)
    least = max(3, len(frames) // 5)
    kept, removed = [], []
    for (lines, main), (top, foot) in zip(frames, margins, strict=True):
        # A frame of one line is all the text of its page, unless the page has more in another direction.
        furnished = len(lines) > 1 if main else len(lines) < 3
        gone: set[int] = set()
        for edge in (top, foot):
            count = 0
            for line, key in edge[:_MARGIN_LINES]:
                lone_number = count == 0 and furnished and _PAGE_NUMBER.match(line.text)
                if not lone_number and (len(seen[key]) < least or len(line.fragments) > _MOST_CELLS):
                    break  # what stands further in belongs to the page
                count += 1
            # A head stands apart from the text; lines that come back at its very beginning or end are text.
            while count > 1 and count < len(lines) and not _stands_apart(edge, count):
                count -= 1
            if count == 1 and not (furnished and _PAGE_NUMBER.match(edge[0][0].text)) and not _stands_apart(edge, 1):
                count = 0
            gone.update(id(line) for line, _ in edge[:count])
        if main and len(gone) == len(lines) > 1 and not all(_PAGE_NUMBER.match(line.text) for line in lines):
            gone.clear()
        removed += [line.text for line in lines if id(line) in gone]
        kept.append([line for line in lines if id(line) not in gone])
    return kept, removed


def _stands_apart(edge: Sequence[tuple[Line, object]], count: int) -> bool:
    """Whether the first lines of an edge of a page stand apart from the next; with none further in, they do."""
    if count >= len(edge):
        return True
    (last, _), (following, _) = edge[count - 1], edge[count]
    return abs(last.baseline - following.baseline) > _HEAD_GAP * max(last.size, following.size)


def _head_key(line: Line) -> tuple[str, int, int]:
    """What running heads have in common: their words, figures aside, their direction, and their height on the page."""
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", line.text.casefold()), line.angle, round(line.baseline / 8)


def _lay_out(lines: Sequence[Line], body: float) -> Sheet:
    """The lines of a page from top to bottom, column by column where prose stands in several."""
    gutters = _gutters([f for line in lines for f in line.fragments if len(f.text) > 2])  # in the order of the file
    called = {number for line in lines for f in line.fragments for _, number in f.markers}
    sheet = Sheet([], columns=len(gutters) + 1)
    if not gutters:
        _place(_merge_rows(sorted(lines, key=lambda line: (-line.baseline, line.left))), sheet, called, body)
        return sheet
    parts = [replace(line, fragments=(f,), opens=line.opens if n == 0 else None) for line in lines for n, f in enumerate(line.fragments)]
    band: list[Line] = []
    for part in sorted(parts, key=lambda line: -line.baseline):
        if any(part.left < x - 4 < x + 4 < part.right for x in gutters):
            _place_columns(band, gutters, sheet, called, body)
            sheet.lines.append(part)
            band = []
        else:
            band.append(part)
    _place_columns(band, gutters, sheet, called, body)
    return sheet


def _place_columns(band: Sequence[Line], gutters: Sequence[float], sheet: Sheet, called: Set[int], body: float) -> None:
    columns: list[list[Line]] = [[] for _ in range(len(gutters) + 1)]
    for line in band:
        columns[sum(line.left >= x - 4 for x in gutters)].append(line)
    for column in columns:
        _place(_merge_rows(column), sheet, called, body)


def _gutters(stretches: Sequence[Fragment]) -> list[float]:
    """Where columns of prose part, from left to right: few stretches of text cross, and on both sides they are long."""
    if len(stretches) < 20:
        return []
    low, high = min(f.left for f in stretches), max(f.right for f in stretches)
    best: tuple[int, float] | None = None
    for step in range(28, 73):
        x = low + (high - low) * step / 100
        crossing = sum(f.left < x - 2 and f.right > x + 2 for f in stretches)
        if best is None or (crossing, abs(step - 50)) < (best[0], abs((best[1] - low) / (high - low) * 100 - 50)):
            best = (crossing, x)
    if best is None or best[0] > 0.25 * len(stretches):
        return []
    _, x = best
    sides = ([f for f in stretches if f.right <= x + 2], [f for f in stretches if f.left >= x - 2])
    lengths = sorted(median([len(f.text) for f in side] or [0]) for side in sides)
    if min(map(len, sides)) < 8 or lengths[1] < 20:
        return []
    # A file that draws one side whole before the other has columns, however narrow; otherwise both must look like prose.
    in_turn = sum(f.left >= x - 2 for f in stretches[: len(stretches) - len(sides[1])]) <= 0.05 * len(sides[1])
    wide = all(sum(f.right - f.left for f in side) / len(side) >= 0.2 * (high - low) for side in sides)
    if not in_turn and (lengths[0] < 20 or not wide):
        return []
    return [*_gutters(sides[0]), x, *_gutters(sides[1])]


def _merge_rows(lines: Sequence[Line]) -> list[Line]:
    """Stretches on one baseline are one line, whatever the order in which the file draws them; but a note begins one."""
    rows: list[list[Line]] = []
    for line in lines:
        if rows and abs(rows[-1][0].baseline - line.baseline) < _LEVEL * min(rows[-1][0].size, line.size):
            rows[-1].append(line)
        else:
            rows.append([line])
    merged: list[Line] = []
    for row in rows:
        row.sort(key=lambda line: line.left)
        for n, line in enumerate(row):
            last = merged[-1] if n else None
            if last is None or line.opens is not None or _touch(last, line):
                merged.append(line)
                continue
            fragments = tuple(sorted((*last.fragments, *line.fragments), key=lambda f: f.left))
            merged[-1] = replace(last, fragments=fragments, bold=last.bold and line.bold, leaders=last.leaders or line.leaders)
    return merged


def _touch(one: Line, other: Line) -> bool:
    return any(a.left < b.right - 1 and b.left < a.right - 1 for a in one.fragments for b in other.fragments)


def _place(lines: list[Line], sheet: Sheet, called: Set[int], body: float) -> None:
    """Put lines that stand below each other on a sheet, the notes at their foot apart.

    Notes are small lines below the last line of prose, from the first that begins with a number on; or lines of any size
    that begin with a superscript which the page has as a marker. They end where a gap parts other lines from them.
    """
    start = len(lines)
    while start and lines[start - 1].size < _SMALL * body:
        start -= 1
    raised = next((n for n, line in enumerate(lines) if line.opens in called), len(lines))
    begin = next((n for n, line in enumerate(lines) if n >= start and _note_number(line, called) is not None), len(lines))
    begin = min(begin, raised)
    stop = begin
    notes: list[tuple[int, list[Line]]] = []
    while stop < len(lines):
        line, number = lines[stop], _note_number(lines[stop], called)
        if number is not None and (not notes or number > notes[-1][0]):
            notes.append((number, [line]))
        elif lines[stop - 1].baseline - line.baseline > _APART * line.size or line.size > 1.1 * notes[-1][1][0].size:
            break
        else:
            notes[-1][1].append(line)
        stop += 1
    if 0 < start < begin and sheet.runover == (0, 0):
        sheet.runover = (len(sheet.lines) + start, len(sheet.lines) + begin)
    sheet.lines += lines[:begin] + lines[stop:]
    sheet.notes += notes


def _note_number(line: Line, called: Set[int]) -> int | None:
    if line.opens is not None:
        return line.opens
    match = NOTE_START.match(line.text)
    return int(match[1]) if match and int(match[1]) in called else None
