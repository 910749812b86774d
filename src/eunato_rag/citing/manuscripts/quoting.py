"""Quotations between quotation marks, in the text of one block.

Marks in pairs of English, German, French and the Nordic languages, typographic or straight, double or single. Apostrophes,
inches and marks without a partner are let be; of quotations inside each other the outer one counts. Left out: quotations
that are set off as blocks, and whether a word in marks is a quotation or a term.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_OPENERS = {"”": "“„”", "“": "„", "»": "«»", "«": "»", "›": "‹", "’": "‘‚", "‘": "‚", '"': '"', "'": "'"}
"""The marks that each mark can close."""

_MARK = re.compile("[“”„«»‹›‘’‚\"']")
_ALWAYS_OPEN = frozenset("“„«‹‘‚")
_NEVER_OPEN = frozenset("’›")
_BEFORE_OPENING = frozenset("([{—–-/“„«‹‘‚\"'…¿¡")
_OMISSION = re.compile(r"[‘'](?:\d0s|tis|twas)\b", re.IGNORECASE)
_POSSESSIVE = re.compile(r"(?<=[sS])[’'] (?=[a-z])")


def quotation_ranges(text: str) -> list[tuple[int, int]]:
    """The ranges inside the quotation marks of a text, in order, none inside another. One pass: linear in the text."""
    found: list[tuple[int, int]] = []
    behind = 0
    for start, end in sorted(_pairs(text)):
        if start < behind:
            continue
        behind = end + 1
        inner = text[start + 1 : end]
        if any(char.isalnum() for char in inner):
            found.append((end - len(inner.lstrip()), start + 1 + len(inner.rstrip())))
    return found


@dataclass(slots=True)
class _Open:
    """An opening mark; `perhaps` is where a plural's apostrophe might have closed it."""

    mark: str
    start: int
    perhaps: int | None = None


def _pairs(text: str) -> Iterator[tuple[int, int]]:
    """The places of an opening mark and of the one that closes it. A mark without a partner is forgotten."""
    stack: list[_Open] = []
    waiting: dict[str, list[_Open]] = {}

    def forget() -> Iterator[tuple[int, int]]:
        last = stack.pop()
        waiting[last.mark].pop()
        if last.perhaps is not None:
            yield last.start, last.perhaps

    for match in _MARK.finditer(text):
        mark, place = match[0], match.start()
        if _is_apostrophe(text, place):
            continue
        partners = [waiting[opener][-1] for opener in _OPENERS.get(mark, "") if waiting.get(opener)]
        if partners and (mark not in "\"'" or _can_close(text, place)):
            partner = max(partners, key=lambda opened: opened.start)
            if _POSSESSIVE.match(text, place):
                if partner.perhaps is None:
                    partner.perhaps = place
                continue
            while stack[-1] is not partner:
                yield from forget()
            partner.perhaps = place
            yield from forget()
        elif mark in _ALWAYS_OPEN or (mark not in _NEVER_OPEN and _can_open(text, place)):
            if mark in "‘'" and stack and stack[-1].mark == mark:
                yield from forget()
            stack.append(_Open(mark, place))
            waiting.setdefault(mark, []).append(stack[-1])
    while stack:
        yield from forget()


def _is_apostrophe(text: str, place: int) -> bool:
    if text[place] not in "‘’'":
        return False
    inside = text[place - 1 : place].isalnum() and text[place + 1 : place + 2].isalnum()
    return inside or _OMISSION.match(text, place) is not None


def _can_open(text: str, place: int) -> bool:
    before, behind = text[place - 1 : place] if place else "", text[place + 1 : place + 2]
    return bool(behind.strip()) and (not before.strip() or before in _BEFORE_OPENING)


def _can_close(text: str, place: int) -> bool:
    return bool(text[place - 1 : place].strip()) and not text[place + 1 : place + 2].isalnum()
