"""Where things stand in a document is looked up as if it were read from its beginning each time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eunato_rag.places import Notes, Rows, Sections

KINDS = st.lists(st.one_of(st.none(), st.booleans(), st.integers(0, 6)), max_size=30)
"""Blocks: None for one that is not counted, a truth for one that is, a number for a heading of that level."""
SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda pair: (min(pair), max(pair))), max_size=8)
RANGE = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda pair: (min(pair), max(pair)))


def read_backwards(levels: list[int | None], counted: list[bool], block: int) -> tuple[list[int], int]:
    """The headings above a block and its number, by going back from it."""
    headings: list[int] = []
    paragraph, level = 0, None
    for place in range(block, -1, -1):
        found = levels[place]
        if found is None:
            paragraph += counted[place] and level is None
            continue
        if found > 0 and (level is None or found < level):
            headings.insert(0, place)
        level = found if level is None else min(level, found)
        if level <= 1:
            break
    return headings, paragraph


@given(kinds=KINDS)
def test_headings_and_paragraphs_are_those_that_going_back_finds(kinds: list[bool | int | None]) -> None:
    """At every block of any document."""
    levels = [kind if isinstance(kind, int) and not isinstance(kind, bool) else None for kind in kinds]
    counted = [kind is True for kind in kinds]
    sections = Sections(levels, counted)
    for block in range(len(kinds)):
        assert (sections.headings(block), sections.paragraph(block)) == read_backwards(levels, counted, block)
    assert sections.headings(-1) == []


@given(spans=SPANS, offsets=st.lists(st.lists(st.integers(0, 40), max_size=3), min_size=8, max_size=8), where=RANGE)
def test_notes_are_those_that_looking_at_each_finds(spans: list[tuple[int, int]], offsets: list[list[int]], where: tuple[int, int]) -> None:
    """By their own text, overlapping or not, and by their markers."""
    start, end = where
    anchors = offsets[: len(spans)]
    notes = Notes(spans, anchors)
    assert notes.touching(start, end) == [n for n, (a, b) in enumerate(spans) if a < end and start < b]
    assert notes.marked_in(start, end) == [n for n, marks in enumerate(anchors) if any(start < mark <= end for mark in marks)]


@given(lengths=st.lists(st.tuples(st.integers(1, 5), st.booleans()), min_size=1, max_size=12), start=st.integers(0, 80))
def test_rows_above_are_the_first_and_the_last_of_a_single_cell(lengths: list[tuple[int, bool]], start: int) -> None:
    """Of those that end before a place."""
    rows, at = [], 0
    for length, _ in lengths:
        rows.append((at, at + length))
        at += length + 1
    single = [alone for _, alone in lengths]
    above = [row for row in rows if row[1] <= start]
    parts = [row for row, alone in zip(above, single, strict=False) if alone]
    assert Rows(rows, single).above(start) == [*above[:1], *parts[-1:]]
