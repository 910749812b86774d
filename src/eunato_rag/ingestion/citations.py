"""Which work a note cites: by the manifest, an address, a document number, author and title, or the habits of notes.

`Ibid.`, a short repeat ("Molling, …, p. 2"), a number alone, a note that repeats another in full. What looks wrong (a
year that disagrees with the work's, a work older than what it is cited for) is flagged in the report, not mended.
Left out: markers and where they stand (footnotes.py), and the passages that support a sentence (the engine).
"""

from __future__ import annotations

import re
import unicodedata
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


@dataclass(frozen=True, slots=True)
class _Found:
    work: str
    how: str
    share: float = 1.0


def resolve(document: Document, works: Sequence[Work]) -> Document:
    """The document with each note tied to a work of the manifest where one can be told, and doubts in the report."""
    index = [_Candidate(work) for work in works if work.id != document.id]
    named = cited_by(document.id, works)
    records = {work.id: work.csl for work in works}
    notes: list[Footnote] = []
    doubts: list[Change] = []
    for note in document.footnotes:
        text = document.text[note.start : note.end]
        links = [link.target for link in document.links if note.start <= link.start < note.end]
        found = _resolve(text, links, note.number, notes, index, document)
        chosen = named.get(note.number) or (found.work if found else None)
        if found and chosen != found.work:
            doubts.append(Change("note-doubt", f"note {note.number} reads like {found.work} ({found.how}); the manifest says {chosen}"))
        notes.append(replace(note, work=chosen))
        if chosen in records:
            doubts += _doubts(document, note, text, records[chosen], ibid=bool(_IBID.match(text)))
    return replace(document, footnotes=tuple(notes), report=(*document.report, *doubts))


def cited_by(work_id: str, works: Sequence[Work]) -> dict[int, str]:
    """Note number to the id of the work it cites, as the manifest lists it for the notes of one work."""
    return {m.note: work.id for work in works for m in work.mentions if m.by == work_id and m.note is not None}


def _resolve(
    text: str, links: Sequence[str], number: int, before: Sequence[Footnote], index: Sequence[_Candidate], document: Document
) -> _Found | None:
    """What a note says by itself; a note that only points back takes the work of the note it points to."""
    if _IBID.match(text):
        return _Found(before[-1].work, "ibid.") if before and before[-1].work else None
    best = max((found for c in index if (found := c.matches(text, links)) is not None), key=lambda f: f.share, default=None)
    if best is not None:
        return best
    back = _BACK.search(text)
    if back and back[1]:
        earlier = next((n for n in before if n.number == int(back[1]) != number), None)
        return _Found(earlier.work, f"see note {back[1]}") if earlier and earlier.work else None
    mine = _words(text)
    for earlier in reversed(before):
        said = _words(document.text[earlier.start : earlier.end])
        if earlier.work and len(mine) >= 3 and len(mine & said) >= 0.8 * len(mine):
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

    def matches(self, text: str, links: Sequence[str]) -> _Found | None:
        if self.addresses & {_address(link) for link in links}:
            return _Found(self.id, "address", 3.0)
        if self.numbers & _numbers(text):
            return _Found(self.id, "document number", 2.0)
        said = _words(text)
        share = max((len(title & said) / len(title) for title in self.titles), default=0.0)
        named = bool(self.names & said)
        years = {int(year) for year in _YEAR.findall(text)}
        agrees = 0.1 if years & self.years else -0.15 if years and self.years else 0.0
        if share >= _TITLE_SHARE or (named and share >= _TITLE_SHARE / 2 and len(said) >= 3):
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
        sentence = next((document.text[a:b] for a, b in document.sentences if a < anchor <= b), "")
        later = sorted({int(year) for year in _YEAR.findall(sentence)})
        if later and min(later) > years[0] and ibid:
            yield Change("note-doubt", f"note {note.number} points back to a work of {years[0]} for something of {later[0]}")


def _years(work: CslRecord) -> list[int]:
    return [part[0] for part in (work.get("issued") or {}).get("date-parts") or [] if part]


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
