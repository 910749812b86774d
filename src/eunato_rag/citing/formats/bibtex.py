"""BibTeX, UTF-8, for the classic styles and for biblatex; Zotero and JabRef import it.

Titles keep the capitals of their record: words with capitals stand in braces. A pinpoint belongs to `\\cite[…]{key}`; an
entry holds it in `annote`, which no standard style prints. Left out: string definitions, cross-references.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from eunato_rag.citing.formats.dates import year
from eunato_rag.citing.formats.fields import JOURNAL, PART, PRESS, Name, date, doi, field, identity, kind, names, pages, url
from eunato_rag.citing.formats.pinpoints import pinpoint
from eunato_rag.records import CslRecord, Locator

_TYPES = {
    **dict.fromkeys(JOURNAL | PRESS, "article"),
    **dict.fromkeys(PART, "incollection"),
    "article": "unpublished",
    "book": "book",
    "collection": "book",
    "manuscript": "unpublished",
    "pamphlet": "booklet",
    "report": "techreport",
}
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",  # a brace of its own would be counted even behind a backslash
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{char: f"\\{char}" for char in "#$%&_"},
}
_ESCAPED = re.compile("[" + re.escape("".join(_ESCAPES)) + "]")


def entry(work: CslRecord, locator: Locator | None = None) -> str:
    """One entry; its key is the work's id as far as a key may hold it."""
    kept = _type(work)
    fields = {name: value for name, value in _fields(work, kept, locator).items() if value}
    lines = [f"  {name} = {value if name == 'month' else f'{{{value}}}'},\n" for name, value in fields.items()]
    return f"@{kept}{{{key(work)},\n{''.join(lines)}}}\n"


def key(work: CslRecord) -> str:
    """The work's id where it is a key already; else what of it can be, and a digest that keeps it apart."""
    given = identity(work) or " ".join((*(name.short for name in names(work, "author")[:1]), year(date(work)), field(work, "title")))
    plain = unicodedata.normalize("NFKD", given).encode("ascii", "ignore").decode()
    made = re.sub(r"[^A-Za-z0-9:._/+-]+", "-", plain).strip("-")
    if made == given:
        return made
    return f"{made[:48].strip('-') or 'work'}-{hashlib.sha256(given.encode()).hexdigest()[:8]}"


def _type(work: CslRecord) -> str:
    match kind(work):
        case "paper-conference":
            return "inproceedings" if field(work, "container-title", "event-title", "event") else "misc"
        case "thesis":
            return "mastersthesis" if re.search(r"master|m\.?\s?(?:a|sc|phil)\b", field(work, "genre"), re.IGNORECASE) else "phdthesis"
        case what:
            return _TYPES.get(what, "misc")


def _fields(work: CslRecord, kept: str, locator: Locator | None) -> dict[str, str]:
    issued, accessed = date(work), date(work, "accessed").start
    series, genre, container = field(work, "collection-title"), field(work, "genre"), field(work, "container-title")
    # the classic report has no series: there it is the type that the number counts
    sort = genre or (series if kept == "techreport" else "")
    publisher = {"techreport": "institution", "phdthesis": "school", "mastersthesis": "school", "misc": "howpublished"}.get(
        kept, "publisher"
    )
    event = field(work, "event-title", "event")
    within = {"article": "journal", "incollection": "booktitle", "inproceedings": "booktitle"}.get(kept, "")
    place = pinpoint(locator)
    interviewers = " and ".join(name.full for name in names(work, "interviewer"))
    fields = {
        "title": protected(field(work, "title")),
        "shorttitle": protected(field(work, "title-short", "shortTitle")),
        "author": people(names(work, "author")),
        "editor": people(names(work, "editor")),
        "translator": people(names(work, "translator")),
        within: (escaped if within == "journal" else protected)(container or (event if kept == "inproceedings" else "")),
        "eventtitle": escaped(event if kept != "inproceedings" or container else ""),
        "year": escaped(year(issued)),
        "month": _MONTHS[issued.start[1] - 1] if len(issued.start) > 1 else "",
        "day": str(issued.start[2]) if len(issued.start) > 2 else "",
        "volume": escaped(field(work, "volume")),
        "number": escaped(field(work, "issue", "number", "collection-number")),
        "type": escaped(sort),
        "series": escaped(series if sort != series else ""),
        "edition": escaped(field(work, "edition")),
        "version": escaped(field(work, "version")),
        "pages": escaped(pages(work).replace("–", "--")),
        publisher: listed(", ".join(filter(None, (container if not within else "", field(work, "publisher", "authority"))))),
        "address": listed(field(work, "publisher-place", "event-place")),
        "isbn": escaped(field(work, "ISBN")),
        "issn": escaped(field(work, "ISSN")),
        "doi": escaped(doi(work)),
        "url": url(work),
        "urldate": "-".join(f"{part:04d}" if n == 0 else f"{part:02d}" for n, part in enumerate(accessed)),
        "language": escaped(field(work, "language")),
        "abstract": escaped(field(work, "abstract")),
        "keywords": escaped(field(work, "keyword")),
        "origtitle": protected(field(work, "original-title")),
        "origdate": escaped(year(date(work, "original-date"))),
        "note": escaped(f"Interview by {interviewers}" if interviewers else ""),
        "annote": escaped(f"Cited: {place}" if place else ""),
    }
    return {name: value for name, value in fields.items() if name}


def escaped(text: str) -> str:
    """Text in which LaTeX's signs are letters; every brace in it has its partner."""
    return _ESCAPED.sub(lambda char: _ESCAPES[char[0]], text)


def protected(title: str) -> str:
    """A title whose capitals a style leaves alone, but for the one it opens with."""
    words = title.split(" ")
    return " ".join(_braced(word, first=n == 0) for n, word in enumerate(words))


def _braced(word: str, *, first: bool) -> str:
    match = re.match(r"([\W_]*)(.*?)([\W_]*)$", word)
    start, core, end = match.groups() if match else ("", word, "")
    capital = any(char.isupper() for char in (core[1:] if first else core))
    return escaped(start) + (f"{{{escaped(core)}}}" if capital else escaped(core)) + escaped(end)


def listed(text: str) -> str:
    """A field that biblatex reads as a list cut at "and": one entry of it."""
    return f"{{{escaped(text)}}}" if re.search(r"\band\b", text) else escaped(text)


def people(persons: list[Name]) -> str:
    """`von der Leyen, Ursula and {Council of the European Union}`; a body, and a name that BibTeX would cut, in braces."""
    return " and ".join(_person(name) for name in persons)


def _person(name: Name) -> str:
    if name.literal:
        return f"{{{escaped(name.literal)}}}"
    return ", ".join(_part(part) for part in (name.family, name.suffix, name.given) if part)


def _part(text: str) -> str:
    return f"{{{escaped(text)}}}" if re.search(r",|\band\b", text) else escaped(text)
