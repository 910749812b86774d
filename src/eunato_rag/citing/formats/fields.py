"""What a bibliographic record says, read with care: records come from manifests, file metadata and people's libraries.

A field that is missing, of a wrong type or of punctuation alone reads as not there. Left out: how a style prints it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eunato_rag.records import CslRecord

_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ue000-\ue00f\ufeff\ufffe\uffff]+")
_TAG = re.compile(r"</?(?:i|b|sc|sup|sub)>|<span class=\"nocase\">|<span style=\"font-variant: ?small-caps;\">|</span>")
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)\w", re.IGNORECASE)
_ARTICLE = re.compile(r"(?:a|an|the)\s+(?=\S)", re.IGNORECASE)

MONTHS = "January February March April May June July August September October November December".split()
SEASONS = ("Spring", "Summer", "Autumn", "Winter")
LEGAL = frozenset({"bill", "hearing", "legal_case", "legislation", "regulation", "treaty"})
JOURNAL = frozenset({"article", "article-journal", "periodical", "review", "review-book"})
PRESS = frozenset({"article-magazine", "article-newspaper", "post-weblog"})
PART = frozenset({"chapter", "entry", "entry-dictionary", "entry-encyclopedia"})
WEB = frozenset({"post", "webpage"})


@dataclass(frozen=True, slots=True)
class Name:
    """A person by `family`, `given` and `suffix` ("Jr."), or whoever is named by one `literal`."""

    family: str = ""
    given: str = ""
    suffix: str = ""
    literal: str = ""

    @property
    def short(self) -> str:
        return self.literal or self.family

    @property
    def inverted(self) -> str:
        """`von der Leyen, Ursula` and `King, Martin Luther, Jr.`"""
        return self.literal or ", ".join(filter(None, (self.family, self.given, self.suffix)))

    @property
    def full(self) -> str:
        """`Ursula von der Leyen` and `Martin Luther King Jr.`"""
        return self.literal or " ".join(filter(None, (self.given, self.family, self.suffix)))


Day = tuple[int, ...]
"""A year, a year and month, or a year, month and day."""


@dataclass(frozen=True, slots=True)
class Date:
    """A date as precisely as it is known, or a range of two; `said` is a date in words that no number tells."""

    start: Day = ()
    end: Day = ()
    season: int | None = None
    circa: bool = False
    said: str = ""

    def __bool__(self) -> bool:
        return bool(self.start or self.said)


def clean(value: object) -> str:
    """A value as one line of printable text without the tags that CSL allows in titles; empty where there is nothing to read."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    line = _UNPRINTABLE.sub(" ", _TAG.sub("", str(value))).strip(" ,;:")
    return line if any(unicodedata.category(char)[0] in "LNS" for char in line) else ""


def field(work: CslRecord, *names: str) -> str:
    """The first of the fields that says something."""
    return next((found for name in names if (found := clean(work.get(name)))), "")


def kind(work: CslRecord) -> str:
    return field(work, "type") or "document"


def identity(work: CslRecord) -> str:
    return field(work, "id")


def names(work: CslRecord, role: str) -> list[Name]:
    """Who acts in a role; a name of nothing is left out."""
    listed = work.get(role)
    return [name for entry in listed if (name := _name(entry)).short] if isinstance(listed, list | tuple) else []


def _name(entry: object) -> Name:
    if not isinstance(entry, Mapping):
        return Name(literal=clean(entry))
    family = " ".join(filter(None, (clean(entry.get("non-dropping-particle")), clean(entry.get("family")))))
    given = " ".join(filter(None, (clean(entry.get("given")), clean(entry.get("dropping-particle")))))
    literal = clean(entry.get("literal"))
    if literal or not family:
        return Name(literal=literal or given)
    return Name(family, given, clean(entry.get("suffix")))


def creators(work: CslRecord) -> tuple[list[Name], str]:
    """Who stands in the author's place, and the role: authors, else editors of a whole work, else nobody."""
    for role in ("author", "editor"):
        people = names(work, role)
        if people and (role == "author" or kind(work) not in PART | JOURNAL | PRESS):
            return people, role
    return [], ""


def date(work: CslRecord, name: str = "issued") -> Date:
    """A date of the record; parts that no calendar has are left out, and so is all that is finer than them."""
    value = work.get(name)
    if not isinstance(value, Mapping):
        return _raw(clean(value))
    parts = value.get("date-parts")
    days = [_day(part) for part in parts] if isinstance(parts, list | tuple) else []
    start, end = (*days, (), ())[:2]
    circa = bool(value.get("circa"))
    if not start:
        said = clean(value.get("literal")) or clean(value.get("raw")) or clean(value.get("edtf"))
        found = _raw(said)
        return Date(found.start, found.end, found.season, circa or found.circa, found.said)
    season = _number(value.get("season")) or _season(start)
    start, end = _by_calendar(start), _by_calendar(end)
    return Date(start, () if end == start else end, season if 1 <= season <= 4 and len(start) == 1 else None, circa)


def _raw(said: str) -> Date:
    whole = re.fullmatch(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?([~?]?)(?:T.*)?", said)
    if whole is None:
        return Date(said=said)
    start = _day([part for part in whole.groups()[:3] if part])
    return Date(_by_calendar(start), season=_season(start) or None, circa=whole[4] == "~") if start else Date(said=said)


def _season(day: Day) -> int:
    """The season, 1 to 4, that stands in the month's place as CSL (13 to 16) or EDTF (21 to 24) number it; 0 where none does."""
    month = day[1] if len(day) > 1 else 0
    return month - 20 if month > 20 else max(0, month - 12)


def _by_calendar(day: Day) -> Day:
    """Without what stands in the month's place and is a season."""
    return day[:1] if _season(day) else day


def _day(parts: object) -> Day:
    if not isinstance(parts, list | tuple) or not parts:
        return ()
    year, month, day, *_ = (*map(_number, parts), 0, 0, 0)
    if not year or abs(year) > 9999:
        return ()
    if not (1 <= month <= 16 or 21 <= month <= 24):
        return (year,)
    return (year, month, day) if 1 <= day <= 31 and month <= 12 else (year, month)


def _number(value: object) -> int:
    if isinstance(value, bool):
        return 0
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]{1,6}", value) else 0


def pages(work: CslRecord) -> str:
    """The pages that the work fills, with an en dash: `34–56`."""
    return re.sub(r"\s*(?:--|[-\u2010-\u2014])\s*", "–", field(work, "page"))


def first_page(work: CslRecord) -> str:
    return field(work, "page-first") or re.split(r"[–,]", pages(work))[0].strip()


def doi(work: CslRecord) -> str:
    """The DOI itself, `10.…`, however the record writes it; empty where it is none."""
    match = re.search(r"10\.\d{4,9}/\S+", field(work, "DOI"))
    return match[0] if match else ""


def address(work: CslRecord) -> str:
    """Where the work is found: its DOI as an address, else its URL, with what no address holds percent-encoded."""
    found = doi(work)
    return f"https://doi.org/{found}" if found else url(work)


def url(work: CslRecord) -> str:
    """The record's address, with what no address holds percent-encoded; empty where it is none."""
    said = field(work, "URL")
    if not _ADDRESS.match(said):
        return ""
    return re.sub(r"[\s<>\"\\^`{|}]", lambda char: "".join(f"%{byte:02X}" for byte in char[0].encode()), said)


def is_english(work: CslRecord) -> bool:
    return field(work, "language").casefold().startswith("en")


def edition(work: CslRecord) -> str:
    """`2nd ed.`, or the edition as the record words it."""
    said = field(work, "edition")
    if said.isascii() and said.isdigit():
        ending = "th" if said[-2:] in ("11", "12", "13") else {"1": "st", "2": "nd", "3": "rd"}.get(said[-1], "th")
        return f"{said}{ending} ed."
    return said if not said or re.search(r"\bed(?:n|ition)?\b", said) else f"{said} ed."


def series(work: CslRecord) -> str:
    return field(work, "collection-title")


def number(work: CslRecord) -> str:
    """The number of a report or in a series."""
    return field(work, "number", "collection-number")


def numbered(kind_of: str, value: str, sign: str) -> str:
    """What a number numbers, and the number: with the sign where it starts with a digit, since `PR` needs none."""
    return " ".join(filter(None, (kind_of, sign if value[:1].isdigit() else "", value)))


def genre(work: CslRecord) -> str:
    """What sort of work it is; empty where the title says so itself."""
    said = field(work, "genre")
    return "" if said.casefold() in field(work, "title").casefold() else said[:1].upper() + said[1:]


def folded(text: str) -> str:
    """Letters without accents and case, for sorting and comparing."""
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char)).casefold()


def without_article(title: str) -> str:
    """A title without the article that it opens with."""
    return _ARTICLE.sub("", title, count=1) if _ARTICLE.match(title) else title


def is_self_published(work: CslRecord) -> bool:
    """Whether one of the authors is the publisher."""
    publisher = folded(field(work, "publisher"))
    return any(folded(name.short) == publisher for name in creators(work)[0])


def unique(works: Any) -> Iterator[CslRecord]:
    """Each work once, by its id; a work without an id by what it says."""
    seen: set[str] = set()
    for work in works:
        key = identity(work) or repr(sorted((str(name), repr(value)) for name, value in work.items()))
        if key not in seen:
            seen.add(key)
            yield work
