"""A PDF page -> rows of glyphs: the only caller of PDFium's raw functions.

PDFium names a page's characters, gives their places, and says where a line ends. Here each row gets its direction, and
its glyphs coordinates along it, so that a page that lies on its side reads like any other.
Left out: what the glyphs of a row say (pdf_lines.py).
"""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium

UNKNOWN = "\ufffd"
"""Stands for a glyph without Unicode."""
_SQUARE = 4
"""Degrees from a right angle: further off, a row is slanted."""
_BOLD = re.compile(rb"bold|black|heavy", re.IGNORECASE)
_Place = tuple[int, str, bool, float, float, float, float, float, float]


class Glyph(NamedTuple):
    """A character: where it begins and ends along its row, its baseline, the height of its font.

    `made` is true of a space that PDFium found between two letters and that nobody drew.
    """

    text: str
    left: float
    right: float
    baseline: float
    size: float
    space: bool
    made: bool


@dataclass(frozen=True, slots=True)
class Row:
    """Glyphs that PDFium holds for a line; `angle` is its direction in degrees, 90 for text that runs upwards."""

    angle: int
    bold: bool
    glyphs: tuple[Glyph, ...]

    @property
    def letters(self) -> list[Glyph]:
        return [glyph for glyph in self.glyphs if not glyph.space]


def read_rows(page: Any) -> list[Row]:
    """The rows of a pypdfium2 page in PDFium's reading order.

    A glyph without Unicode is U+FFFD where it leaves ink and a space where it leaves none.
    """
    text_page = page.get_textpage()
    try:
        return [_turned(places, text_page.raw) for places in _rows(text_page.raw)]
    finally:
        text_page.close()


def _rows(raw: Any) -> Iterator[list[_Place]]:
    rect, x, y = pdfium.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    places: list[_Place] = []
    high = 0
    for index in range(pdfium.FPDFText_CountChars(raw)):
        code = pdfium.FPDFText_GetUnicode(raw, index)
        made = code in (10, 13, 32) and pdfium.FPDFText_IsGenerated(raw, index) == 1
        if made and code != 32:
            if places:
                yield places
                places = []
            continue
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000 and high:
            code, high = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00), 0
        character = _character(code, raw, index)
        pdfium.FPDFText_GetLooseCharBox(raw, index, rect)
        pdfium.FPDFText_GetCharOrigin(raw, index, x, y)
        places.append((index, character, made, rect.left, rect.right, rect.bottom, rect.top, x.value, y.value))
    if places:
        yield places


def _character(code: int, raw: Any, index: int) -> str:
    if code == 2 and pdfium.FPDFText_HasUnicodeMapError(raw, index) != 1:
        return "-"  # PDFium's sign for a hyphen at the end of a line
    if code == 0xAD:
        return "-"  # a soft hyphen that is drawn is a hyphen
    if 32 <= code < 127 or 0xA0 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000:
        return chr(code)
    if code == 9:
        return " "
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pdfium.FPDFText_GetCharBox(raw, index, left, right, bottom, top)
    inked = abs(right.value - left.value) > 0.01 and abs(top.value - bottom.value) > 0.01
    return UNKNOWN if inked else " "


def _turned(places: Sequence[_Place], raw: Any) -> Row:
    drawn = [place for place in places if not place[1].isspace()] or [places[0]]
    middle = drawn[len(drawn) // 2][0]
    angle = _angle(drawn, middle, raw)
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    glyphs: list[Glyph] = []
    for _, text, made, left, right, bottom, top, x, y in places:
        if angle == 0:
            ends, size, baseline = (left, right), abs(top - bottom), y
        elif angle % 90 == 0:
            one, other = left * cos + bottom * sin, right * cos + top * sin
            ends, size = (min(one, other), max(one, other)), abs((top - bottom) * cos - (right - left) * sin)
            baseline = y * cos - x * sin
        else:  # the box of a slanted letter is too large on all sides: each ends where the next begins
            start, size, baseline = x * cos + y * sin, abs(top - bottom) / (abs(cos) + abs(sin)), y * cos - x * sin
            ends = (start, start + size / 2)
            if glyphs and glyphs[-1].left < start < glyphs[-1].left + 2 * size:
                glyphs[-1] = glyphs[-1]._replace(right=start)
        glyphs.append(Glyph(text, *ends, baseline, size, text.isspace(), made))
    return Row(angle, _is_bold(raw, drawn[0][0]) and _is_bold(raw, middle), tuple(glyphs))


def _angle(drawn: Sequence[_Place], middle: int, raw: Any) -> int:
    """The direction of a row: of its letters, or downwards where upright letters stand below each other."""
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFText_GetMatrix(raw, middle, matrix)
    sign = -1 if pdfium.FPDFText_GetFontSize(raw, middle) < 0 else 1
    degrees = round(math.degrees(math.atan2(sign * matrix.b, sign * matrix.a))) % 360
    off = (degrees + 45) % 90 - 45
    angle = degrees if abs(off) > _SQUARE else (degrees - off) % 360
    if angle != 0 or abs(drawn[0][8] - drawn[-1][8]) < drawn[0][6] - drawn[0][5]:
        return angle
    steps = [(abs(b[7] - a[7]), a[8] - b[8], a[6] - a[5]) for a, b in pairwise(drawn)]
    below = sum(aside < 0.1 * height and 0.5 * height < down < 3 * height for aside, down, height in steps)
    return 270 if below > len(steps) / 2 else 0


def _is_bold(raw: Any, index: int) -> bool:
    if pdfium.FPDFText_GetFontWeight(raw, index) >= 600:
        return True
    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    length = pdfium.FPDFText_GetFontInfo(raw, index, name, len(name), flags)
    return 0 < length <= len(name) and bool(_BOLD.search(name.value))
