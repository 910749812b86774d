"""A saved answer, checked draft or quotation -> whether each of its citations still holds in the corpus of today.

A citation carries all that is needed: the document's id, the offsets, the quotation, and the words around it (the W3C's
TextQuoteSelector and TextPositionSelector). Left out: whether a statement follows from its quotation, which was settled
when it was made.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from eunato_rag.citing.quotes import check_quotation, passage_at
from eunato_rag.errors import InvalidText, NotFound
from eunato_rag.indexing.catalogue import Filter
from eunato_rag.indexing.snapshot import Snapshot
from eunato_rag.records import Document, QuotationMatch

CitationState = Literal["unchanged", "moved", "altered", "gone"]
MOST_CITATIONS = 5_000
"""In one saved answer or draft."""

_LISTS = (("citations",), ("sentences", "evidence"), ("matches",))
"""Where the citations of an answer, of a draft's sentences and of a quotation stand."""


@dataclass(frozen=True, slots=True)
class SavedCitation:
    """A citation as it was saved. `pointer` says where it stands in what was saved (RFC 6901)."""

    pointer: str
    number: int | None
    document_id: str
    title: str
    quote: str
    start: int
    end: int
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Recheck:
    """What became of a citation.

    unchanged: the same words at the same place. moved: the same words elsewhere, in `match`. altered: other words in
    their place; `match` has them and, where words differ, its edits. gone: nowhere; `match` is None. `why` says it in a sentence.
    """

    saved: SavedCitation
    state: CitationState
    why: str
    match: QuotationMatch | None = None

    @property
    def holds(self) -> bool:
        """Whether the quotation can still be printed as it is: its words stand in the corpus to the letter."""
        return self.state in ("unchanged", "moved")


def read_saved(data: str | bytes) -> list[SavedCitation]:
    """The citations of an answer, a draft or a quotation in the shapes of the API, as JSON; of a list of them, too.

    Raises:
        InvalidText: not JSON, or nothing that has citations in these shapes; says where.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidText(f"This is not JSON ({error}). Save what --json or the API gives, whole.") from error
    return saved_citations(value)


def saved_citations(value: Any) -> list[SavedCitation]:
    """As `read_saved`, from JSON that was parsed."""
    things = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
    found: list[SavedCitation] = []
    for n, thing in things:
        for citation in _citations(thing, "" if n is None else f"/{n}"):
            found.append(citation)
            if len(found) > MOST_CITATIONS:
                raise InvalidText(f"There are more than {MOST_CITATIONS:,} citations here. Check fewer at a time.")
    return found


def recheck(snapshot: Snapshot, saved: SavedCitation) -> Recheck:
    """What became of one citation in the snapshot's corpus."""
    try:
        document = snapshot.catalogue.document(saved.document_id)
    except NotFound:
        return _searched(snapshot, saved, None)
    if saved.quote and document.text[saved.start : saved.end] == saved.quote:
        return Recheck(saved, "unchanged", "The same words stand at the same place.", _match(snapshot, document, saved.start, saved.end))
    return _searched(snapshot, saved, document)


def tally(rechecks: list[Recheck]) -> dict[str, int]:
    """How many citations are in each state."""
    counted = Counter(done.state for done in rechecks)
    return {state: counted[state] for state in ("unchanged", "moved", "altered", "gone")}


def _searched(snapshot: Snapshot, saved: SavedCitation, document: Document | None) -> Recheck:
    """By the words, in the citation's own document first; `document` is None where the corpus has it no more."""
    if document is not None and (places := _occurrences(document.text, saved.quote)):
        start = max(places, key=lambda place: _likeness(document.text, place, saved))
        match = _match(snapshot, document, start, start + len(saved.quote))
        return Recheck(saved, "moved", "The same words stand at another place of the document.", match)
    missing = "" if document else f"There is no document {saved.document_id!r} in this corpus. "
    for wanted in ([Filter(document_id=document.id)] if document else []) + [Filter()]:
        try:
            found = check_quotation(snapshot, saved.quote, wanted)
        except InvalidText as error:
            return Recheck(saved, "gone", f"{missing}It cannot be looked for: {error}")
        if found.matches:
            break
    else:
        return Recheck(saved, "gone", f"{missing}Its words are nowhere in the corpus.")
    match = found.matches[0]
    other = match.passage.document_id != saved.document_id
    where = f" This is in {snapshot.catalogue.document(match.passage.document_id).title!r}." if other else ""
    if match.quote == saved.quote:
        return Recheck(saved, "moved", f"{missing}The same words stand in another document.{where}", match)
    if found.stitched:
        return Recheck(saved, "altered", f"{missing}Its words stand no more in one place.{where}", match)
    said = "; ".join(f"{edit.kind}: {edit.yours!r} was cited, {edit.source!r} stands there now" for edit in match.edits[:3])
    return Recheck(saved, "altered", f"{missing}{said or 'The words are the same, their marks or spacing are not'}.{where}", match)


def _match(snapshot: Snapshot, document: Document, start: int, end: int) -> QuotationMatch:
    return QuotationMatch(
        "exact", passage_at(snapshot, document, start), document.text[start:end], document.locate(start, end), (0, end - start)
    )


def _occurrences(text: str, quote: str) -> list[int]:
    places: list[int] = []
    place = text.find(quote) if quote else -1
    while place >= 0 and len(places) < MOST_CITATIONS:
        places.append(place)
        place = text.find(quote, place + 1)
    return places


def _likeness(text: str, place: int, saved: SavedCitation) -> tuple[int, int]:
    """How much of the saved words around it stands around a place, then how near it is to the old one."""
    before, after = text[max(0, place - len(saved.prefix)) : place], text[place + len(saved.quote) :][: len(saved.suffix)]
    same = _common(before[::-1], saved.prefix[::-1]) + _common(after, saved.suffix)
    return same, -abs(place - saved.start)


def _common(one: str, other: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _citations(thing: Any, pointer: str) -> Iterator[SavedCitation]:
    lists = [path for path in _LISTS if isinstance(thing, Mapping) and isinstance(thing.get(path[0]), list)]
    if not lists:
        raise InvalidText(
            f"{pointer or 'This'} is no saved answer, draft or quotation: it has none of citations, sentences, matches. "
            "Save what --json or the API gives, whole."
        )
    for path in lists:
        for n, entry in enumerate(thing[path[0]]):
            at = f"{pointer}/{path[0]}/{n}"
            if len(path) == 1:
                yield _read(entry, at)
            elif isinstance(entry, Mapping) and isinstance(entry.get(path[1]), list):
                for k, inner in enumerate(entry[path[1]]):
                    yield _read(inner, f"{at}/{path[1]}/{k}")
            else:
                raise InvalidText(f"{at} has no list {path[1]!r}, which every sentence of a checked draft has.")


def _read(entry: Any, pointer: str) -> SavedCitation:
    try:
        selectors = {s["type"]: s for s in entry.get("selectors") or ()}
        words = selectors.get("TextQuoteSelector", {})
        place = entry["locator"]
        return SavedCitation(
            pointer,
            entry.get("number"),
            _text(entry["document"]["id"]),
            _text(entry["document"].get("title") or ""),
            _text(entry["quote"]),
            _offset(place["start"]),
            _offset(place["end"]),
            _text(words.get("prefix", "")),
            _text(words.get("suffix", "")),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidText(f"{pointer} is no citation as the API gives it: it needs quote, locator and document ({error}).") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _offset(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is no offset")
    return value
