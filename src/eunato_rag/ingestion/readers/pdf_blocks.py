"""Lines of a PDF -> blocks: reading order, running heads, tables, headings, paragraphs, lists, notes at the foot.

All by geometry and type size, measured against the document's own body text; nothing knows a publisher's layout.
Left out: opening the file and what stands in its catalogue (pdf.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from eunato_rag.ingestion.layout import Draft, Prose, ends_sentence
from eunato_rag.ingestion.readers.pdf_lines import Line
from eunato_rag.ingestion.readers.pdf_order import NOTE_START, Sheet, body_size, letters, sheets_of
from eunato_rag.ingestion.readers.pdf_runs import BULLET, ITEM, contents_end, measures, pitch_of, table_end, usual_right
from eunato_rag.records import Change

_DASH = re.compile(r"^[-–—]\s+(?=[^\W\d_])")
_CAPTION = re.compile(r"^(?:sources?|figure|fig\.|table|graph|chart|map|box)\b\s*[\w.]{0,6}\s*[:.–-]", re.IGNORECASE)
_NUMBERED = re.compile(r"^(\d{1,2}(?:\.\d{1,2})*)\.?\s+\S")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

_LARGE = 1.1
"""Of the body's size: from here on a heading."""
_MAX_HEADING = 160
_KEYS_PER_PAGE = 1000


def blocks_of(pages: Sequence[Sequence[Line]], outline: Mapping[str, int]) -> tuple[list[Draft], list[Change]]:
    """The blocks of a document in reading order, notes last, and what was left out or changed.

    `outline` gives the level, from 1, of each title in the file's own outline, by its letters alone (`letters`).
    """
    body = body_size(pages)
    sheets, changes = sheets_of(pages, body)
    known = {_key(lines[0].page, number) for sheet in sheets for number, lines in sheet.notes}
    builder = _Builder(body, outline, frozenset(known), _vocabulary(pages))
    for sheet in sheets:
        builder.add_page(sheet)
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


def _vocabulary(pages: Sequence[Sequence[Line]]) -> frozenset[str]:
    return frozenset(word.casefold() for page in pages for line in page for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", line.text))


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
        self._measures: dict[int, float] = {}
        self._left = self._widest = 0.0
        self._hang: float | None = None

    def finish(self) -> list[Draft]:
        """The blocks, headings with their levels: by the outline, by number, else by size, the largest first.

        A short line in heavier type between a caption and its table goes on with the caption: a unit, a basis.
        """
        found = {n: line for n, line in self._types.items() if self._is_heading(self._drafts[n].prose.text, line)}
        below = {n for n in found if n and self._drafts[n - 1].kind == "caption" and self._kind(n + 1) == "table"}
        for n in below:
            self._drafts[n] = replace(self._drafts[n], kind="caption")
            del found[n]
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

    def _kind(self, n: int) -> str:
        return self._drafts[n].kind if n < len(self._drafts) else ""

    def _is_heading(self, text: str, line: Line) -> bool:
        if len(text) > _MAX_HEADING or not re.search(r"[^\W\d_]{3}", text) or text[0].islower():
            return False
        if letters(text) in self.outline:
            return True
        return self._is_large(line) and not ends_sentence(text) and text[0] not in "(["

    def add_page(self, page: Sheet) -> None:
        self._right = usual_right(page.lines)
        self._measures = measures(page.lines, self._right) if page.columns == 1 else {}
        pitch = pitch_of(page.lines)
        n = 0
        while n < len(page.lines):
            stop = contents_end(page.lines, n)
            if stop > n:
                self.contents += [line.text for line in page.lines[n:stop]]
                n, self._open = stop, None
                continue
            if contents_end(page.lines, n + 1) > n + 1:  # the word Contents above them
                self._line(page.lines[n], pitch, first=n == 0)
                n += 1
                continue
            stop = table_end(page.lines, n, 2 if page.columns == 1 else 3)
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
        bullet = len(line.fragments) > 1 and BULLET.match(line.fragments[0].text)
        if ITEM.match(prose.text) or bullet or (_DASH.match(prose.text) and self._may_begin_item(line)):
            self._add(Draft("list_item", _without_bullet(prose), level=1), line)
        elif _CAPTION.match(prose.text):
            self._add(Draft("caption", prose), line)
        elif self._open is not None and previous is not None and self._goes_on(self._drafts[self._open], previous, line, pitch, first):
            self._drafts[self._open] = replace(self._drafts[self._open], prose=self._join(self._drafts[self._open].prose, prose))
            if previous.baseline <= line.baseline:  # in another column
                self._left, self._hang, self._widest = line.left, None, line.right
            else:
                self._hang = line.left if self._hang is None else self._hang
                self._widest = max(self._widest, line.right)
        else:
            self._add(Draft("paragraph", prose), line)

    def _may_begin_item(self, line: Line) -> bool:
        """Whether a dash at the start of a line can open a list item: not in the middle of a sentence."""
        if self._open is None:
            return True
        last = self._drafts[self._open]
        return ends_sentence(last.prose.text) or (last.kind == "list_item" and abs(line.left - self._left) < line.size)

    def _add(self, draft: Draft, line: Line) -> None:
        self._open = len(self._drafts)
        self._left, self._hang, self._widest = line.left, None, line.right
        self._drafts.append(draft)
        if draft.kind == "paragraph" or _NUMBERED.match(draft.prose.text):
            self._types[self._open] = line

    def _goes_on(self, last: Draft, previous: Line, line: Line, pitch: float, first: bool) -> bool:
        """Whether a line belongs to the block before it."""
        ended = ends_sentence(last.prose.text)
        if line.opens is not None or abs(previous.size - line.size) > 0.08 * self.body + 0.4 or previous.bold != line.bold:
            return False
        if first or line.baseline > previous.baseline:  # another page or column
            return not ended and (line.text[:1].islower() or (not line.bold and previous.right > 0.9 * self._right))
        if previous.baseline - line.baseline > 1.45 * pitch or (last.kind == "caption" and ended):
            return False
        if last.kind == "paragraph" and not self._is_large(line) and self._had_room(previous, line):
            return False
        if last.kind == "list_item" and self._stands_out(previous, line, ended=ended):
            return False
        indented = line.left - previous.left > 0.8 * line.size
        short = previous.right < self._right - 0.15 * (self._right - previous.left)
        return not (ended and (indented or short) and last.kind == "paragraph")

    def _stands_out(self, previous: Line, line: Line, *, ended: bool) -> bool:
        """Whether a line behind a list item has left the item's indentation."""
        away = line.left - self._left
        hanging = self._hang is not None and self._hang - line.left > 0.5 * line.size
        if away < -0.5 * line.size:  # an item whose first line alone is indented goes on in the margin
            return ended or hanging or self._had_room(previous, line)
        return away < 0.5 * line.size and (hanging or self._had_room(previous, line))

    def _is_large(self, line: Line) -> bool:
        return line.bold or line.size >= _LARGE * self.body

    def _had_room(self, previous: Line, line: Line) -> bool:
        """Whether a line ended on purpose: the first word of the next, and a little more, would have fitted into it.

        Measured against the lines around it, so that prose beside a picture is prose.
        """
        if previous.text.endswith("-"):
            return False
        width = (line.right - line.left) / max(1, len(line.text))
        word = len(line.text.split(" ", 1)[0]) + 1
        measure = self._measures.get(id(previous), max(self._widest, line.right))
        return measure - previous.right > word * width + 2 * line.size

    def _table(self, lines: Sequence[Line]) -> None:
        prose = Prose("")
        for line in lines:
            row = Prose("")
            for n, fragment in enumerate(line.fragments):
                cell = self._prose(replace(line, fragments=(fragment,), opens=None if n else line.opens))
                row = row.joined(cell, " | ")
            prose = prose.joined(row, "\n")
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
            match = NOTE_START.match(text)
            shift = match.end() if match else 0
            text, markers = text[shift:], [(o - shift, k) for o, k in markers if o > shift]
        elif opens is None and line.opens is not None:
            text = str(line.opens).translate(_SUPERSCRIPTS) + text
            markers = [(o + len(str(line.opens)), k) for o, k in markers]
        return Prose(text, tuple(markers), pages=((0, line.page),)).cut(0)

    def _join(self, first: Prose, second: Prose) -> Prose:
        if re.search(r"\d[-–]$", first.text) and second.text[:1].isdigit():  # 2019-2020
            return first.joined(second, "")
        divided = re.search(r"([^\W\d_]+)-$", first.text)
        follows = re.match(r"[^\W\d_]+", second.text)
        if not divided or not follows or divided.end() in [o for o, _ in first.markers]:
            return first.joined(second)
        if re.search(r"[/@]|\w\.\w", first.text.rsplit(" ", 1)[-1]):  # the hyphen of an address is its own
            return first.joined(second, "")
        whole, kept = (divided[1] + follows[0]).casefold(), f"{divided[1]}-{follows[0]}".casefold()
        capitals = (divided[1].isupper() and len(divided[1]) > 1, follows[0].isupper() and len(follows[0]) > 1)
        if capitals != (True, True) and (capitals[0] or follows[0][0].isupper()):  # NATO-led, Rhine-Main
            return first.joined(second, "")
        if kept in self.vocabulary and whole not in self.vocabulary:
            return first.joined(second, "")
        self.hyphens += 1
        return first.cut(0, len(first.text) - 1).joined(second, "")


def _without_bullet(prose: Prose) -> Prose:
    match = re.match(r"^[•▪●○◦■□–—\-*·\uf0b7\uf0a7]\s+", prose.text)
    return prose.cut(match.end()) if match else prose
