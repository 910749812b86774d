"""Laws, treaties and judgments: APA and Chicago both follow the Bluebook for them.

Acts of the European Union are cited by the Official Journal where the record says where they stand in it. Left out:
abbreviating the names of parties, courts and reporters.
"""

from __future__ import annotations

import re

from eunato_rag.citing.formats import dates
from eunato_rag.citing.formats.fields import address, date, field, first_page, kind
from eunato_rag.citing.formats.markup import bracketed, commas, link, stop
from eunato_rag.records import CslRecord

_OFFICIAL_JOURNAL = re.compile(r"(?:official journal\b.*|O\.?\s?J\.?)(?:\s(?P<series>[LC]))?", re.IGNORECASE)


def apa_legal(work: CslRecord) -> str:
    """`North Atlantic Treaty, April 4, 1949, 34 U.N.T.S. 243, https://…`; a law: `Name, source (year). https://…`"""
    said, found = _cited(work), link(address(work))
    if kind(work) == "treaty":
        return commas(said, found) if found else stop(said)
    return " ".join(filter(None, (stop(said), found)))


def chicago_legal(work: CslRecord, pin: str = "") -> str:
    """The same order for note and bibliography, an article named behind the title, without the address and the full stop."""
    return _cited(work, pin)


def _cited(work: CslRecord, pin: str = "") -> str:
    what, title = kind(work), field(work, "title") or "[Untitled]"
    known, source = date(work), _journal(work)
    # an article is named behind the title, a page behind the source
    article, page = (pin, "") if pin.startswith(("art.", "annex", "sec.", "chap.", "pt.")) else ("", pin)
    if what == "treaty":
        return commas(title, article, dates.american(known), source, page)
    official = _OFFICIAL_JOURNAL.fullmatch(field(work, "container-title"))
    if official and known.start:
        return commas(title, article, _union_act(work, official, dates.year(known)), page)
    numbered = field(work, "number")
    court = field(work, "authority") if what == "legal_case" else ""
    inside = bracketed(" ".join(filter(None, (court, dates.year(known) or "n.d."))))
    return commas(f"{commas(title, article, numbered if numbered not in title else '', source)} {inside}", page)


def _union_act(work: CslRecord, official: re.Match[str], year: str) -> str:
    """`2021 O.J. (L 170) 149`."""
    volume = field(work, "volume", "issue")
    run = " ".join(filter(None, (official["series"] if volume.isdigit() else "", volume)))
    return " ".join(filter(None, (f"{year} O.J.", bracketed(run), first_page(work))))


def _journal(work: CslRecord) -> str:
    return " ".join(filter(None, (field(work, "volume"), field(work, "container-title"), first_page(work))))
