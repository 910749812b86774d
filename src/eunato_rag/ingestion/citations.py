"""Which work a note cites: by the manifest, an address, a document number, author and title, or the habits of notes.

`Ibid.`, a short repeat ("Molling, …, p. 2"), a number alone, a note that repeats another in full. What looks wrong (a
year that disagrees with the work's, a work older than what it is cited for) is flagged in the report, not mended.
Left out: markers and where they stand (footnotes.py), and the passages that support a sentence (the engine).
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from eunato_rag.records import Change, CslRecord, Document, Footnote, Work

_IBID = re.compile(r"^\W*(?:ibid(?:em)?|id)\b", re.IGNORECASE)
_BACK = re.compile(r"\b(?:op\.?\s*cit|loc\.?\s*cit|supra(?:\s+note)?|above,?\s+note|see\s+note)\b\D{0,8}(\d{1,3})?", re.IGNORECASE)
_NUMBER = re.compile(r"\b(?:[A-Z]{1,5}[\s/]?)?\d[\d./-]{3,}(?:/\d{2,4})?\b|\b\d{4}/C\s?\d+\b")
_YEAR = re.compile(r"(?<![\d/.-])(?:19|20)\d{2}(?![\d/-]|\.\d)")
_SMALL_WORDS = frozenset("the of and in for on to a an at by with from its as is".split())
_TITLE_SHARE = 0.7
"""Least share of a title's words that a note must say to cite it by title, and half of it beside an author's name."""
_REPEATED_WITHIN = 2_000
"""Notes back from one in which it may repeat another."""


@dataclass(frozen=True, slots=True)
class _Found:
    work: str
    how: str
    share: float = 1.0


class Resolver:
    """Ties the notes of documents to the works of a manifest."""

    def __init__(self, works: Sequence[Work]) -> None:
        self._records = {work.id: work.csl for work in works}
        self._candidates = [_Candidate(work) for work in works]
        self._named = _cited(works)

    def resolve(self, document: Document) -> Document:
        """The document with each note tied to a work where one can be told, and doubts in the report."""
        candidates = [candidate for candidate in self._candidates if candidate.id != document.id]
        if not candidates or not document.footnotes:
            return document
        named = self._named.get(document.id, {})
        links = sorted((link.start, link.target) for link in document.links)
        before: list[_Said] = []
        doubts: list[Change] = []
        for note in document.footnotes:
            text = document.text[note.start : note.end]
            first, last = (bisect_left(links, offset, key=lambda link: link[0]) for offset in (note.start, note.end))
            said = _Said(note.number, text, frozenset(_address(target) for _, target in links[first:last]), _numbers(text), _words(text))
            found = _resolve(said, before, candidates)
            chosen = named.get(note.number) or (found.work if found else None)
            if found and chosen != found.work:
                detail = f"note {note.number} reads like {found.work} ({found.how}); the manifest says {chosen}"
                doubts.append(Change("note-doubt", detail))
            before.append(replace(said, work=chosen))
            if chosen in self._records:
                doubts += _doubts(document, note, text, self._records[chosen], ibid=bool(_IBID.match(text)))
        notes = tuple(replace(note, work=said.work) for note, said in zip(document.footnotes, before, strict=True))
        return replace(document, footnotes=notes, report=(*document.report, *doubts))


def resolve(document: Document, works: Sequence[Work]) -> Document:
    """As `Resolver(works).resolve(document)`, for one document."""
    return Resolver(works).resolve(document)


def cited_by(work_id: str, works: Sequence[Work]) -> dict[int, str]:
    """Note number to the id of the work it cites, as the manifest lists it for the notes of one work."""
    return _cited(works).get(work_id, {})


def _cited(works: Sequence[Work]) -> dict[str, dict[int, str]]:
    cited: dict[str, dict[int, str]] = defaultdict(dict)
    for work in works:
        for mention in work.mentions:
            if mention.note is not None:
                cited[mention.by][mention.note] = work.id
    return cited


@dataclass(frozen=True, slots=True)
class _Said:
    """A note: its text, the addresses that it links to, the numbers and words in it, and the work that it cites."""

    number: int
    text: str
    addresses: frozenset[str]
    numbers: set[str]
    words: frozenset[str]
    work: str | None = None


def _resolve(said: _Said, before: Sequence[_Said], candidates: Sequence[_Candidate]) -> _Found | None:
    """What a note says by itself; a note that only points back takes the work of the note it points to."""
    if _IBID.match(said.text):
        return _Found(before[-1].work, "ibid.") if before and before[-1].work else None
    best = max((found for c in candidates if (found := c.matches(said)) is not None), key=lambda f: f.share, default=None)
    if best is not None:
        return best
    back = _BACK.search(said.text)
    if back and back[1]:
        earlier = next((n for n in before if n.number == int(back[1]) != said.number), None)
        return _Found(earlier.work, f"see note {back[1]}") if earlier and earlier.work else None
    if len(said.words) < 3:
        return None
    for earlier in reversed(before[-_REPEATED_WITHIN:]):
        if earlier.work and len(said.words & earlier.words) >= 0.8 * len(said.words):
            return _Found(earlier.work, f"repeats note {earlier.number}")
    return None


class _Candidate:
    """A work and what a note may know it by."""

    def __init__(self, work: Work) -> None:
        csl = work.csl
        self.id = work.id
        self.addresses = {_address(url) for url in (csl.get("URL"), csl.get("DOI"), *work.alternates) if url}
        self.numbers = _numbers(str(csl.get("number", "")))
        self.titles = [words for title in (csl.get("title"), csl.get("title-short")) if title and (words := _words(str(title)))]
        subtitle = str(csl.get("title", "")).split(": ", 1)
        if len(subtitle) == 2:
            self.titles += [words for part in subtitle if len(words := _words(part)) >= 4]
        self.names = {
            name for author in csl.get("author") or () for name in _words(str(author.get("family") or author.get("literal") or ""))
        }
        self.years = set(_years(csl))

    def matches(self, said: _Said) -> _Found | None:
        if self.addresses & said.addresses:
            return _Found(self.id, "address", 3.0)
        if self.numbers & said.numbers:
            return _Found(self.id, "document number", 2.0)
        share = max((len(title & said.words) / len(title) for title in self.titles), default=0.0)
        named = bool(self.names & said.words)
        if share >= _TITLE_SHARE or (named and share >= _TITLE_SHARE / 2 and len(said.words) >= 3):
            years = {int(year) for year in _YEAR.findall(said.text)}
            agrees = 0.1 if years & self.years else -0.15 if years and self.years else 0.0
            return _Found(self.id, "author and title" if named else "title", share + agrees + (0.2 if named else 0.0))
        return None


def _doubts(document: Document, note: Footnote, text: str, work: CslRecord, *, ibid: bool) -> Iterator[Change]:
    years = _years(work)
    if not years:
        return
    stated = {int(year) for year in _YEAR.findall(re.sub(r"\(?\b(?:19|20)\d{2}\s*[-–]\s*(?:19|20)\d{2}\)?", "", _without_addresses(text)))}
    if stated and not stated & set(years):
        wrong = ", ".join(map(str, sorted(stated)))
        yield Change("note-doubt", f"note {note.number} says {wrong}; the work {work.get('id')} is of {years[0]}")
    for anchor in note.anchors:
        sentence = document.text[slice(*span)] if (span := document.sentence_at(anchor)) else ""
        later = sorted({int(year) for year in _YEAR.findall(sentence)})
        if later and min(later) > years[0] and ibid:
            yield Change("note-doubt", f"note {note.number} points back to a work of {years[0]} for something of {later[0]}")


def _years(work: CslRecord) -> list[int]:
    """The years of a work's date; CSL-JSON writes them as numbers or as text."""
    parts = (work.get("issued") or {}).get("date-parts") or []
    return [int(part[0]) for part in parts if part and str(part[0]).isdecimal()]


def _numbers(text: str) -> set[str]:
    """Numbers of documents by their figures; five at least, so that no year or page is one."""
    found = {re.sub(r"\D", "", number) for number in _NUMBER.findall(text)}
    return {number for number in found if not _YEAR.fullmatch(number) and len(number) >= 5}


def _words(text: str) -> frozenset[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return frozenset(w for w in re.findall(r"[^\W_]+", plain) if w not in _SMALL_WORDS and len(w) > 1)


def _without_addresses(text: str) -> str:
    return re.sub(r"\S*(?:https?://|www\.|\w/\w)\S*", " ", text)


def _address(url: str) -> str:
    plain = re.sub(r"^(?:https?://)?(?:www\.|dx\.)?(?:doi\.org/)?", "", url.strip().casefold())
    return re.sub(r"[?#].*$", "", plain).rstrip("/")
