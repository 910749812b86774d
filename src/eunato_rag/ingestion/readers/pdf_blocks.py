"""Lines of a PDF -> blocks: reading order, running heads, tables, headings, paragraphs, lists, notes at the foot.

All by geometry and type size, measured against the document's own body text; nothing knows a publisher's layout.
Left out: opening the file and what stands in its catalogue (pdf.py).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

from eunato_rag.ingestion.layout import Draft, Prose, ends_sentence
from eunato_rag.ingestion.readers.pdf_lines import Line
from eunato_rag.records import Change

_BULLET = re.compile(r"^(?:[•▪●○◦■□–—\-*·\uf0b7\uf0a7]|\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)])$", re.IGNORECASE)
_ITEM = re.compile(r"^(?:(?P<bullet>[•▪●○◦■□·\uf0b7\uf0a7])|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)])\s+(?=\S)")
_CAPTION = re.compile(r"^(?:sources?|figure|fig\.|table|graph|chart|map|box)\b\s*[\w.]{0,6}\s*[:.–-]", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"^[\W_]*(?:page\s+|p\.\s*)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:of|/|\|)\s*\d{1,4})?[\W_]*$", re.IGNORECASE)
_NUMBERED = re.compile(r"^(\d{1,2}(?:\.\d{1,2})*)\.?\s+\S")
_NOTE_START = re.compile(r"^(\d{1,3})[\s.)]+(?=\S)")
_LEADERS = re.compile(r"(?:\.\s?){4,}|…{2,}")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

_MARGIN_LINES = 3
_PROSE_LINE = 40
_LABEL = 12
"""Characters: a shorter line among rows is a cell, or the label of a figure."""
_LARGE, _SMALL = 1.1, 0.94
"""Of the body's size: from here on a heading, below it a note."""
_MAX_HEADING = 160
_KEYS_PER_PAGE = 1000


@dataclass(slots=True)
class _Page:
    lines: list[Line]
    notes: list[tuple[int, list[Line]]] = field(default_factory=list)
    columns: int = 1


def blocks_of(pages: Sequence[Sequence[Line]], outline: Mapping[str, int]) -> tuple[list[Draft], list[Change]]:
    """The blocks of a document in reading order, notes last, and what was left out or changed.

    `outline` gives the level, from 1, of each title in the file's own outline, by its letters alone (`letters`).
    """
    changes: list[Change] = []
    body = _body_size(pages)
    kept, heads = _without_running_heads(pages)
    if heads:
        changes.append(Change("running-heads", f"{len(heads)} running heads and page numbers left out", None, "\n".join(heads)))
    laid = [_lay_out(list(lines)) for lines in kept]
    for page in laid:
        _take_notes(page, body)
    known = {_key(page.lines[0].page if page.lines else lines[0].page, n) for page in laid for n, lines in page.notes}
    columns = sum(page.columns > 1 for page in laid)
    if columns:
        changes.append(Change("columns", f"{columns} pages read column by column"))
    builder = _Builder(body, outline, frozenset(known), _vocabulary(pages))
    for page in laid:
        builder.add_page(page)
    if builder.hyphens:
        changes.append(Change("hyphens", f"{builder.hyphens} words divided at the end of a line are whole again"))
    if builder.contents:
        changes.append(Change("contents", f"contents with {len(builder.contents)} lines removed", None, "\n".join(builder.contents)))
    drafts = _with_title(builder.finish())
    tables = sum(draft.kind == "table" for draft in drafts)
    if tables:
        changes.append(Change("tables", f"{tables} tables kept as rows"))
    notes = [draft for draft in drafts if draft.kind == "note"]
    if notes:
        tied = {key for draft in drafts for _, key in draft.prose.markers}
        changes.append(Change("notes", f"{len(notes)} notes set behind the prose, {len(tied)} tied to their markers"))
    return [d for d in drafts if d.kind != "note"] + notes, changes


def _with_title(drafts: list[Draft]) -> list[Draft]:
    """The first heading of the first page is the document's title where it stands before all text of any length."""
    for n, draft in enumerate(drafts):
        if draft.kind == "heading":
            return [*drafts[:n], replace(draft, level=0), *drafts[n + 1 :]] if draft.prose.pages[0][1] == 1 else drafts
        if len(draft.prose.text) > _MAX_HEADING:
            break
    return drafts


def letters(text: str) -> str:
    """A title by its letters and figures alone, to compare an outline's entry with a line."""
    return re.sub(r"[\W_]+", "", text).casefold()


def _body_size(pages: Sequence[Sequence[Line]]) -> float:
    """The height of most letters that stand in whole lines of prose; of all letters where there are no such lines."""
    lines = [line for page in pages for line in page]
    prose = [line for line in lines if max(len(f.text) for f in line.fragments) >= _PROSE_LINE] or lines
    sizes: Counter[float] = Counter()
    for line in prose:
        sizes[round(line.size * 2) / 2] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 10.0


def _vocabulary(pages: Sequence[Sequence[Line]]) -> frozenset[str]:
    return frozenset(word.casefold() for page in pages for line in page for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", line.text))


def _without_running_heads(pages: Sequence[Sequence[Line]]) -> tuple[list[list[Line]], list[str]]:
    """The pages without the lines that come back in their margins, and those lines."""
    seen: dict[tuple[str, int], set[int]] = defaultdict(set)
    margins = []
    for number, lines in enumerate(pages):
        ordered = sorted(lines, key=lambda line: -line.baseline)
        edges = [[(line, _head_key(line)) for line in edge] for edge in (ordered[:_MARGIN_LINES], ordered[::-1][:_MARGIN_LINES])]
        margins.append(edges)
        for _, key in (*edges[0], *edges[1]):
            seen[key].add(number)
    least = max(3, len(pages) // 5)
    kept, removed = [], []
    for lines, (top, foot) in zip(pages, margins, strict=True):
        gone: set[int] = set()
        for edge in (top, foot):
            for n, (line, key) in enumerate(edge):
                lone_number = n == 0 and len(lines) > 1 and _PAGE_NUMBER.match(line.text)
                if not lone_number and (len(seen[key]) < least or len(line.fragments) > 3):
                    break  # what stands further in belongs to the page
                gone.add(id(line))
        removed += [line.text for line in lines if id(line) in gone]
        kept.append([line for line in lines if id(line) not in gone])
    return kept, removed


def _head_key(line: Line) -> tuple[str, int]:
    """What running heads have in common: their words, figures aside, and their height on the page."""
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", line.text.casefold()), round(line.baseline / 8)


def _lay_out(lines: list[Line]) -> _Page:
    """The lines of a page from top to bottom, column by column where prose stands in two."""
    gutter = _gutter(lines)
    if gutter is None:
        return _Page(_merge_rows(sorted(lines, key=lambda line: (-line.baseline, line.left))))
    parts = [replace(line, fragments=(f,), opens=line.opens if n == 0 else None) for line in lines for n, f in enumerate(line.fragments)]
    ordered: list[Line] = []
    band: list[Line] = []
    for part in sorted(parts, key=lambda line: -line.baseline):
        if part.left < gutter - 4 < gutter + 4 < part.right:
            ordered += _by_column(band, gutter)
            ordered.append(part)
            band = []
        else:
            band.append(part)
    return _Page(ordered + _by_column(band, gutter), columns=2)


def _by_column(band: list[Line], gutter: float) -> list[Line]:
    return [line for line in band if line.left < gutter - 4] + [line for line in band if line.left >= gutter - 4]


def _gutter(lines: Sequence[Line]) -> float | None:
    """Where two columns of prose part: few stretches of text cross it, and on both sides they are long."""
    stretches = [f for line in lines for f in line.fragments if len(f.text) > 2]
    if len(stretches) < 20:
        return None
    low, high = min(f.left for f in stretches), max(f.right for f in stretches)
    best: tuple[int, float] | None = None
    for step in range(35, 66):
        x = low + (high - low) * step / 100
        crossing = sum(f.left < x - 2 and f.right > x + 2 for f in stretches)
        if best is None or (crossing, abs(step - 50)) < (best[0], abs((best[1] - low) / (high - low) * 100 - 50)):
            best = (crossing, x)
    if best is None or best[0] > 0.25 * len(stretches):
        return None
    crossing, x = best
    for side in ([f for f in stretches if f.right <= x + 2], [f for f in stretches if f.left >= x - 2]):
        if len(side) < 8 or median(len(f.text) for f in side) < 20:
            return None
        if sum(f.right - f.left for f in side) / len(side) < 0.25 * (high - low):
            return None
    return x


def _merge_rows(lines: Sequence[Line]) -> list[Line]:
    """Stretches on one baseline are one line, whatever the order in which the file draws them."""
    rows: list[Line] = []
    for line in lines:
        last = rows[-1] if rows else None
        if last is not None and abs(last.baseline - line.baseline) < 0.25 * min(last.size, line.size) and not _touch(last, line):
            fragments = tuple(sorted((*last.fragments, *line.fragments), key=lambda f: f.left))
            rows[-1] = replace(last, fragments=fragments, opens=last.opens or line.opens, bold=last.bold and line.bold)
        else:
            rows.append(line)
    return rows


def _touch(one: Line, other: Line) -> bool:
    return any(a.left < b.right - 1 and b.left < a.right - 1 for a in one.fragments for b in other.fragments)


def _take_notes(page: _Page, body: float) -> None:
    """The notes at the foot: small lines below the last line of prose, from the first that begins with a number on."""
    start = len(page.lines)
    while start and page.lines[start - 1].size < _SMALL * body:
        start -= 1
    called = {number for line in page.lines for f in line.fragments for _, number in f.markers}
    foot = page.lines[start:]
    begin = next((n for n, line in enumerate(foot) if _note_number(line, called) is not None), None)
    if begin is None:
        return
    for line in foot[begin:]:
        number = _note_number(line, called)
        if number is not None and (not page.notes or number > page.notes[-1][0]):
            page.notes.append((number, [line]))
        else:
            page.notes[-1][1].append(line)
    page.lines = page.lines[: start + begin]


def _note_number(line: Line, called: set[int]) -> int | None:
    if line.opens is not None:
        return line.opens
    match = _NOTE_START.match(line.text)
    return int(match[1]) if match and int(match[1]) in called else None


def _key(page: int, number: int) -> int:
    return page * _KEYS_PER_PAGE + number


class _Builder:
    """Puts lines together into blocks; `finish` then tells headings from paragraphs, by the type of whole blocks."""

    def __init__(self, body: float, outline: Mapping[str, int], notes: frozenset[int], vocabulary: frozenset[str]) -> None:
        self.body, self.outline, self.notes, self.vocabulary = body, outline, notes, vocabulary
        self.contents: list[str] = []
        self.hyphens = 0
        self._drafts: list[Draft] = []
        self._types: dict[int, Line] = {}
        self._open: int | None = None
        self._previous: Line | None = None
        self._right = 0.0

    def finish(self) -> list[Draft]:
        """The blocks, headings with their levels: by the outline, by number, else by size, the largest first."""
        found = {n: line for n, line in self._types.items() if self._is_heading(self._drafts[n].prose.text, line)}
        sizes = sorted({round(line.size * 2) / 2 for line in found.values() if line.size >= _LARGE * self.body}, reverse=True)
        drafts = list(self._drafts)
        for n, line in found.items():
            text = drafts[n].prose.text
            numbered, size = _NUMBERED.match(text), round(line.size * 2) / 2
            level = self.outline.get(letters(text)) or (
                numbered[1].count(".") + 1 if numbered else 1 + sizes.index(size) if size in sizes else len(sizes) + 1
            )
            drafts[n] = Draft("heading", drafts[n].prose, level)
        return drafts

    def _is_heading(self, text: str, line: Line) -> bool:
        if len(text) > _MAX_HEADING or not re.search(r"[^\W\d_]{3}", text) or text[0].islower():
            return False
        if letters(text) in self.outline:
            return True
        return (line.bold or line.size >= _LARGE * self.body) and not ends_sentence(text) and text[0] not in "(["

    def add_page(self, page: _Page) -> None:
        self._right = _usual_right(page.lines)
        pitch = _pitch(page.lines)
        n = 0
        while n < len(page.lines):
            stop = _table_end(page.lines, n) if page.columns == 1 else n
            if stop > n:
                self._table(page.lines[n:stop])
                n, self._open = stop, None
                continue
            self._line(page.lines[n], pitch, first=n == 0)
            n += 1
        for number, lines in page.notes:
            prose = self._prose(lines[0], number)
            for line in lines[1:]:
                prose = self._join(prose, self._prose(line))
            self._drafts.append(Draft("note", prose, number=number, key=_key(lines[0].page, number)))

    def _line(self, line: Line, pitch: float, *, first: bool) -> None:
        prose = self._prose(line)
        previous, self._previous = self._previous, line
        bullet = len(line.fragments) > 1 and _BULLET.match(line.fragments[0].text)
        if _ITEM.match(prose.text) or bullet:
            self._add(Draft("list_item", _without_bullet(prose), level=1), line)
        elif _CAPTION.match(prose.text):
            self._add(Draft("caption", prose), line)
        elif self._open is not None and previous is not None and self._goes_on(self._drafts[self._open], previous, line, pitch, first):
            self._drafts[self._open] = replace(self._drafts[self._open], prose=self._join(self._drafts[self._open].prose, prose))
        else:
            self._add(Draft("paragraph", prose), line)

    def _add(self, draft: Draft, line: Line) -> None:
        self._open = len(self._drafts)
        self._drafts.append(draft)
        if draft.kind == "paragraph" or _NUMBERED.match(draft.prose.text):
            self._types[self._open] = line

    def _goes_on(self, last: Draft, previous: Line, line: Line, pitch: float, first: bool) -> bool:
        """Whether a line belongs to the block before it."""
        ended = ends_sentence(last.prose.text)
        if abs(previous.size - line.size) > 0.08 * self.body + 0.4 or previous.bold != line.bold:
            return False
        if first or line.baseline > previous.baseline:  # another page or column
            return not ended and (line.text[:1].islower() or (not line.bold and previous.right > 0.9 * self._right))
        if previous.baseline - line.baseline > 1.45 * pitch or (last.kind == "caption" and ended):
            return False
        indented = line.left - previous.left > 0.8 * line.size
        short = previous.right < self._right - 0.15 * (self._right - previous.left)
        return not (ended and (indented or short) and last.kind == "paragraph")

    def _table(self, lines: Sequence[Line]) -> None:
        rows = [" | ".join(self._prose(replace(line, fragments=(f,))).text for f in line.fragments) for line in lines]
        if sum(bool(_LEADERS.search(row)) for row in rows) > len(rows) / 2:
            self.contents += rows
            return
        prose = Prose("")
        for line, row in zip(lines, rows, strict=True):
            prose = prose.joined(Prose(row, pages=((0, line.page),)), "\n")
        self._drafts.append(Draft("table", prose))

    def _prose(self, line: Line, opens: int | None = None) -> Prose:
        text, markers = "", []
        for fragment in line.fragments:
            text += " " if text else ""
            at = 0
            for offset, number in fragment.markers:
                text += fragment.text[at:offset]
                at = offset
                if _key(line.page, number) in self.notes:
                    markers.append((len(text), _key(line.page, number)))
                else:
                    text += str(number).translate(_SUPERSCRIPTS)
            text += fragment.text[at:]
        if opens is not None and line.opens is None:
            match = _NOTE_START.match(text)
            shift = match.end() if match else 0
            text, markers = text[shift:], [(o - shift, k) for o, k in markers if o > shift]
        elif opens is None and line.opens is not None:
            text = str(line.opens).translate(_SUPERSCRIPTS) + text
            markers = [(o + len(str(line.opens)), k) for o, k in markers]
        return Prose(text, tuple(markers), pages=((0, line.page),)).cut(0)

    def _join(self, first: Prose, second: Prose) -> Prose:
        divided = re.search(r"([^\W\d_]+)-$", first.text)
        follows = re.match(r"[^\W\d_]+", second.text)
        if not divided or not follows or divided.end() in [o for o, _ in first.markers]:
            return first.joined(second)
        whole, kept = (divided[1] + follows[0]).casefold(), f"{divided[1]}-{follows[0]}".casefold()
        if follows[0][0].isupper() or (kept in self.vocabulary and whole not in self.vocabulary):
            return first.joined(second, "")
        self.hyphens += 1
        return first.cut(0, len(first.text) - 1).joined(second, "")


def _table_end(lines: Sequence[Line], start: int) -> int:
    """Where the table, or the labels of a figure, that begin at a line end; `start` where none do.

    A line of one cell may stand among the rows: a heading inside the table.
    """
    end, rows, labels = start, 0, 0
    for n in range(start, len(lines)):
        line = lines[n]
        if _is_row(line):
            rows, end = rows + 1, n + 1
        elif len(line.text) <= _LABEL and not _ITEM.match(line.text + " x") and not ends_sentence(line.text):
            labels, end = labels + 1, n + 1
        elif n == start or n - end >= 2 or len(line.text) > 60 or ends_sentence(line.text):
            break
    return end if rows >= 2 or (rows + labels >= 4) else start


def _is_row(line: Line) -> bool:
    return len(line.fragments) > 1 and not (len(line.fragments) == 2 and _BULLET.match(line.fragments[0].text))


def _pitch(lines: Sequence[Line]) -> float:
    steps = [a.baseline - b.baseline for a, b in pairwise(lines) if 0 < a.baseline - b.baseline < 3 * a.size]
    return median(steps) if steps else 12.0


def _usual_right(lines: Sequence[Line]) -> float:
    rights = sorted(line.right for line in lines)
    return rights[int(len(rights) * 0.8)] if rights else 0.0


def _without_bullet(prose: Prose) -> Prose:
    match = re.match(r"^[•▪●○◦■□–—\-*·\uf0b7\uf0a7]\s+", prose.text)
    return prose.cut(match.end()) if match else prose
