"""How a reference is printed. Here the short form with its pinpoint; whole styles have their own functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from eunato_rag.records import CslRecord, Locator


def short_reference(work: CslRecord, locator: Locator) -> str:
    """Author, title, year and the place: the page where there is one, else section and paragraph.

    `Mangiameli, Elevating EU-NATO Synergy for Enhanced European Defence (2025), sec. 1, para. 4`
    """
    names = [name for name in map(_name, work.get("author") or ()) if name]
    who = f"{names[0]} et al." if len(names) > 3 else " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
    parts = ((work.get("issued") or {}).get("date-parts") or [[]])[0]
    year = str(parts[0]) if parts else "n.d."
    return ", ".join(filter(None, [who, f"{work.get('title', '')} ({year})", pinpoint(locator)]))


def pinpoint(locator: Locator) -> str:
    """`p. iv`, or `sec. 1, para. 4`, or `"Summary", para. 2` where the section has no number; empty where nothing is known."""
    if locator.page is not None:
        return f"p. {locator.page.label or locator.page.number}"
    parts = []
    if locator.headings:
        number = re.match(r"(\d+(?:\.\d+)*)\.?\s", locator.headings[-1])
        parts.append(f"sec. {number[1]}" if number else f"“{locator.headings[-1]}”")
    if locator.paragraph is not None:
        parts.append(f"para. {locator.paragraph}")
    return ", ".join(parts)


def _name(name: Mapping[str, Any]) -> str:
    return str(name.get("family") or name.get("literal") or "")
