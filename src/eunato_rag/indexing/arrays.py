"""Arrays and lists of words in files: written bit by bit, never held whole; read by mapping, so that opening costs nothing.

The files are numpy's own (.npy). Left out: what stands in them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = 128
"""Bytes of what stands before the numbers: room for any shape, and a multiple of 64, as the format wants it."""
_REMEMBERED = 2**16
"""Words whose number is kept at hand."""
_AT_ONCE = 2**22
"""Numbers that are sorted at a time."""


class RowWriter:
    """A .npy file that grows by rows. `width` is None for an array of one dimension."""

    def __init__(self, path: Path, dtype: DTypeLike, width: int | None = None) -> None:
        self._dtype, self._width, self.rows = np.dtype(dtype), width, 0
        self._file = path.open("wb")
        self._file.write(bytes(_HEADER))

    def append(self, rows: NDArray[Any]) -> None:
        """Put rows behind those that are there.

        Raises:
            ValueError: they are of another width.
        """
        if rows.shape[1:] != (() if self._width is None else (self._width,)):
            raise ValueError(f"rows of shape {rows.shape[1:]} do not fit an array of width {self._width}")
        self._file.write(np.ascontiguousarray(rows, dtype=self._dtype).data)
        self.rows += len(rows)

    def close(self) -> None:
        shape = (self.rows,) if self._width is None else (self.rows, self._width)
        told = f"{{'descr': {self._dtype.str!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode()
        size = _HEADER - len(_MAGIC) - 2
        self._file.seek(0)
        self._file.write(_MAGIC + size.to_bytes(2, "little") + told.ljust(size - 1) + b"\n")
        self._file.close()

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close() if kind is None else self._file.close()


def mapped(path: Path) -> NDArray[Any]:
    """The array in a file, read from there where it is wanted; a plain view, which is quicker to index than a memmap.

    Raises:
        OSError, ValueError: there is none.
    """
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def new_array(path: Path, dtype: DTypeLike, size: int) -> NDArray[Any]:
    """A new file with an array of so many numbers, to be filled."""
    if not size:  # which cannot be mapped to be written to
        np.save(path, np.zeros(0, dtype), allow_pickle=False)
        return np.zeros(0, dtype)
    return np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(size,))


class Numbering(dict[str, int]):
    """Gives each word a number, from 0 on as they come; the words are its keys in that order."""

    def __missing__(self, word: str) -> int:
        self[word] = len(self)
        return self[word]

    def of(self, words: Sequence[str]) -> NDArray[np.int32]:
        return np.fromiter(map(self.__getitem__, words), dtype=np.int32, count=len(words))

    def in_order(self) -> tuple[list[str], NDArray[np.int32]]:
        """The words in the order of their code points, and for each number the place of its word in it."""
        words = sorted(self)
        rank = np.zeros(len(words), dtype=np.int32)
        rank[self.of(words)] = np.arange(len(words), dtype=np.int32)
        return words, rank


class Grouping:
    """Where numbers go that come in parts and are to stand by group, within a group as they came: a counting sort."""

    def __init__(self, sizes: NDArray[np.integer]) -> None:
        """`sizes` are how many there will be of each group; `bounds` where each group begins, and the end."""
        self.bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._free = self.bounds[:-1].copy()

    def places(self, groups: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The order in which to take the next part, whose members belong to `groups`, and where each of them goes."""
        order = np.argsort(groups, kind="stable")
        ordered = groups[order]
        first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(ordered) else np.zeros(0, dtype=np.int64)
        sizes = np.diff(np.append(first, len(ordered)))
        places = np.repeat(self._free[ordered[first]] - first, sizes) + np.arange(len(ordered))
        self._free[ordered[first]] += sizes
        return order, places


def parts(size: int) -> Iterable[slice]:
    """Slices that cover so many numbers, each few enough to be worked on at once."""
    return (slice(start, min(start + _AT_ONCE, size)) for start in range(0, size, _AT_ONCE))


class WordList(Sequence[str]):
    """Distinct words in the order of their code points, each known by its number there. Safe to share between threads."""

    _SUFFIXES = ".bin", "-bounds.npy"

    def __init__(self, letters: NDArray[np.uint8], bounds: NDArray[np.int64]) -> None:
        self._letters, self._bounds = letters.data, bounds.data
        self.number = lru_cache(_REMEMBERED)(self._number)

    @classmethod
    def write(cls, path: Path, words: Sequence[str]) -> None:
        """Write sorted words into two files whose names begin as `path` does."""
        letters, bounds = (path.with_name(path.name + suffix) for suffix in cls._SUFFIXES)
        ends = np.fromiter((len(word.encode()) for word in words), dtype=np.int64, count=len(words))
        np.save(bounds, np.concatenate([[0], np.cumsum(ends)]).astype(np.int64), allow_pickle=False)
        with letters.open("wb") as file:
            file.writelines(word.encode() for word in words)

    @classmethod
    def load(cls, path: Path) -> WordList:
        """The words that were written there.

        Raises:
            OSError, ValueError: there are none.
        """
        letters, bounds = (path.with_name(path.name + suffix) for suffix in cls._SUFFIXES)
        empty = not letters.stat().st_size  # which cannot be mapped
        return cls(np.zeros(0, np.uint8) if empty else np.asarray(np.memmap(letters, mode="r")), mapped(bounds))

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def __getitem__(self, number: Any) -> Any:
        return self._word(number).decode()

    def _word(self, number: int) -> bytes:
        return bytes(self._letters[self._bounds[number] : self._bounds[number + 1]])

    def _number(self, word: str) -> int:
        """The number of a word; -1 for one that is not there."""
        wanted = word.encode("utf-8", "replace")  # bytes of UTF-8 sort as code points do
        place = bisect_left(range(len(self)), wanted, key=self._word)
        return place if place < len(self) and self._word(place) == wanted else -1
