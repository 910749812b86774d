"""Filters as conditions on numbers, for a store that keeps some numbers beside each passage.

A passage has the number of its document and, for each facet, that of its value among all values of the corpus. What a
filter leaves is decided here, by the facets themselves; a condition names the numbers that are left. So a filter means the
same wherever is searched, and nothing that somebody typed is part of a condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eunato_rag.indexing.catalogue import FACETS, Filter

DOCUMENT, POSITION = "document", "position"
FIELDS = (DOCUMENT, *(facet.name for facet in FACETS))
"""Names of the numbers that a passage has, all of them integers from 0."""

NONE = f"{POSITION} < 0"
"""The condition that no passage meets."""

_RANGES = 8
"""Ranges in a condition at most; the numbers besides are listed. Conditions joined by `or` are nested where they are parsed."""


class Conditions:
    """The numbers of one snapshot; `works` are those of its documents by id, in their order."""

    def __init__(self, works: Mapping[str, Mapping[str, Any]]) -> None:
        self._works = works
        self._documents = {identity: number for number, identity in enumerate(self._works)}
        self._values: dict[str, list[str | None]] = {
            facet.name: sorted({facet.value(work) for work in self._works.values()}, key=lambda value: (value is not None, value or ""))
            for facet in FACETS
        }

    def numbers(self) -> Iterator[dict[str, int]]:
        """For each document, in order, the numbers of its passages."""
        numbered = {name: {value: number for number, value in enumerate(values)} for name, values in self._values.items()}
        for document, work in enumerate(self._works.values()):
            yield {DOCUMENT: document, **{facet.name: numbered[facet.name][facet.value(work)] for facet in FACETS}}

    def of(self, wanted: Filter) -> str | None:
        """The condition that a filter is; None where it leaves all."""
        parts = []
        if wanted.document_id is not None:
            if wanted.document_id not in self._documents:
                return NONE
            parts.append(f"{DOCUMENT} == {self._documents[wanted.document_id]}")
        for facet in FACETS:
            values = self._values[facet.name]
            left = [number for number, value in enumerate(values) if facet.fits(value, wanted)]
            if not left:
                return NONE
            if len(left) < len(values):
                parts.append(_among(facet.name, left))
        return " and ".join(f"({part})" for part in parts) or None


def at(positions: Sequence[int]) -> str:
    """The condition that only these positions meet."""
    return _among(POSITION, sorted(positions)) if positions else NONE


def _among(name: str, numbers: Sequence[int]) -> str:
    """That a number is one of those, which are in order: the longest runs of them as ranges."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    longest = sorted(runs, key=lambda run: run[0] - run[1])[:_RANGES]
    ranges = sorted(run for run in longest if run[1] > run[0])
    listed = [number for run in runs if run not in ranges for number in range(run[0], run[1] + 1)]
    parts = [f"({name} >= {first} and {name} <= {last})" for first, last in ranges]
    return " or ".join([*parts, *([f"{name} in {listed}"] if listed else [])])
