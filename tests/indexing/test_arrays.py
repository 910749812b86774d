"""Arrays and words in files: written bit by bit, read by mapping, equal to what was put in."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eunato_rag.indexing.arrays import Grouping, RowWriter, WordList, mapped, parts

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("width", [None, 1, 5])
def test_rows_that_were_appended_are_read_by_numpy(tmp_path: Path, width: int | None) -> None:
    """In any number of parts, none among them; no file is left that numpy takes for whole where the work broke off."""
    shape = () if width is None else (width,)
    rows = np.arange(7 * (width or 1), dtype=np.int32).reshape(7, *shape)
    with RowWriter(tmp_path / "a.npy", np.int32, width) as writer:
        for some in (rows[:3], rows[3:3], rows[3:]):
            writer.append(some)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), rows)
    np.testing.assert_array_equal(mapped(tmp_path / "a.npy"), rows)
    with RowWriter(tmp_path / "none.npy", np.uint8, width):
        pass
    assert mapped(tmp_path / "none.npy").shape == (0, *shape)
    writer = RowWriter(tmp_path / "half.npy", np.int32, width)
    writer.append(rows)
    writer.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    with pytest.raises(ValueError, match=r".+"):
        mapped(tmp_path / "half.npy")


def test_rows_of_another_width_are_refused(tmp_path: Path) -> None:
    """Else they would fill the file with what is not there."""
    with RowWriter(tmp_path / "a.npy", np.int32, 3) as writer, pytest.raises(ValueError, match="do not fit"):
        writer.append(np.zeros((2, 4), dtype=np.int32))


@UNHURRIED
@given(st.sets(st.text(max_size=6)), st.text(max_size=6))
def test_words_are_known_by_their_number(tmp_path: Path, words: set[str], other: str) -> None:
    """In the order of their code points, whatever they are; what is not there has no number."""
    ordered = sorted(words)
    WordList.write(tmp_path / "words", ordered)
    listed = WordList.load(tmp_path / "words")
    assert list(listed) == ordered
    assert [listed.number(word) for word in ordered] == list(range(len(ordered)))
    assert listed.number(other) == (ordered.index(other) if other in words else -1)


@given(st.lists(st.integers(0, 6), max_size=60), st.integers(1, 7))
def test_grouping_is_a_stable_sort(groups: list[int], size: int) -> None:
    """Part by part to where all of it would stand if it were sorted at once."""
    numbers = np.asarray(groups, dtype=np.int32)
    grouping = Grouping(np.bincount(numbers, minlength=7))
    sorted_to = np.full(len(numbers), -1)
    for start in range(0, len(numbers), size):
        order, places = grouping.places(numbers[start : start + size])
        sorted_to[places] = start + order
    np.testing.assert_array_equal(sorted_to, np.argsort(numbers, kind="stable"))


def test_parts_cover_everything_once() -> None:
    """And are none where there is nothing."""
    assert list(parts(0)) == []
    covered = list(parts(10_000_000))
    assert covered[0].start == 0
    assert covered[-1].stop == 10_000_000
    assert all(a.stop == b.start for a, b in pairwise(covered))
