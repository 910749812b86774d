"""A PDF page -> lines of text with place, size and superscripts: the only import of pypdfium2.

PDFium puts a page's characters into reading order and says where a line ends. Here each line gets its baseline and
size, figures raised above it become markers, and wide gaps cut it into fragments: cells, or columns.
Left out: what lines mean together (pdf_blocks.py).
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import pypdfium2.raw as pdfium

_GAP = 1.6
"""Ems between two characters of one line that belong to different cells or columns."""
_RAISED = 0.12
"""Share of a line's height by which a superscript stands above the baseline."""
_SMALL = 0.86


@dataclass(frozen=True, slots=True)
class Fragment:
    """A stretch of a line without a wide gap; `markers` are (offset in the text, number) of superscripts lifted out."""

    text: str
    left: float
    right: float
    markers: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line: fragments from left to right, the baseline in points from the foot of the page, the height of its letters.

    `opens` is the number of a superscript that the line begins with, as notes do.
    """

    fragments: tuple[Fragment, ...]
    page: int
    baseline: float
    size: float
    bold: bool
    opens: int | None = None

    @property
    def text(self) -> str:
        return " ".join(fragment.text for fragment in self.fragments)

    @property
    def left(self) -> float:
        return self.fragments[0].left

    @property
    def right(self) -> float:
        return self.fragments[-1].right


@dataclass(slots=True)
class _Glyph:
    text: str
    left: float
    right: float
    baseline: float
    size: float
    space: bool


def read_lines(page: Any, number: int) -> list[Line]:
    """The lines of a pypdfium2 page in PDFium's reading order; `number` is the page's, counted from 1."""
    text_page = page.get_textpage()
    try:
        return [line for glyphs in _rows(text_page.raw) if (line := _line(glyphs, number, text_page.raw)) is not None]
    finally:
        text_page.close()


def _rows(raw: Any) -> Iterator[list[tuple[int, _Glyph]]]:
    count = pdfium.FPDFText_CountChars(raw)
    rect, x, y = pdfium.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    row: list[tuple[int, _Glyph]] = []
    high = 0
    for index in range(count):
        code = pdfium.FPDFText_GetUnicode(raw, index)
        if code in (10, 13):
            if row:
                yield row
                row = []
            continue
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000:
            if not high:
                continue
            code, high = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00), 0
        # PDFium gives U+0002 for a hyphen at a line's end, and U+FFFE where a font has no Unicode for a glyph.
        character = "-" if code == 2 else "" if code in (0, 0xFFFE, 0xFFFF) else chr(code)
        if not character:
            continue
        pdfium.FPDFText_GetLooseCharBox(raw, index, rect)
        pdfium.FPDFText_GetCharOrigin(raw, index, x, y)
        size = abs(rect.top - rect.bottom)
        row.append((index, _Glyph(character, rect.left, rect.right, y.value, size, character.isspace())))
    if row:
        yield row


def _line(row: list[tuple[int, _Glyph]], number: int, raw: Any) -> Line | None:
    while row and row[0][1].space:
        row.pop(0)
    while row and row[-1][1].space:
        row.pop()
    letters = [glyph for _, glyph in row if not glyph.space]
    if not letters:
        return None
    size = median(glyph.size for glyph in letters)
    large = [glyph for glyph in letters if glyph.size > _SMALL * size] or letters
    baseline = median(glyph.baseline for glyph in large)
    bold = sum(pdfium.FPDFText_GetFontWeight(raw, row[n][0]) >= 600 for n in (0, len(row) // 2)) == 2
    fragments: list[Fragment] = []
    opens: int | None = None
    parts: list[str] = []
    markers: list[tuple[int, int]] = []
    left = right = row[0][1].left
    digits, length = "", 0

    def close_marker() -> None:
        nonlocal digits, opens
        if digits and length == 0 and not fragments:
            opens = int(digits)
        elif digits:
            markers.append((length, int(digits)))
        digits = ""

    def close() -> None:
        nonlocal parts, markers, length
        close_marker()
        text = "".join(parts).rstrip()
        if text:
            fragments.append(Fragment(text, left, right, tuple((min(o, len(text)), n) for o, n in markers)))
        parts, markers, length = [], [], 0

    for _, glyph in row:
        raised = glyph.size <= _SMALL * size and glyph.baseline > baseline + _RAISED * size
        if raised and glyph.text.isdecimal() and len(digits) < 3:
            digits += glyph.text
            right = max(right, glyph.right)
            continue
        if not glyph.space and parts and glyph.left - right > _GAP * size:
            close()
        if glyph.space and (length == 0 or parts[-1].isspace()):
            continue
        close_marker()
        if not parts:
            left = glyph.left
        parts.append(" " if glyph.space else glyph.text)
        length += len(parts[-1])
        if not glyph.space:
            right = glyph.right
    close()
    if not fragments:
        return None
    return Line(tuple(fragments), number, baseline, size, bold, opens)
