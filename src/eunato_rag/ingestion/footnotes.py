"""Footnote markers and notes: which superscript is a marker, and which line is a note.

Left out: how a format writes its markers down (the readers), and which work a note cites (citations.py).
"""

from __future__ import annotations

import re

SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
"""Two Unicode blocks: ¹²³ are Latin-1, the others are not. NFKC would turn `report¹²` into `report12`."""

_DIGITS = str.maketrans(SUPERSCRIPTS, "0123456789")
_NOTE = re.compile(rf"(?:([{SUPERSCRIPTS}]{{1,3}})\s*|\[\^(\d{{1,3}})\]:\s*)(?=\S)")
_EXPONENT_BASE = re.compile(r"(?:^|[^\w])(?:10|[kcmd]?m|ft|km/h|s)$")


def superscript_number(digits: str) -> int:
    return int(digits.translate(_DIGITS))


def note_at_line_start(line: str) -> tuple[int, str] | None:
    """Number and text of the note that a line begins, or None: `¹ Author, Title` or `[^1]: Author, Title`."""
    match = _NOTE.match(line.lstrip())
    if match is None:
        return None
    number = superscript_number(match[1]) if match[1] else int(match[2])
    return number, line.lstrip()[match.end() :]


def is_marker(before: str, number: int, notes: frozenset[int]) -> bool:
    """Whether a superscript glued to `before` refers to a note: the document has that note, and it is no exponent.

    A year or a percentage may carry a marker (`2016⁶`); a unit or a power of ten carries an exponent (`km²`, `10⁶`).
    """
    return number in notes and bool(before) and not before[-1].isspace() and not _EXPONENT_BASE.search(before)
