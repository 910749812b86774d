"""APA: the Publication Manual of the American Psychological Association, 7th edition: one entry of the reference list.

Titles keep the capitals of their record (see `casing`). Access dates stand only where a work has no date of its own.
A report is dated by its year, one that carries a day by that day, as press releases and declarations do.
Left out: the order of many and citations in the text (`apa_sequences`), abbreviations of group authors, audiovisual detail.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from eunato_rag.citing.formats import dates
from eunato_rag.citing.formats.fields import (
    JOURNAL,
    LEGAL,
    PART,
    PRESS,
    WEB,
    Date,
    Name,
    address,
    creators,
    date,
    edition,
    field,
    genre,
    is_self_published,
    kind,
    names,
    number,
    numbered,
    pages,
    series,
)
from eunato_rag.citing.formats.legal import apa_legal
from eunato_rag.citing.formats.markup import bracketed, commas, italic, link, sentences, stop
from eunato_rag.records import CslRecord

_MOST_LISTED = 20
_DESCRIBED = {
    "broadcast": "Broadcast",
    "dataset": "Data set",
    "interview": "Interview",
    "map": "Map",
    "motion_picture": "Film",
    "paper-conference": "Conference paper",
    "post": "Online post",
    "software": "Computer software",
    "song": "Song",
    "speech": "Speech",
    "thesis": "Thesis",
}
_DATED = PRESS | WEB | {"broadcast", "interview", "motion_picture", "paper-conference", "personal_communication", "speech", "document"}
UNTITLED = "[Untitled]"


def entry(work: CslRecord, suffix: str = "") -> str:
    """The reference-list entry; `suffix` is the letter behind the year."""
    if kind(work) in LEGAL:
        return apa_legal(work)
    who, title, when = _authors(work), _title(work), f"({dated(work, suffix)})"
    # without an author the title moves to the front
    head = f"{stop(who)} {when}. {stop(title)}" if who else f"{stop(title)} {when}."
    original = dates.year(date(work, "original-date"))
    tail = f"(Original work published {original})" if original else ""
    return " ".join(filter(None, (head, sentences(*_source(work)), _retrieval(work), tail)))


def _authors(work: CslRecord) -> str:
    people, role = creators(work)
    listed = [_inverted(name) for name in people]
    if len(listed) > _MOST_LISTED:
        shown = ", ".join(listed[: _MOST_LISTED - 1]) + f", . . . {listed[-1]}"
    elif len(listed) > 1:
        shown = ", ".join(listed[:-1]) + f", & {listed[-1]}"
    else:
        shown = "".join(listed)
    if role == "editor":
        shown += " (Ed.)" if len(listed) == 1 else " (Eds.)"
    return shown


def _inverted(name: Name) -> str:
    return name.literal or ", ".join(filter(None, (name.family, initials(name.given), name.suffix)))


def upright(name: Name) -> str:
    return name.literal or ", ".join(filter(None, (f"{initials(name.given)} {name.family}".strip(), name.suffix)))


def initials(given: str) -> str:
    """`Jean-Claude` -> `J.-C.`, `Mary Ann` -> `M. A.`; a particle in small letters stays whole."""
    made = []
    for word in re.split(r"[\s.]+", given):
        letters = [match[0] for part in word.split("-") if (match := re.search(r"[^\W_]", part))]
        if letters:
            made.append(word if word.islower() and len(word) > 1 else "-".join(f"{letter}." for letter in letters))
    return " ".join(made)


def issued(work: CslRecord) -> Date:
    """The date as precisely as a reference of this type gives it."""
    known = date(work)
    exact = kind(work) in _DATED or (kind(work) == "report" and len(known.start) > 2)
    return known if exact or known.said else Date(known.start[:1], known.end[:1], None, known.circa)


def dated(work: CslRecord, suffix: str = "") -> str:
    known = issued(work)
    if not known:
        status = field(work, "status").casefold()
        plain = "in press" if status in ("in press", "forthcoming") else "n.d."
        return f"{plain}-{suffix}" if suffix else plain
    if known.end and known.start[0] != known.end[0]:
        return dates.year(known) + suffix
    return commas(dates.year(known) + suffix, dates.month_and_day(known))


def _title(work: CslRecord) -> str:
    title = field(work, "title")
    what = _description(work)
    if not title:
        return f"[{what}]" if what else UNTITLED
    shown = title if kind(work) in JOURNAL | PRESS | PART or in_container(work) else italic(title)
    facts = [] if kind(work) in JOURNAL | PRESS | PART or in_container(work) else _facts(work)
    return " ".join(filter(None, (shown, bracketed("; ".join(facts)), f"[{what}]" if what else "")))


def in_container(work: CslRecord) -> bool:
    return kind(work) in ("interview", "paper-conference") and bool(field(work, "container-title"))


def _facts(work: CslRecord) -> list[str]:
    """What stands in round brackets behind the title: translators, edition, volume, number."""
    facts = []
    editors = names(work, "editor") if creators(work)[1] == "author" else []
    for people, one, many in ((editors, "Ed.", "Eds."), (names(work, "translator"), "Trans.", "Trans.")):
        if people:
            facts.append(f"{_together(list(map(upright, people)))}, {one if len(people) == 1 else many}")
    facts += [edition(work), f"Version {field(work, 'version')}" if field(work, "version") else ""]
    facts += [f"Vol. {field(work, 'volume')}" if field(work, "volume") and kind(work) != "report" else "", _report_number(work)]
    return [fact for fact in facts if fact]


def _report_number(work: CslRecord) -> str:
    if not number(work) and kind(work) != "report":
        return ""
    label = series(work) or (genre(work) if kind(work) == "report" else "")
    return numbered(label, number(work), "No.") if number(work) else series(work)


def _description(work: CslRecord) -> str:
    """What stands in square brackets: the sort of work, where its number does not say it already."""
    if kind(work) == "report" and number(work) and not series(work):
        return ""
    said = genre(work) or ("" if field(work, "genre") else _DESCRIBED.get(kind(work), ""))
    if kind(work) == "thesis":
        return commas(said or field(work, "genre"), field(work, "publisher"))
    interviewers = [upright(name) for name in names(work, "interviewer")]
    return f"{said or 'Interview'} by {_together(interviewers)}" if interviewers else said


def _source(work: CslRecord) -> list[str]:
    """Where it was published, given or kept; who published it only if it is not who wrote it."""
    container, what = field(work, "container-title"), kind(work)
    publisher = "" if is_self_published(work) else field(work, "publisher")
    event = commas(field(work, "event-title", "event"), field(work, "event-place"))
    if what in JOURNAL | PRESS or (what == "interview" and container):
        issue = f"({field(work, 'issue')})" if field(work, "issue") else ""
        volume = field(work, "volume")
        run = commas(italic(container), (italic(volume) if volume else "") + issue, pages(work))
        return [run or publisher]
    if what in PART or (what == "paper-conference" and container):
        return [_container(work, container), publisher]
    if what in WEB:
        return [container or publisher]
    if what == "thesis":
        return [field(work, "archive") or container]
    return [event, container if container != publisher else "", publisher]


def _container(work: CslRecord, container: str) -> str:
    editors = [upright(name) for name in names(work, "editor")]
    led = f"{_together(editors)} ({'Ed.' if len(editors) == 1 else 'Eds.'})" if editors else ""
    run = pages(work)
    facts = [edition(work), f"Vol. {field(work, 'volume')}" if field(work, "volume") else ""]
    facts.append(f"{'pp.' if '–' in run or ',' in run else 'p.'} {run}" if run else "")
    inside = ", ".join(filter(None, facts))
    whole = commas(led, italic(container)) if container else led
    return " ".join(filter(None, (f"In {whole}" if whole else "", bracketed(inside))))


def _retrieval(work: CslRecord) -> str:
    found, seen = address(work), dates.american(date(work, "accessed"))
    return f"Retrieved {seen}, from {link(found)}" if found and seen and not date(work) else link(found)


def _together(people: Sequence[str]) -> str:
    if len(people) < 3:
        return " & ".join(people)
    return ", ".join(people[:-1]) + f", & {people[-1]}"
