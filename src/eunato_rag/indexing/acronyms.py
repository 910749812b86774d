"""Acronyms as the corpus itself introduces them, "European Defence Fund (EDF)", so that either form finds the other.

A pair is read where a bracket follows the words that its letters come from (Schwartz and Hearst, 2003), or where a
bracket of words follows an acronym. Left out: acronyms that no document spells out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

_BRACKET = re.compile(r"\(([^()]{2,60})\)")
_SHORT = re.compile(r"[A-Z][\w&.-]{0,10}[A-Z0-9]s?|[A-Z]{2,10}s?")
_WORD = re.compile(r"[^\W_][\w'’&/-]*")
_SMALL = frozenset("of for and the on in to a an de la du des et".split())


def find_acronyms(texts: Iterable[str]) -> dict[str, str]:
    """Short form -> long form, as the texts introduce them; one with two long forms keeps the one found more often."""
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


class Acronyms:
    """The pairs of a corpus, found in a text by its words, however many there are."""

    def __init__(self, pairs: Mapping[str, str]) -> None:
        self._long = dict(pairs)
        self._by_first: dict[str, list[tuple[str, str]]] = {}
        for short, long in pairs.items():
            folded = long.casefold()
            if first := _WORD.match(folded):
                self._by_first.setdefault(first.group(), []).append((folded, short))

    def other_forms(self, text: str) -> tuple[str, ...]:
        """For each form that a text has alone, the other one: for "the EDF" its words, for its words "EDF"."""
        folded = text.casefold()
        words = [(match.start(), match.group()) for match in _WORD.finditer(text)]
        said = {word for _, word in words}
        found = [self._long[word] for _, word in words if word in self._long and self._long[word].casefold() not in folded]
        for place, word in words:
            for long, short in self._by_first.get(word.casefold(), ()):
                if folded.startswith(long, place) and not folded[place + len(long) :][:1].isalnum() and short not in said:
                    found.append(short)
        return tuple(dict.fromkeys(found))
