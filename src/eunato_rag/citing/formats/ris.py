"""RIS, as Zotero, EndNote and JabRef import it: CRLF, one value a line, `TY` first and `ER` last.

A pinpoint is a note (`N1`): `SP` and `EP` are the pages that the work fills. Left out: a comma inside the name of a body,
which importers take for family and given name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from eunato_rag.citing.formats.fields import (
    JOURNAL,
    PART,
    PRESS,
    Day,
    clean,
    date,
    doi,
    field,
    first_page,
    identity,
    kind,
    names,
    pages,
    url,
)
from eunato_rag.citing.formats.pinpoints import pinpoint
from eunato_rag.records import CslRecord, Locator

_TYPES = {
    "article": "UNPB",
    "article-journal": "JOUR",
    "article-magazine": "MGZN",
    "article-newspaper": "NEWS",
    "bill": "BILL",
    "book": "BOOK",
    "broadcast": "VIDEO",
    "chapter": "CHAP",
    "dataset": "DATA",
    "entry": "ENCYC",
    "entry-dictionary": "DICT",
    "entry-encyclopedia": "ENCYC",
    "figure": "FIGURE",
    "graphic": "ART",
    "hearing": "HEAR",
    "interview": "PCOMM",
    "legal_case": "CASE",
    "legislation": "STAT",
    "manuscript": "MANSCPT",
    "map": "MAP",
    "motion_picture": "MPCT",
    "musical_score": "MUSIC",
    "pamphlet": "PAMP",
    "paper-conference": "CONF",
    "patent": "PAT",
    "periodical": "JFULL",
    "personal_communication": "PCOMM",
    "post": "BLOG",
    "post-weblog": "BLOG",
    "regulation": "STAT",
    "report": "RPRT",
    "review": "JOUR",
    "review-book": "JOUR",
    "software": "COMP",
    "song": "SOUND",
    "speech": "SLIDE",  # what Zotero calls a presentation; RIS has no speech
    "standard": "STAND",
    "thesis": "THES",
    "treaty": "STAT",  # RIS has no treaty; a statute keeps its name, date and source
    "webpage": "ELEC",
}
_NUMBER_TAG = {"report": "SN", "standard": "SN", "patent": "SN", "book": "M1"}
_LAWS = frozenset({"bill", "hearing", "legislation", "regulation", "treaty"})


def record(work: CslRecord, locator: Locator | None = None) -> str:
    """One record, with the empty line behind it that separates records."""
    return "".join(f"{tag}  - {value}\r\n" for tag, value in _lines(work, locator)) + "ER  - \r\n"


def _lines(work: CslRecord, locator: Locator | None) -> Iterator[tuple[str, str]]:
    what = kind(work)
    tags: list[tuple[str, str]] = [("ID", identity(work))]
    tags += [("AU", name.inverted) for name in names(work, "author")]
    # the second rank is the editor of a part's whole; of a book it would be the series' editor
    editor = "ED" if what in ("book", "report", "document") else "A2"
    tags += [(editor, name.inverted) for name in names(work, "editor")]
    tags += [("A2", name.inverted) for name in names(work, "interviewer")]
    tags += [("A4", name.inverted) for name in names(work, "translator")]
    tags += [("TI", field(work, "title")), ("ST", field(work, "title-short", "shortTitle"))]
    tags += _containers(work)
    issued = date(work)
    tags += [("PY", str(issued.start[0]) if issued.start else ""), ("DA", _date(issued.start) if issued.start else issued.said)]
    first, last = first_page(work), re.split(r"[–,]", pages(work))[-1].strip()
    tags += [
        ("PB", field(work, "publisher") or field(work, "authority")),
        ("CY", "" if what == "paper-conference" else field(work, "publisher-place", "event-place")),
        ("ET", field(work, "edition", "version")),
        ("VL", field(work, "volume")),
        ("IS", field(work, "issue")),
        (_NUMBER_TAG.get(what, "M1"), field(work, "number", "collection-number")),
        ("M3", field(work, "genre") if what not in JOURNAL | PRESS | PART else ""),
        ("SP", first),
        ("EP", last if last != first else ""),
        ("SN", field(work, "ISBN", "ISSN") if what not in _NUMBER_TAG or what == "book" else ""),
        ("LA", field(work, "language")),
        ("DO", doi(work)),
        ("UR", url(work)),
        ("Y2", _date(date(work, "accessed").start)),
        ("AB", field(work, "abstract")),
    ]
    tags += [("KW", word) for part in re.split(r"[,;]", field(work, "keyword")) if (word := clean(part))]
    place = pinpoint(locator)
    yield "TY", _TYPES.get(what, "GEN")
    yield from (line for line in tags if line[1])
    if place:
        yield "N1", f"Cited: {place}"


def _containers(work: CslRecord) -> list[tuple[str, str]]:
    container, series, event = field(work, "container-title"), field(work, "collection-title"), field(work, "event-title", "event")
    match kind(work):
        case "paper-conference":
            return [("T2", event or container), ("C3", container if event else ""), ("C1", field(work, "event-place")), ("T3", series)]
        case "speech":
            return [("T2", event), ("T3", series)]
        case "report" | "book":
            return [("T2", series), ("T3", container)]
    return [("T2", container), ("T3", series)]


def _date(day: Day) -> str:
    """`YYYY/MM/DD/`, with nothing where month or day is not known."""
    if not day:
        return ""
    year, month, number = (*day, 0, 0)[:3]
    return f"{year:04d}/{f'{month:02d}' if month else ''}/{f'{number:02d}' if number else ''}/"
