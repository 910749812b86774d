"""CSL-JSON 1.0.2: the record itself, made valid; and cites with their place.

An item has no locator of its own: that belongs to a cite (`cite`). A pinpoint given for an item stands in `annote`, which
no style prints into a reference. Left out: fields that the schema does not know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from eunato_rag.citing.formats.fields import identity, kind
from eunato_rag.citing.formats.pinpoints import csl_locator, pinpoint
from eunato_rag.records import CslRecord, Locator

_TYPES = frozenset(
    """article article-journal article-magazine article-newspaper bill book broadcast chapter classic collection dataset document
    entry entry-dictionary entry-encyclopedia event figure graphic hearing interview legal_case legislation manuscript map
    motion_picture musical_score pamphlet paper-conference patent performance periodical personal_communication post
    post-weblog regulation report review review-book software song speech standard thesis treaty webpage""".split()
)
_NAMES = frozenset(
    """author chair collection-editor compiler composer container-author contributor curator director editor editorial-director
    executive-producer guest host interviewer illustrator narrator organizer original-author performer producer recipient
    reviewed-author script-writer series-creator translator""".split()
)
_DATES = frozenset("accessed available-date event-date issued original-date submitted".split())
_TEXTS = frozenset(
    """language journalAbbreviation shortTitle abstract annote archive archive_collection archive_location archive-place
    authority call-number citation-label collection-title container-title container-title-short dimensions division DOI event
    event-title event-place genre ISBN ISSN jurisdiction keyword medium note original-publisher original-publisher-place
    original-title part-title PMCID PMID publisher publisher-place references reviewed-genre reviewed-title scale source
    status title title-short URL version volume-title year-suffix""".split()
)
_NUMBERS = frozenset(
    """chapter-number citation-number collection-number edition issue number number-of-pages number-of-volumes page page-first
    part-number printing-number section supplement-number volume""".split()
)
_NAME_PARTS = frozenset(
    "family given dropping-particle non-dropping-particle suffix comma-suffix static-ordering literal parse-names".split()
)
_DATE_PARTS = frozenset("season circa literal raw edtf".split())


def item(work: CslRecord, locator: Locator | None = None) -> dict[str, Any]:
    """The record as a valid item: `id` and `type` always, known fields of the right shape as they are given."""
    made: dict[str, Any] = {"id": identity(work) or "work", "type": kind(work) if kind(work) in _TYPES else "document"}
    for name, value in work.items():
        if name in _NAMES and isinstance(value, list | tuple):
            people = [person for entry in value if (person := _name(entry))]
            made |= {name: people} if people else {}
        elif name in _DATES and isinstance(value, Mapping):
            date = _date(value)
            made |= {name: date} if date else {}
        elif (name in _TEXTS | _NUMBERS and isinstance(value, str)) or (name in _NUMBERS and type(value) in (int, float)):
            made |= {name: _whole(value)} if value != "" else {}
        elif name in _TEXTS and type(value) in (int, float):
            made[name] = str(value)
    place = pinpoint(locator)
    if place:
        made["annote"] = "; ".join(filter(None, (made.get("annote"), f"Cited: {place}")))
    return made


def cite(work: CslRecord, locator: Locator | None = None) -> dict[str, str]:
    """A cite as word processors keep it: the work's `id`, with `label` and `locator` where the place is known."""
    found = csl_locator(locator) if locator is not None else None
    return {"id": identity(work) or "work"} | ({"label": found[0], "locator": found[1]} if found else {})


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _whole(value: Any) -> Any:
    """Text without halves of characters, which no file can hold."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _name(entry: object) -> dict[str, Any]:
    if isinstance(entry, str):
        return {"literal": _whole(entry)} if entry else {}
    if not isinstance(entry, Mapping):
        return {}
    return {key: _whole(part) for key, part in entry.items() if key in _NAME_PARTS and isinstance(part, str | bool) and part != ""}


def _date(value: Mapping[str, Any]) -> dict[str, Any]:
    made = {key: _whole(part) for key, part in value.items() if key in _DATE_PARTS and isinstance(part, str | int) and part != ""}
    given = value.get("date-parts")
    days = [list(day)[:3] for day in given if isinstance(day, list | tuple)][:2] if isinstance(given, list | tuple) else []
    whole = [day for day in days if day and all(isinstance(part, int | str) and not isinstance(part, bool) for part in day)]
    return made | ({"date-parts": [[_whole(part) for part in day] for day in whole]} if whole and len(whole) == len(days) else {})
