"""Is this quotation in the corpus, where, and what differs: to the letter, in its words, changed, or not at all.

A place is found by the quotation's rarest words, and the two are aligned word by word; no score of likeness decides the
status. `exact` is a slice of a document. `normalized` has the same words in the same order: case, spaces, quotation
marks, dashes, hyphens, emphasis, ligatures, markers of notes and the punctuation at its end aside; other punctuation
that differs is told in `reason`, and ellipses and brackets are read as a writer means them. Whatever else differs is
told as typed edits, and it is `altered`. Left out: whether the quotation is fair to its context.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from eunato_rag.citing.marks import Unit, marked_units, marks_in, plain_units, quoted_range
from eunato_rag.citing.parts import Closeness, Finder, Part
from eunato_rag.errors import InvalidText, NotFound
from eunato_rag.indexing.catalogue import Filter
from eunato_rag.indexing.snapshot import Snapshot
from eunato_rag.records import Document, Passage, Quotation, QuotationMatch, QuotationStatus

MAX_QUOTATION = 20_000
"""Characters. A longer text is a draft."""
MAX_MATCHES = 20
_CHECKED = 20_000
"""Places with the same words that are compared to the letter."""
_WORTH_TELLING = 4
_NO_TEXT = re.compile("[\ud800-\udfff\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")


def check_quotation(
    snapshot: Snapshot, text: str, wanted: Filter = Filter(), *, most: int = MAX_MATCHES, closeness: Closeness = Closeness()
) -> Quotation:
    """Where a quotation comes from, at most `most` places, and what differs there.

    Every place that has it to the letter is told; failing that every one that has the same words; failing that the
    places where fewest words differ.

    Raises:
        InvalidText: nothing in it, one word, more than 20,000 characters, or characters that no text has.
        NotFound: the filter names a document that the snapshot does not have.
    """
    start, end, units = _read(text)
    if wanted.document_id is not None and not snapshot.catalogue.has(wanted.document_id):
        raise NotFound(f"There is no document {wanted.document_id!r} in this snapshot.")
    documents = snapshot.catalogue.allowed_documents(wanted)
    if documents is not None and not documents:
        return Quotation(text, "absent", reason="No document fits the filter.")
    teller = _Teller(snapshot, text, most, Finder(snapshot, text, documents, closeness))
    found = teller.same_words(units, start, end) or teller.changed(units, start, end)
    marks = marks_in(text)
    if marks and (found is None or (found.status == "altered" and not _has_them_too(found, marks))):
        # read as a writer means them, unless they are the source's own
        found = teller.changed(marked_units(text, start, end), start, end) or found
    return found or Quotation(text, "absent", reason=teller.why_absent(units))


def _has_them_too(found: Quotation, marks: Sequence[str]) -> bool:
    """Whether the place that was found has all those ellipses and brackets itself."""
    source = " ".join(found.matches[0].quote.split())
    return not found.stitched and all(mark in source for mark in marks)


def _read(text: str) -> tuple[int, int, list[Unit]]:
    """The range of a text that is the quotation, without white space and quotation marks around it; and its words."""
    if len(text) > MAX_QUOTATION:
        raise InvalidText(
            f"The quotation has {len(text):,} characters; at most {MAX_QUOTATION:,} are read. Check it in parts, or as a draft."
        )
    if odd := _NO_TEXT.search(text):
        what = "half of a character (a lone surrogate)" if odd.group() >= "\ud800" else f"a control character (U+{ord(odd.group()):04X})"
        raise InvalidText(f"The quotation holds {what} at {odd.start()}, which no text has. Send it as valid Unicode, without it.")
    start, end = quoted_range(text)
    units = plain_units(text, start, end)
    said = sum(unit.form[0].isalnum() for unit in units)
    if said == 0:
        raise InvalidText("The quotation has no words. Give the words as they are quoted.")
    if said == 1:
        raise InvalidText("The quotation is a single word; at least two are needed to tell a place. Search for the word instead.")
    return start, end, units


@dataclass(frozen=True, slots=True)
class _Teller:
    """Says what was found of one quotation, at most `most` places."""

    snapshot: Snapshot
    text: str
    most: int
    finder: Finder

    def same_words(self, units: list[Unit], start: int, end: int) -> Quotation | None:
        """The places where the same words follow each other: those to the letter, else the others."""
        concordance = self.snapshot.concordance
        begin = concordance.find(concordance.ids(unit.form for unit in units), self.finder.documents)[:_CHECKED]
        if not len(begin):
            return None
        exact = islice((m for place in begin.tolist() if (m := self._exact(units, place, start, end)) is not None), self.most)
        if matches := tuple(exact):
            return Quotation(self.text, "exact", matches)
        parts = [self.finder.same(units, place) for place in begin[: self.most].tolist()]
        ranked = sorted((len(part.compared.oddities), n) for n, part in enumerate(parts))
        return self._told([[parts[n] for _, n in ranked]], (start, end))

    def _exact(self, units: Sequence[Unit], place: int, start: int, end: int) -> QuotationMatch | None:
        concordance = self.snapshot.concordance
        document = self.finder.document(place)
        low = int(concordance.starts[place]) - (units[0].start - start)
        if low < 0 or not document.text.startswith(self.text[start:end], low):
            return None
        return self._match(document, "exact", low, low + end - start, (start, end))

    def changed(self, units: list[Unit], start: int, end: int) -> Quotation | None:
        """The places that the units come from with changes, or the places of their parts; None where there are none."""
        groups = self.finder.parts(units)
        return self._told(groups, (start, end)) if groups else None

    def _told(self, groups: list[list[Part]], whole: tuple[int, int]) -> Quotation | None:
        if not groups:
            return None
        stitched = len(groups) > 1
        matches: list[QuotationMatch] = []
        for parts in groups:
            for part in parts[: 3 if stitched else self.most]:
                covers = (part.fitted.units[part.start].start, part.fitted.units[part.end - 1].end) if stitched else whole
                matches.append(self._told_part(part, covers))
        matches = matches[: self.most]
        status: QuotationStatus = "altered" if stitched else matches[0].status
        oddities = groups[0][0].compared.oddities if not stitched else ()
        reason = _stitched(groups, self.text) if stitched else " ".join(oddities[:3]) or None
        return Quotation(self.text, status, tuple(matches), stitched, reason)

    def _told_part(self, part: Part, covers: tuple[int, int]) -> QuotationMatch:
        document = part.fitted.source.document
        low, high = part.compared.start, part.compared.end
        units = part.fitted.units
        # the marks around the words, as far as both have the same
        head, tail = self.text[covers[0] : units[part.start].start], self.text[units[part.end - 1].end : covers[1]]
        while head and low > 0 and document.text[low - 1] == head[-1]:
            head, low = head[:-1], low - 1
        while tail and high < len(document.text) and document.text[high] == tail[0]:
            tail, high = tail[1:], high + 1
        slice_of = self.text[covers[0] : covers[1]] == document.text[low:high]
        status: QuotationStatus = "altered" if part.compared.edits else "exact" if slice_of else "normalized"
        return replace(self._match(document, status, low, high, covers), edits=part.compared.edits)

    def _match(self, document: Document, status: QuotationStatus, low: int, high: int, covers: tuple[int, int]) -> QuotationMatch:
        passage = passage_at(self.snapshot, document, low)
        return QuotationMatch(status, passage, document.text[low:high], document.locate(low, high), covers)

    def why_absent(self, units: list[Unit]) -> str:
        """Why nothing is told of the quotation: in a sentence, with the longest run of words that stands somewhere."""
        concordance = self.snapshot.concordance
        ids = concordance.ids(unit.form for unit in units)
        unknown = float(np.mean(ids < 0))
        if unknown == 1.0:
            return "No document has any of these words: the corpus may lack the work, or the language."
        if unknown > 0.5:
            return "No document has most of these words: the corpus may lack the work, or the language; or it is a translation."
        for one in self.finder.fits(units)[:1]:
            low, high = one.core
            if high - low >= _WORTH_TELLING and one.equal_words(low, high) == high - low:
                found = " ".join(self.text[one.units[low].start : one.units[high - 1].end].split())
                return f"Only “{found}” stands in a document (“{one.source.document.title}”), nothing like the rest of it."
        return "Some of these words occur, but nowhere in this order: it may be a paraphrase, or from a work that the corpus lacks."


def passage_at(snapshot: Snapshot, document: Document, place: int) -> Passage:
    """The passage that holds a place; for one that is in none, such as a heading, the next one, or the last."""
    reach = 1
    while not (found := snapshot.catalogue.passages_of(document.id, place, place + reach)):
        if place + reach > len(document.text):
            return snapshot.catalogue.passages_of(document.id)[-1]
        reach *= 8
    return found[0]


def _stitched(groups: list[list[Part]], text: str) -> str:
    """What to say of a quotation whose parts come from different places."""
    sources = list(dict.fromkeys(group[0].fitted.source.document.title for group in groups))
    if len(sources) > 1:
        where = " and ".join(f"“{title}”" for title in sources)
        return f"Its {len(groups)} parts come from different documents, {where}; together they stand nowhere."
    marked = all(any(unit.kind == "omission" for unit in one[0].fitted.units) or "…" in text or "..." in text for one in groups)
    far = "further apart than an ellipsis may reach" if marked else "with nothing to say that words are left out"
    return f"Its {len(groups)} parts come from different places of “{sources[0]}”, {far}."
