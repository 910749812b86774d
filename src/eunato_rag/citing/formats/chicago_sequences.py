"""Chicago, many at a time: the notes of a text in order, and its bibliography. Left out: one work alone (`chicago`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from eunato_rag.citing.formats.casing import main_title, short_title
from eunato_rag.citing.formats.chicago import entry, full_note, short_note
from eunato_rag.citing.formats.dates import american
from eunato_rag.citing.formats.fields import creators, date, field, folded, identity, unique, without_article
from eunato_rag.citing.formats.markup import stop
from eunato_rag.citing.formats.pinpoints import chicago_pinpoint
from eunato_rag.records import CslRecord, Locator


def ibid(locator: Locator | None = None) -> str:
    """`Ibid.` for the same place, `Ibid., 7.` for another."""
    pin = chicago_pinpoint(locator)
    return stop(f"Ibid., {pin}" if pin else "Ibid.")


def notes(cites: Sequence[tuple[CslRecord, Locator | None]], *, with_ibid: bool = True) -> list[str]:
    """One note a cite: full at first, then short, or "Ibid." where the note before cites the same work.

    Where two of the works would be shortened alike, they are shortened less; where their titles are equal too, the short
    note ends its title with the date.
    """
    titles = short_titles([work for work, _ in cites])
    made: list[str] = []
    seen: set[str] = set()
    before, before_pin = "", ""
    for work, locator in cites:
        key, pin = _key(work), chicago_pinpoint(locator)
        if key not in seen:
            made.append(full_note(work, locator))
        elif with_ibid and key == before and (pin or not before_pin):
            made.append(ibid(None if pin == before_pin else locator))
        else:
            made.append(short_note(work, locator, titles[key]))
        seen.add(key)
        before, before_pin = key, pin
    return made


def short_titles(works: Iterable[CslRecord]) -> Mapping[str, str]:
    """The shortened title of each work, by its id: short enough, and no two alike of the same authors."""
    cited = {_key(work): work for work in works}
    chosen: dict[str, str] = {}
    for shorten in (short_title, lambda work: main_title(field(work, "title")), lambda work: field(work, "title"), _dated):
        for key, work in cited.items():
            chosen.setdefault(key, shorten(work))
        taken: dict[tuple[object, ...], list[str]] = {}
        for key, title in chosen.items():
            who = tuple(folded(name.short) for name in creators(cited[key])[0])
            # three authors or more are the first "et al.", so the first alone has to tell them apart
            taken.setdefault(((*who[:1], True) if len(who) > 2 else who, folded(title)), []).append(key)
        alike = [key for keys in taken.values() if len(keys) > 1 for key in keys]
        if not alike or shorten is _dated:
            break
        for key in alike:
            del chosen[key]
    return chosen


def _dated(work: CslRecord) -> str:
    when = american(date(work))
    return f"{field(work, 'title')} ({when})" if when else field(work, "title")


def _key(work: CslRecord) -> str:
    return identity(work) or repr(sorted((str(name), repr(value)) for name, value in work.items()))


def bibliography(works: Iterable[CslRecord]) -> list[str]:
    """The bibliography: each work once, by authors letter by letter, then title, then date; names are repeated."""
    return [entry(work) for work in sorted(unique(works), key=_order)]


def _order(work: CslRecord) -> tuple[tuple[str, ...], str, tuple[int, ...], str]:
    title = folded(without_article(field(work, "title")))
    who = tuple(folded(without_article(name.inverted)) for name in creators(work)[0])
    return who or (title,), title, date(work).start, identity(work)
