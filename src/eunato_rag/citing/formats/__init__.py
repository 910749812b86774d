"""References, notes and citations in five styles: CSL-JSON, BibTeX, RIS, APA 7 and Chicago 18 (notes and bibliography).

Works are CSL-JSON records, places are locators (`place` makes one that knows page ranges and notes). A line can be had as
text, Markdown or HTML, for titles of whole works are in italics. English terms only. Left out: what no record tells.

    fields      what a record says        markup      emphasis and links      casing   capitals, short titles
    pinpoints   the place in a work       dates       dates in English        legal    laws and treaties
    apa, chicago: one work                apa_sequences, chicago_sequences: many
    csl, bibtex, ris: records to import
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

from eunato_rag.citing.formats import apa, apa_sequences, bibtex, chicago, chicago_sequences, csl, ris
from eunato_rag.citing.formats.dates import year
from eunato_rag.citing.formats.fields import creators, date, field, unique
from eunato_rag.citing.formats.markup import Markup, render
from eunato_rag.citing.formats.pinpoints import Place, page_range, pinpoint, place
from eunato_rag.errors import UnknownStyle
from eunato_rag.records import CslRecord, Locator

Style = Literal["csl-json", "bibtex", "ris", "apa", "chicago"]
NoteForm = Literal["full", "short", "ibid"]
Cite = tuple[CslRecord, Locator | None]

STYLES: tuple[str, ...] = get_args(Style)
MEDIA_TYPES: Mapping[str, str] = {
    "csl-json": "application/vnd.citationstyles.csl+json",
    "bibtex": "application/x-bibtex",
    "ris": "application/x-research-info-systems",
    "apa": "text/plain",
    "chicago": "text/plain",
}
"""What a file of each style is called over HTTP; the text is UTF-8."""


def style_of(style: str) -> Style:
    """The style of that name.

    Raises:
        UnknownStyle: there is none; the message lists those there are.
    """
    for known in get_args(Style):
        if style == known:
            return known  # type: ignore[no-any-return]
    raise UnknownStyle(f"There is no style {style!r}. Styles are: {', '.join(STYLES)}.")


def reference(work: CslRecord, style: str, locator: Locator | None = None, *, markup: Markup = "text") -> str:
    """One work in a style: an entry of a reference list or bibliography, or a record to import.

    The place goes where a format keeps one: `annote` in CSL-JSON and BibTeX, `N1` in RIS. A reference list and a
    bibliography name no places: there it goes into `in_text` and `note`.

    Raises:
        UnknownStyle: the message lists the styles.
    """
    match style_of(style):
        case "csl-json":
            return csl.as_json(csl.item(work, locator))
        case "bibtex":
            return bibtex.entry(work, locator)
        case "ris":
            return ris.record(work, locator)
        case "apa":
            return render(apa.entry(work), markup)
        case "chicago":
            return render(chicago.entry(work), markup)


def bibliography(works: Iterable[CslRecord], style: str, *, markup: Markup = "text") -> list[str]:
    """Each work once: sorted as APA and Chicago want it, in the given order as records to import.

    Raises:
        UnknownStyle: the message lists the styles.
    """
    match style_of(style):
        case "apa":
            return [render(line, markup) for line in apa_sequences.bibliography(works)]
        case "chicago":
            return [render(line, markup) for line in chicago_sequences.bibliography(works)]
        case known:
            return [reference(work, known) for work in unique(works)]


def export(works: Iterable[CslRecord], style: str, *, markup: Markup = "text") -> str:
    """A whole file of references: a CSL-JSON array, BibTeX entries, RIS records, or one line a reference.

    Raises:
        UnknownStyle: the message lists the styles.
    """
    known = style_of(style)
    if known == "csl-json":
        return csl.as_json([csl.item(work) for work in unique(works)]) + "\n"
    between = {"bibtex": "\n", "ris": "\r\n"}.get(known, "\n\n" if markup == "markdown" else "\n")
    listed = between.join(bibliography(works, known, markup=markup))
    return listed if not listed or listed.endswith("\n") else f"{listed}\n"


def note(work: CslRecord, locator: Locator | None = None, form: NoteForm = "full", *, markup: Markup = "text") -> str:
    """One Chicago note: the first on a work, a later one, or one on the work of the note before it."""
    made = {"full": chicago.full_note, "short": chicago.short_note}.get(form)
    return render(made(work, locator) if made else chicago_sequences.ibid(locator), markup)


def notes(cites: Sequence[Cite], *, ibid: bool = True, markup: Markup = "text") -> list[str]:
    """The Chicago notes of a text in order: full at first, short later.

    With `ibid`, a work cited directly before is "Ibid.", with the place where that changes; Chicago would rather have
    the short form, which stands there without `ibid`.
    """
    return [render(line, markup) for line in chicago_sequences.notes(cites, with_ibid=ibid)]


def in_text(work: CslRecord, locator: Locator | None = None, works: Iterable[CslRecord] = (), *, markup: Markup = "text") -> str:
    """The APA citation in brackets: `(Mangiameli, 2025, Section 1, para. 4)`; `works` are all that the text cites."""
    return render(apa_sequences.in_text(work, locator, works), markup)


def suffixes(works: Iterable[CslRecord]) -> Mapping[str, str]:
    """The letter behind the year (APA) of each work that needs one among these, by work id."""
    return apa_sequences.suffixes(works)


def cite(work: CslRecord, locator: Locator | None = None) -> dict[str, str]:
    """A CSL cite: `{"id", "label", "locator"}`, the last two where the place is known."""
    return csl.cite(work, locator)


def short_reference(work: CslRecord, locator: Locator) -> str:
    """Author, title, year and the place: the page where there is one, else section and paragraph.

    `Mangiameli, Elevating EU-NATO Synergy for Enhanced European Defence (2025), sec. 1, para. 4`
    """
    names = [name.short for name in creators(work)[0]]
    who = f"{names[0]} et al." if len(names) > 3 else " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
    title = re.sub(r"\s+", " ", f"{field(work, 'title')} ({year(date(work)) or 'n.d.'})").strip()
    return ", ".join(filter(None, [who, title, pinpoint(locator)]))


__all__ = [
    "MEDIA_TYPES",
    "STYLES",
    "Cite",
    "Markup",
    "NoteForm",
    "Place",
    "Style",
    "bibliography",
    "cite",
    "export",
    "in_text",
    "note",
    "notes",
    "page_range",
    "pinpoint",
    "place",
    "reference",
    "short_reference",
    "style_of",
    "suffixes",
]
