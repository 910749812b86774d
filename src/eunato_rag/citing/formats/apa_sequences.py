"""APA, many at a time: the reference list in its order, the letters behind equal years, citations in the text.

Left out: one entry (`apa`), narrative citations, several works in one pair of brackets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from eunato_rag.citing.formats import dates
from eunato_rag.citing.formats.apa import UNTITLED, dated, entry, in_container, initials, issued, upright
from eunato_rag.citing.formats.casing import main_title
from eunato_rag.citing.formats.fields import (
    JOURNAL,
    LEGAL,
    PART,
    PRESS,
    creators,
    date,
    field,
    folded,
    identity,
    kind,
    unique,
    without_article,
)
from eunato_rag.citing.formats.markup import commas, italic, quoted
from eunato_rag.citing.formats.pinpoints import apa_pinpoint
from eunato_rag.records import CslRecord, Locator


def bibliography(works: Iterable[CslRecord]) -> list[str]:
    """The reference list: each work once, in the manual's order, with letters behind equal years."""
    listed = sorted(unique(works), key=_order)
    letters = suffixes(listed)
    return [entry(work, letters.get(identity(work), "")) for work in listed]


def suffixes(works: Iterable[CslRecord]) -> Mapping[str, str]:
    """The letter behind the year of each work that has authors and year in common with another, by work id."""
    cited = sorted((work for work in unique(works) if kind(work) not in LEGAL), key=_order)
    groups = [list(group) for _, group in groupby(cited, key=lambda work: (_order(work)[0], _date_key(work)))]
    return {identity(work): _letter(n) for group in groups if len(group) > 1 for n, work in enumerate(group)}


def _letter(index: int) -> str:
    return (_letter(index // 26 - 1) if index > 25 else "") + "abcdefghijklmnopqrstuvwxyz"[index % 26]


def _date_key(work: CslRecord) -> str:
    return dates.year(issued(work)) or dated(work)


def _order(work: CslRecord) -> tuple[tuple[tuple[str, str], ...], tuple[int, ...], str, str]:
    """Names letter by letter, nothing before something; then the date, none first and in press last; then the title."""
    people = creators(work)[0] if kind(work) not in LEGAL else []
    who = tuple((folded(without_article(name.short)), folded(initials(name.given))) for name in people)
    title = folded(without_article(field(work, "title") or UNTITLED))
    known = issued(work)
    when = known.start or ((9999,) if known.said or dated(work) == "in press" else (-99999,))
    return who or ((title, ""),), when, title, identity(work)


def in_text(work: CslRecord, locator: Locator | None = None, works: Iterable[CslRecord] = ()) -> str:
    """The citation in brackets: `(Mangiameli, 2025, Section 1, para. 4)`.

    `works` are all works that the text cites: they decide on the letter behind the year, on how many authors are named
    before "et al." and on initials before equal surnames.
    """
    cited = [other for other in works if identity(other) != identity(work)]
    letter = suffixes([work, *cited]).get(identity(work), "")
    year = dates.year(issued(work)) + letter if date(work) else dated(work, letter)
    original = dates.year(date(work, "original-date"))
    # a reprint or translation is cited with both years
    years = f"{original}/{year}" if original else year
    if kind(work) in LEGAL and field(work, "title").endswith(year):
        years = ""
    return f"({commas(_who(work, cited), years, apa_pinpoint(locator))})"


def _who(work: CslRecord, others: Sequence[CslRecord]) -> str:
    people = creators(work)[0] if kind(work) not in LEGAL else []
    if not people:
        return _title_in_text(work)
    rivals = [found for other in others if (found := creators(other)[0]) and found != people]
    first = people[0]
    same = [r[0] for r in rivals if folded(r[0].short) == folded(first.short) and r[0].given != first.given]
    shown = [upright(first) if same and first.given else first.short, *(name.short for name in people[1:])]
    if len(shown) < 3:
        return " & ".join(shown)
    year = _date_key(work)
    alike = [creators(o)[0] for o in others if _date_key(o) == year and len(creators(o)[0]) > 2 and creators(o)[0] != people]
    most = 1
    while most < len(shown) and any([n.short for n in rival[:most]] == [n.short for n in people[:most]] for rival in alike):
        most += 1
    # "et al." stands for two or more
    if most >= len(shown) - 1 and most > 1:
        return ", ".join(shown[:-1]) + f", & {shown[-1]}"
    return f"{', '.join(shown[:most])}{',' if most > 1 else ''} et al."


def _title_in_text(work: CslRecord) -> str:
    """Shortened, in italics for a whole work or a case, in quotation marks for a part of one, plain for a law."""
    title = field(work, "title-short", "shortTitle") or main_title(field(work, "title"))
    if not title or kind(work) in LEGAL - {"legal_case"}:
        return title or UNTITLED
    return quoted(title, ",") if kind(work) in JOURNAL | PRESS | PART or in_container(work) else italic(title)
