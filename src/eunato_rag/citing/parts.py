"""A quotation's words -> the places that they come from: one, or one for each part of a stitched quotation.

Left out: what is said of them (quotes).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from eunato_rag.citing.comparing import MAX_OMITTED, Compared, compare
from eunato_rag.citing.fitting import Fit, fit, read_source
from eunato_rag.citing.locating import weights, windows
from eunato_rag.citing.marks import Unit
from eunato_rag.indexing.snapshot import Snapshot
from eunato_rag.records import Document

_MAX_ALTERED = 5
_MAX_CELLS, _MOST_CELLS = 4_000_000, 12_000_000
"""Words of the quotation times words of windows: for one part of it, and for all of them; this bounds the time."""
_MOST_PARTS = 12
_NEARLY = 0.2
"""How much less of a quotation another place may have than the best one to be looked at."""


@dataclass(frozen=True, slots=True)
class Closeness:
    """When a quotation is a changed one of a place, and when it is absent.

    `share` is the least share of its words, by rarity, that the place has in order; `words` the least number of them.
    Of 337 sentences of 29 documents with every third word replaced at random all keep more than 0.54; of sentences
    that no other document has, few come to 0.5 of one.
    A part of at least `part_words` words, `part_share` of them at another place, comes from there.
    """

    share: float = 0.5
    words: int = 2
    part_words: int = 5
    part_share: float = 0.7


@dataclass(frozen=True, slots=True)
class Part:
    """A run of units of one fit, and what came of comparing it."""

    fitted: Fit
    start: int
    end: int
    compared: Compared

    @property
    def equal_words(self) -> int:
        return self.fitted.equal_words(self.start, self.end)

    def overlaps(self, other: Part) -> bool:
        same = self.fitted.source.document.id == other.fitted.source.document.id
        return same and self.compared.start < other.compared.end and other.compared.start < self.compared.end

    @property
    def edits(self) -> int:
        return sum(max(len(edit.yours.split()), len(edit.source.split())) for edit in self.compared.edits)


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds the places of one quotation in a snapshot; it remembers what it looked at, and how much work that was.

    `documents` are the numbers of those to search, None for all.
    """

    snapshot: Snapshot
    text: str
    documents: Collection[int] | None
    closeness: Closeness
    spent: list[int] = field(default_factory=list)
    known: dict[tuple[int, int, int, int], list[Fit]] = field(default_factory=dict)

    def document(self, place: int) -> Document:
        """The document that a position of the concordance lies in."""
        number = int(self.snapshot.concordance.documents_of(np.asarray([place]))[0])
        return self.snapshot.catalogue.document_at(number)

    def same(self, units: list[Unit], place: int) -> Part:
        """The units at a position of the concordance where the same words follow each other."""
        concordance = self.snapshot.concordance
        source = read_source(concordance, self.document(place), place, place + len(units))
        fitted = Fit(units, [(n, n + 1) for n in range(len(units))], [False] * len(units), source, (0, len(units)), 1.0, len(units))
        compared = compare(fitted, self.text, 0, len(units), self.snapshot.acronyms)
        assert compared is not None
        return Part(fitted, 0, len(units), compared)

    def fits(self, units: list[Unit]) -> list[Fit]:
        """The units laid against the windows that have most of their words, best first."""
        concordance = self.snapshot.concordance
        ids = concordance.ids(unit.form for unit in units)
        telling = weights(concordance, ids)
        reach = MAX_OMITTED if any(unit.kind == "omission" for unit in units) else 0
        key = (units[0].start, units[-1].end, len(units), sum(unit.kind == "word" for unit in units))
        if key in self.known:
            return self.known[key]
        fits: list[tuple[float, int, int, Fit]] = []
        cells = 0
        if sum(self.spent) > _MOST_CELLS:
            return []
        for window in windows(concordance, ids, self.documents, reach):
            size = len(units) * (window.end - window.start)
            if fits and cells + size > _MAX_CELLS:
                break
            cells += size
            source = read_source(concordance, self.document(window.start), window.start, window.end)
            one = fit(units, self.text, source, telling)
            fits.append((-round(one.share, 6), -one.matched, window.start, one))
        self.spent.append(cells)
        self.known[key] = [one for *_, one in sorted(fits, key=lambda row: row[:3])]
        return self.known[key]

    def parts(self, units: list[Unit], depth: int = 0) -> list[list[Part]]:
        """The places of the units, best first; where they come from several places, the places of each part in order."""
        least = self.closeness.share if depth == 0 else self.closeness.part_share
        fits = self.fits(units)
        if not fits or fits[0].core[0] == fits[0].core[1]:
            return []
        best = fits[0]
        low, high = best.core
        if best.share < least and best.equal_words(low, high) < self.closeness.part_words:
            return []
        left, right = self._elsewhere(best.units[:low], depth), self._elsewhere(best.units[high:], depth)
        if left or right:
            words = sum(unit.kind == "word" for unit in best.units)
            covered = best.equal_words(low, high) + sum(group[0].equal_words for group in (*left, *right))
            if covered < self.closeness.part_share * words:
                left, right = [], []
        if not left and not right and (best.share < least or best.matched < self.closeness.words):
            return []
        # what stands nowhere else is a change of what stands next to it
        middle = self._cut_at_jumps(best, low if left else 0, high if right else len(best.units))
        if len(middle) != 1 or left or right:
            return [*left, *middle, *right]
        near = max(least, best.share - _NEARLY)
        others = [self._compared(one, 0, len(one.units)) for one in fits[1:] if one.share >= near]
        return [_best([*middle[0], *(part for part in others if part is not None and _in_reach(part))])]

    def _elsewhere(self, units: list[Unit], depth: int) -> list[list[Part]]:
        """The places of units that are not where their neighbours are, if they are found whole enough."""
        while units and units[0].kind == "omission":
            units = units[1:]
        while units and units[-1].kind == "omission":
            units = units[:-1]
        if depth == _MOST_PARTS or sum(unit.kind == "word" for unit in units) < self.closeness.part_words:
            return []
        return self.parts(units, depth + 1)

    def _cut_at_jumps(self, fitted: Fit, start: int, end: int) -> list[list[Part]]:
        """The part in pieces, where an ellipsis jumps too far for one quotation."""
        cuts = [n for n in range(start, end) if fitted.units[n].kind == "omission" and _jumps(fitted, n)]
        pieces: list[list[Part]] = []
        for low, high in zip([start, *(n + 1 for n in cuts)], [*cuts, end], strict=True):
            part = self._compared(fitted, low, high) if low < high else None
            if part is not None:
                pieces.append([part])
        return pieces

    def _compared(self, fitted: Fit, start: int, end: int) -> Part | None:
        compared = compare(fitted, self.text, start, end, self.snapshot.acronyms)
        return Part(fitted, start, end, compared) if compared is not None else None


def _best(parts: list[Part]) -> list[Part]:
    """The parts of the best status, one for each place, and of changed ones those that are nearly as near as the nearest."""
    ranked = sorted(enumerate(parts), key=lambda one: (bool(one[1].compared.edits), one[1].edits, len(one[1].compared.oddities), one[0]))
    kept: list[Part] = []
    for _, part in ranked:
        if not any(part.overlaps(other) for other in kept):
            kept.append(part)
    if not kept[0].compared.edits:
        return [part for part in kept if not part.compared.edits]
    return [part for part in kept if part.edits <= 2 * kept[0].edits + 1][:_MAX_ALTERED]


def _in_reach(part: Part) -> bool:
    return not any(_jumps(part.fitted, n) for n, unit in enumerate(part.fitted.units) if unit.kind == "omission")


def _jumps(fitted: Fit, n: int) -> bool:
    """Whether an ellipsis leaves out more than a quotation may, or leads into another section."""
    start, end = fitted.spans[n]
    if end - start > MAX_OMITTED:
        return True
    source, document = fitted.source, fitted.source.document
    if not 0 < start < end < len(source.forms):
        return False
    before, after = source.ends[start - 1] - 1, source.starts[end]
    return document.locate(before, before).headings != document.locate(after, after).headings
