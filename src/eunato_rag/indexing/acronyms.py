"""Acronyms as the corpus itself introduces them, "European Defence Fund (EDF)", so that either form finds the other.

A pair is read where a bracket follows the words that its letters come from (Schwartz and Hearst, 2003), or where a
bracket of words follows an acronym. Left out: acronyms that no document spells out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

Acronyms = Mapping[str, str]
"""Short form -> the long form that most documents give it."""

_BRACKET = re.compile(r"\(([^()]{2,60})\)")
_SHORT = re.compile(r"[A-Z][\w&.-]{0,10}[A-Z0-9]s?|[A-Z]{2,10}s?")
_WORD = re.compile(r"[^\W_][\w'’&/-]*")
_SMALL = frozenset("of for and the on in to a an de la du des et".split())


def find_acronyms(texts: Iterable[str]) -> dict[str, str]:
    """The pairs that the texts introduce; a short form with two long ones keeps the one found more often."""
    found: dict[str, Counter[str]] = {}
    for text in texts:
        for match in _BRACKET.finditer(text):
            inside, before = match[1].strip().strip("\"'“”‘’"), text[max(0, match.start() - 120) : match.start()].rstrip()
            if _SHORT.fullmatch(inside):
                short, long = inside, _long_form(inside, before)
            else:
                last = before.split()[-1] if before.split() else ""
                short = last.strip("\"'“”‘’")
                long = _long_form(short, inside) if _SHORT.fullmatch(short) else None
                if long != inside:
                    long = None
            if long:
                found.setdefault(short, Counter())[long] += 1
    return {short: min(longs, key=lambda long: (-longs[long], long)) for short, longs in sorted(found.items())}


def _long_form(short: str, before: str) -> str | None:
    """The last words of a text whose initials, small words left out or not, are the short form's letters, in order."""
    letters = [c.casefold() for c in short.rstrip("s") if c.isalnum()]
    words = [(m.start(), m.group()) for m in _WORD.finditer(before)]
    for size in range(2, min(len(words), len(letters) + 5) + 1):
        run = words[-size:]
        if not run[0][1][0].isupper() and run[0][1].casefold() in _SMALL:
            continue
        initials = [part[0].casefold() for _, word in run for part in re.split(r"[-/]", word) if part]
        content = [part[0].casefold() for _, word in run if word.casefold() not in _SMALL for part in re.split(r"[-/]", word) if part]
        if letters in (initials, content):
            return re.sub(r"['’]s?$", "", before[run[0][0] :])
    return None


def expand(text: str, acronyms: Acronyms) -> str:
    """The text with the other form behind each form that it has alone: "EDF (European Defence Fund)"."""
    folded = text.casefold()
    added: list[tuple[int, str]] = []
    for short, long in acronyms.items():
        by_short = re.search(rf"(?<![\w&]){re.escape(short)}(?![\w&])", text)
        by_long = folded.find(long.casefold())
        if by_short and by_long < 0:
            added.append((by_short.end(), long))
        elif by_long >= 0 and not by_short:
            added.append((by_long + len(long), short))
    for place, other in sorted(added, reverse=True):
        text = f"{text[:place]} ({other}){text[place:]}"
    return text
