"""Chicago: The Chicago Manual of Style, 18th edition, notes and bibliography: one work in a note and in the bibliography.

Of the 18th edition are: no places of publication, "et al." in notes from three authors on, names repeated in full in the
bibliography. English titles are in headline case. Access dates stand only where a work has no date of its own.
Left out: the order of many (`sequences`), archives, classics, musical and artistic works.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from eunato_rag.citing.formats import dates
from eunato_rag.citing.formats.casing import headline, short_title
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
from eunato_rag.citing.formats.legal import chicago_legal
from eunato_rag.citing.formats.markup import bracketed, commas, italic, link, quoted, sentences, stop
from eunato_rag.citing.formats.pinpoints import chicago_pinpoint
from eunato_rag.records import CslRecord, Locator

_MOST_IN_NOTE = 2
_MOST_IN_BIBLIOGRAPHY = 6
_SHOWN_OF_MANY = 3
_QUOTED = JOURNAL | PRESS | PART | WEB | {"interview", "paper-conference", "personal_communication", "speech", "thesis"}
_SPOKEN = {"speech", "paper-conference"}
_UNTITLED = "untitled"


@dataclass(frozen=True, slots=True)
class _Form:
    """How the parts of a reference are joined: by commas in a note, as sentences in the bibliography."""

    in_note: bool

    def title(self, work: CslRecord) -> str:
        title = headline(work, field(work, "title"))
        if not title:
            return _UNTITLED if self.in_note else _UNTITLED.capitalize()
        return quoted(title, "," if self.in_note else ".") if kind(work) in _QUOTED else italic(title)

    def term(self, text: str) -> str:
        """A term at the start of its part: small in a note, with a capital in the bibliography."""
        if not self.in_note:
            return text[:1].upper() + text[1:]
        return text[:1].lower() + text[1:] if text[1:] == text[1:].lower() else text

    def join(self, *parts: str) -> str:
        return commas(*parts) if self.in_note else sentences(*parts)

    def credit(self, people: list[Name], short: str, long: str) -> str:
        """`trans. Jane Roe` or `Translated by Jane Roe`."""
        listed = together(people, _MOST_IN_NOTE if self.in_note else _MOST_IN_BIBLIOGRAPHY)
        return f"{short if self.in_note else long} {listed}" if people else ""


def full_note(work: CslRecord, locator: Locator | None = None) -> str:
    """The first note on a work: `Federica Mangiameli, *Elevating EU-NATO Synergy* (EUROPEUM, 2025), sec. 1, para. 4.`"""
    pin, found = chicago_pinpoint(locator), _address(work, note=True)
    if kind(work) in LEGAL:
        return stop(commas(chicago_legal(work, pin), found))
    people, role = creators(work)
    who = together(people, _MOST_IN_NOTE) + (_editors(people) if role == "editor" else "")
    return stop(commas(who, _body(work, _Form(True), pin), found))


def short_note(work: CslRecord, locator: Locator | None = None, title: str | None = None) -> str:
    """A later note on a work: family names, shortened title, place. `title` stands for another shortening."""
    pin, chosen = chicago_pinpoint(locator), title or short_title(work) or _UNTITLED.capitalize()
    if kind(work) in LEGAL:
        # only the short name of a case is in italics
        return stop(commas(italic(chosen) if kind(work) == "legal_case" else chosen, pin))
    shown = headline(work, chosen)
    people = [Name(literal=name.short) for name in creators(work)[0]]
    in_quotes = quoted(shown, "," if pin else ".")
    marked = shown if not field(work, "title") else in_quotes if kind(work) in _QUOTED else italic(shown)
    who = together(people, _MOST_IN_NOTE)
    # a particle opens a note with a capital
    return stop(commas(who[:1].upper() + who[1:], marked, pin))


def entry(work: CslRecord) -> str:
    """The entry in the bibliography: `Mangiameli, Federica. *Elevating EU-NATO Synergy*. EUROPEUM, 2025.`"""
    if kind(work) in LEGAL:
        return sentences(chicago_legal(work), _address(work, note=False))
    people, role = creators(work)
    who = inverted(people) + (_editors(people) if role == "editor" else "")
    return sentences(who, _body(work, _Form(False), ""), _original(work), _address(work, note=False))


def _editors(people: list[Name]) -> str:
    return ", ed." if len(people) == 1 else ", eds."


def together(people: list[Name], most: int) -> str:
    """`A`, `A and B`, `A, B, and C`, or `A et al.` where there are more than `most`."""
    listed = [name.full for name in people]
    if len(listed) > most:
        return _many(listed) if most == _MOST_IN_BIBLIOGRAPHY else f"{listed[0]} et al."
    return " and ".join(listed) if len(listed) < 3 else ", ".join(listed[:-1]) + f", and {listed[-1]}"


def inverted(people: list[Name]) -> str:
    """The first name by the family; up to six are listed, of more than six the first three."""
    listed = [name.full if n else name.inverted for n, name in enumerate(people)]
    if len(listed) > _MOST_IN_BIBLIOGRAPHY:
        return _many(listed)
    if len(listed) == 2:
        # the comma sets off the inverted name: a body's name is none
        return f"{listed[0]}{'' if people[0].literal else ','} and {listed[1]}"
    return ", ".join(listed[:-1]) + f", and {listed[-1]}" if len(listed) > 2 else "".join(listed)


def _many(listed: list[str]) -> str:
    return f"{', '.join(listed[:_SHOWN_OF_MANY])}, et al."


def _body(work: CslRecord, form: _Form, pin: str) -> str:
    """All between the authors and the address."""
    what = kind(work)
    if what in JOURNAL:
        return _article(work, form, pin)
    if what in PRESS:
        where = commas(italic(field(work, "container-title")), _when(work, exact=True))
        return form.join(form.title(work), form.term(genre(work)), where, pin)
    if what in WEB:
        site = field(work, "container-title") or ("" if is_self_published(work) else field(work, "publisher"))
        dated = _when(work, exact=True)
        return form.join(form.title(work), form.term(genre(work)), site, dated, pin)
    if what in PART or (what == "paper-conference" and field(work, "container-title")):
        return _part(work, form, pin)
    if what in _SPOKEN | {"thesis"}:
        return _given(work, form, pin)
    if what in ("interview", "personal_communication"):
        by = form.credit(names(work, "interviewer"), "interview by", "Interview by") or form.term(genre(work))
        where = field(work, "publisher") if not field(work, "container-title") else italic(field(work, "container-title"))
        return form.join(form.title(work), by, commas(where, _when(work, exact=True)), pin)
    return _whole(work, form, pin)


def _article(work: CslRecord, form: _Form, pin: str) -> str:
    volume, issue, run = field(work, "volume"), field(work, "issue"), pages(work)
    when = _when(work, exact=not (volume and issue))
    run_of_issue = " ".join(filter(None, (italic(field(work, "container-title")), volume)))
    where = commas(run_of_issue, f"no. {issue}" if issue else "")
    where = f"{where} ({when})" if volume or issue else commas(where, when)
    on_page = re.fullmatch(r"[\divxlcIVXLC]+(?:[–n][\divxlcIVXLC]+)?", pin) is not None
    place = pin if on_page else run
    joined = f"{where}: {place}" if place and not (pin and not on_page) else commas(where, pin)
    return form.join(form.title(work), _facts(work, form), joined)


def _part(work: CslRecord, form: _Form, pin: str) -> str:
    """A part of a book; the pages that it fills are no longer given (18th edition)."""
    editors, volume = names(work, "editor"), field(work, "volume")
    small = _Form(True)
    book = italic(headline(work, field(work, "container-title")))
    led = form.credit(editors, "ed.", "edited by")
    inside = commas(f"{'in' if form.in_note else 'In'} {book}" if book else "", edition(work), f"vol. {volume}" if volume else "", led)
    credit = form.credit(names(work, "translator"), "trans.", "Translated by")
    if form.in_note:
        return commas(form.title(work), credit, f"{commas(inside, _series(work, small))} {_published(work)}".strip(), pin)
    return sentences(form.title(work), credit, inside, _series(work, form), _publication(work))


def _given(work: CslRecord, form: _Form, pin: str) -> str:
    """A speech or paper by where it was given, a thesis by its university: in round brackets in a note."""
    what, event = kind(work), commas(field(work, "event-title", "event"), field(work, "event-place"))
    if what == "thesis":
        sort, where, host = field(work, "genre") or "thesis", field(work, "publisher"), ""
    else:
        sort = field(work, "genre") or ("speech" if what == "speech" else "paper presented" + (" at" if event else ""))
        where, host = event, "" if is_self_published(work) else field(work, "publisher")
    said = f"{sort} {where}" if sort.endswith(" at") else commas(form.term(sort), where)
    facts = commas(form.term(said) if sort.endswith(" at") else said, _when(work, exact=what != "thesis"))
    if form.in_note:
        return commas(f"{quoted(headline(work, field(work, 'title'))) or _UNTITLED} {bracketed(facts)}", host, pin)
    return sentences(form.title(work), facts, host)


def _whole(work: CslRecord, form: _Form, pin: str) -> str:
    """A book, a report, or whatever stands alone."""
    facts = _facts(work, form)
    if form.in_note:
        return commas(f"{commas(form.title(work), facts)} {_published(work)}", pin)
    return sentences(form.title(work), facts, _publication(work))


def _facts(work: CslRecord, form: _Form, *, editors: bool = True) -> str:
    """What stands between title and publisher: editor, translator, edition, volume, series and number."""
    listed = names(work, "editor") if editors and creators(work)[1] == "author" else []
    volume = field(work, "volume") if kind(work) not in JOURNAL | {"report"} else ""
    version = field(work, "version")
    return form.join(
        form.credit(listed, "ed.", "Edited by"),
        form.credit(names(work, "translator"), "trans.", "Translated by"),
        edition(work),
        form.term(f"vol. {volume}") if volume else "",
        form.term(f"version {version}") if version else "",
        _series(work, form),
    )


def _series(work: CslRecord, form: _Form) -> str:
    count = number(work)
    if series(work):
        return form.join(form.term(genre(work)), numbered(series(work), count, "no."))
    return form.term(numbered(genre(work), count, "no.")) if kind(work) not in JOURNAL or not count else ""


def _publication(work: CslRecord) -> str:
    return commas(field(work, "publisher"), _when(work, exact=kind(work) == "report" and len(date(work).start) > 2))


def _published(work: CslRecord) -> str:
    return bracketed(_publication(work))


def _when(work: CslRecord, *, exact: bool) -> str:
    """The date, or the year alone; "n.d." where there is none and no day of reading either."""
    known = date(work)
    if not known:
        status = field(work, "status").casefold()
        seen = date(work, "accessed") and address(work)
        return "forthcoming" if status in ("in press", "forthcoming") else "" if seen and kind(work) in WEB else "n.d."
    return dates.american(known) if exact else dates.year(Date(known.start, known.end, None, known.circa, known.said))


def _original(work: CslRecord) -> str:
    title, year = field(work, "original-title"), dates.year(date(work, "original-date"))
    if not title and not year:
        return ""
    facts = commas(field(work, "original-publisher"), year)
    return f"Originally published as {italic(title)}{f' ({facts})' if facts else ''}" if title else f"Originally published {year}"


def _address(work: CslRecord, *, note: bool) -> str:
    found, seen = address(work), dates.american(date(work, "accessed"))
    when = f"{'accessed' if note else 'Accessed'} {seen}" if found and seen and not date(work) else ""
    if note:
        return commas(when, link(found))
    return sentences(when, link(found))
