"""Runs of lines of a PDF page: where a table or a table of contents ends, and how far the lines of a passage reach.

Left out: making blocks of them (pdf_blocks.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from eunato_rag.ingestion.layout import ends_sentence
from eunato_rag.ingestion.readers.pdf_lines import Line

BULLET = re.compile(r"^(?:[•▪●○◦■□–—\-*·\uf0b7\uf0a7]|\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)])$", re.IGNORECASE)
ITEM = re.compile(r"^(?:[•▪●○◦■□·\uf0b7\uf0a7\ufffd]\s+|\((?:\d{1,2}|[a-z]|[ivx]{1,4})\)\s*|(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]\s+)(?=\S)")
_PAGE = re.compile(r"(?<!\S)(\d{1,4}|[ivxlc]{1,6})$", re.IGNORECASE)
_MAX_ENTRY = 160
_LABEL = 12
"""Characters: a shorter line among rows is a cell, or the label of a figure."""


def contents_end(lines: Sequence[Line], start: int) -> int:
    """Where the lines of a table of contents end that begin at a line; `start` where none do.

    Dots that lead to page numbers, which do not fall, make the contents; among such entries there may be some without
    dots, and one without a page number goes on in the next line.
    """
    end, numbers, bare = start, [], 0
    for n in range(start, len(lines)):
        page = _PAGE.search(lines[n].text)
        if page and lines[n].leaders:
            numbers.append(int(page[1]) if page[1].isdecimal() else 0)
            end, bare = n + 1, 0
        elif page and len(lines[n].text) <= _MAX_ENTRY and bare < 3:
            end, bare = (n + 1 if numbers else end), bare + 1
        elif n == start or n - end >= 2:
            break
    falls = sum(a > b for a, b in pairwise(numbers))
    return end if len(numbers) >= 3 and falls <= len(numbers) / 10 else start


def table_end(lines: Sequence[Line], start: int, least: int) -> int:
    """Where the table, or the labels of a figure, that begin at a line end; `start` where none do.

    A line of one cell may stand among the rows: a heading inside the table.
    """
    end, rows, labels = start, 0, 0
    for n in range(start, len(lines)):
        line = lines[n]
        if _is_row(line):
            rows, end = rows + 1, n + 1
        elif len(line.text) <= _LABEL and not ITEM.match(line.text + " x") and not ends_sentence(line.text):
            labels, end = labels + 1, n + 1
        elif n == start or n - end >= 2 or len(line.text) > 60 or ends_sentence(line.text):
            break
    return end if rows >= least or (rows + labels >= 4 and least == 2) else start


def _is_row(line: Line) -> bool:
    return len(line.fragments) > 1 and not (len(line.fragments) == 2 and BULLET.match(line.fragments[0].text))


def pitch_of(lines: Sequence[Line]) -> float:
    steps = [a.baseline - b.baseline for a, b in pairwise(lines) if 0 < a.baseline - b.baseline < 3 * a.size]
    return median(steps) if steps else 12.0


def usual_right(lines: Sequence[Line]) -> float:
    rights = sorted(line.right for line in lines)
    return rights[int(len(rights) * 0.8)] if rights else 0.0


def measures(lines: Sequence[Line], usual: float) -> dict[int, float]:
    """For each line, by its id, how far to the right its neighbours reach.

    Lines below each other that are nearly all as wide as the widest are prose, however narrow; others, such as an
    address, are measured against the page.
    """
    measures: dict[int, float] = {}
    start = 0
    while start < len(lines):
        end = start + 1
        while end < len(lines) and _sets_on(lines[start], lines[end - 1], lines[end]):
            end += 1
        run = lines[start:end]
        widest = max(line.right for line in run)
        full = sum(widest - line.right < 0.2 * (widest - line.left) for line in run[:-1])
        prose = len(run) > 2 and full > 0.6 * (len(run) - 1)
        measures.update((id(line), widest if prose else max(widest, usual)) for line in run)
        start = end
    return measures


def _sets_on(first: Line, last: Line, line: Line) -> bool:
    level = abs(first.size - line.size) < 0.05 * first.size and abs(first.left - line.left) < 3 * first.size
    return level and 0 < last.baseline - line.baseline < 1.6 * line.size
