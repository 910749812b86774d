"""The place in a work: page where there is one, else section and paragraph, as each style writes it.

The printed label of a page goes before its physical number. Left out: finding the place (`records.Document.locate`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from eunato_rag.citing.formats.fields import clean
from eunato_rag.citing.formats.markup import quoted
from eunato_rag.records import Document, Locator, Page

_NUMBERED = re.compile(r"(?P<number>\d+(?:\.\d+)*|[IVXLC]+(?=\.))(?:[.)]|\s|$)")
_NAMED = re.compile(r"(?P<part>article|annex|chapter|part|section)\s+(?P<number>\d+[a-z]?|[IVXLC]+)\b", re.IGNORECASE)
_SHORT = {"article": "art.", "chapter": "chap.", "part": "pt.", "section": "sec."}
_LONG_HEADING = 6
"""Words of a heading from which APA gives it shortened, in quotation marks."""


@dataclass(frozen=True, slots=True)
class Place(Locator):
    """A locator that knows more of its range: the page it ends on, where that is another, and the note it lies in."""

    last_page: Page | None = None
    note: int | None = None


def place(document: Document, start: int, end: int) -> Place:
    """Where a range of a document lies: from page to page, and in which note."""
    found = document.locate(start, end)
    turn = bisect_right(document.pages, max(start, end - 1), key=lambda span: span.start) - 1
    last = document.pages[turn].page if turn >= 0 else None
    note = next((note.number for note in document.footnotes_in(start, start + 1) if note.start <= start < note.end), None)
    return Place(start, end, found.page, found.headings, found.paragraph, last if last != found.page else None, note)


def pinpoint(locator: Locator | None) -> str:
    """`p. iv`, or `sec. 1, para. 4`, or `“Summary”, para. 2` where the section has no number; empty where nothing is known.

    A range over a page break is `pp. 6–7`, a place in a note `p. 6, n. 3`.
    """
    if locator is None:
        return ""
    return ", ".join(filter(None, (*_where(locator), _note(locator, "n. {}"))))


def _where(locator: Locator) -> list[str]:
    pages = page_range(locator)
    if pages:
        return [f"{'pp.' if isinstance(locator, Place) and locator.last_page else 'p.'} {pages}"]
    return [part for part in (_section(locator), _paragraph(locator)) if part]


def chicago_pinpoint(locator: Locator | None) -> str:
    """`6`, `6–7`, `6n3`, `sec. 1, para. 4`, `under “Summary,” para. 2` (Chicago: page numbers and other locators)."""
    if locator is None:
        return ""
    pages = page_range(locator)
    if pages:
        return pages + _note(locator, "n{}")
    section, rest = _section(locator), ", ".join(filter(None, (_paragraph(locator), _note(locator, "n. {}"))))
    if section.startswith("“"):
        section = f"under {section[:-1]},”" if rest else f"under {section}"
        return f"{section} {rest}".strip()
    return ", ".join(filter(None, (section, rest)))


def apa_pinpoint(locator: Locator | None) -> str:
    """`p. 6`, `Section 1, para. 4`, `Pests section, para. 2`, `“A Long Heading” section` (APA: specific parts of a source)."""
    if locator is None:
        return ""
    if page_range(locator):
        return ", ".join(filter(None, (*_where(locator), _note(locator, "footnote {}"))))
    return ", ".join(filter(None, (_apa_section(locator), _paragraph(locator), _note(locator, "footnote {}"))))


def page_range(locator: Locator) -> str:
    """`6`, `iv` or `6–7`; empty where the source has no pages."""
    last = locator.last_page if isinstance(locator, Place) else None
    return "–".join(clean(page.label) or str(page.number) for page in (locator.page, last) if page)


def csl_locator(locator: Locator) -> tuple[str, str] | None:
    """The label and the locator of a CSL cite (CSL 1.0.2, locators); None where nothing is known."""
    if page_range(locator):
        return "page", page_range(locator) + _note(locator, "n{}")
    named, rest = _numbered_section(locator), _paragraph(locator)
    if named:
        label = named[0] if named[0] in ("article", "chapter", "part") else "section"
        return label, ", ".join(filter(None, (named[1], rest)))
    if _section(locator):
        return "section", ", ".join(filter(None, (_section(locator), rest)))
    note = _note(locator, "{}")
    return ("paragraph", str(locator.paragraph)) if rest else ("note", note) if note else None


def _numbered_section(locator: Locator) -> tuple[str, str] | None:
    heading = clean(locator.headings[-1]) if locator.headings else ""
    if match := _NAMED.match(heading):
        return match["part"].casefold(), match["number"]
    match = _NUMBERED.match(heading)
    return ("section", match["number"]) if match else None


def _section(locator: Locator) -> str:
    named = _numbered_section(locator)
    if named:
        return f"{_SHORT.get(named[0], named[0])} {named[1]}"
    return quoted(clean(locator.headings[-1])) if locator.headings else ""


def _apa_section(locator: Locator) -> str:
    named = _numbered_section(locator)
    if named:
        return f"{named[0].capitalize()} {named[1]}"
    words = clean(locator.headings[-1]).split() if locator.headings else []
    if len(words) < _LONG_HEADING:
        return f"{' '.join(words)} section" if words else ""
    return f"{quoted(clean(' '.join(words[: _LONG_HEADING - 1])))} section"


def _paragraph(locator: Locator) -> str:
    return "" if locator.paragraph is None else f"para. {locator.paragraph}"


def _note(locator: Locator, form: str) -> str:
    return form.format(locator.note) if isinstance(locator, Place) and locator.note is not None else ""
