"""A fit -> its status, typed differences, and what is odd without changing the words.

Also what an ellipsis or a bracket may hide: a negation, modal verb or number whose clause reaches beyond it is told as
if it had been cut without a mark. Left out: how the fit was made (fitting).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from eunato_rag.citing.differences import typed_edits
from eunato_rag.citing.fitting import Fit, Source
from eunato_rag.citing.kinds import Token, Tokens, may_turn
from eunato_rag.citing.marks import QUOTATION_MARKS, Unit
from eunato_rag.indexing.acronyms import Acronyms
from eunato_rag.records import Edit

MAX_OMITTED = 250
"""Words. What an ellipsis jumps over beyond that, or into another section, is another place."""

_OPENERS = frozenset(
    """that which who whom whose because since although though while whilst whereas if unless when where until but
    dass weil obwohl který která které že""".split()
)
_CLAUSE_END = re.compile(r"[,;:()–—.!?\n|]|\s-\s")
_SENTENCE_END = re.compile(r"[.!?;:]|\n")
_MEANT = re.compile(r"[,;:.!?()/]")
_EMPTY = re.compile(rf"\[\d*\]|[{re.escape(QUOTATION_MARKS)}]|\(\s*\)")
_CLASSES = ("negation", "modal", "number", "date")


@dataclass(frozen=True, slots=True)
class Compared:
    """What a run of units is of a source: the range it comes from, its differences, and remarks on punctuation and spaces."""

    start: int
    end: int
    edits: tuple[Edit, ...]
    oddities: tuple[str, ...]


def compare(fitted: Fit, text: str, start: int, end: int, acronyms: Acronyms) -> Compared | None:
    """The units `start..end` of a fit compared with the source; None where none of them is in it."""
    spans = _ends_settled(fitted, text, start, end)
    placed = [n for n in range(start, end) if spans[n][1] > spans[n][0]]
    if not placed:
        return None
    source = fitted.source
    low, high = spans[placed[0]][0], spans[placed[-1]][1]
    mine = _classified(fitted.units[start:end], text)
    theirs = _source_tokens(source)
    edits: list[Edit] = []
    oddities: list[str] = []
    block_yours: list[Token] = []
    block_source: list[Token] = []
    where = (fitted.units[start].start, source.starts[low])

    def flush() -> None:
        edits.extend(typed_edits(block_yours, block_source, text, source.document.text, where))
        block_yours.clear()
        block_source.clear()

    last = low
    previous: int | None = None
    for n in range(start, end):
        unit, (a, b) = fitted.units[n], spans[n]
        skipped = [theirs[j] for j in range(last, a) if low <= j < high and not source.light[j]] if a > last else []
        block_source.extend(skipped)
        if unit.kind != "word":
            flush()
            hidden = _Hidden(unit, theirs, a, b, source, text)
            edits.extend(hidden.edits(acronyms))
            previous = None
        elif b > a and source.forms[a] == unit.form:
            if block_yours or block_source:
                flush()
            where = (unit.end, source.ends[a])
            if previous is not None and spans[previous] == (a - 1, a) and not skipped:
                odd = _punctuation(text, fitted.units[previous], unit, source, a)
                oddities.extend(odd)
            previous = n
            if marker := _foreign_marker(fitted, n, a, text):
                edits.append(marker)
        elif fitted.light[n] and not _contradicts_a_marker(unit, source, a, b, last):
            if b > a and not source.light[a]:
                block_source.append(theirs[a])
        else:
            block_yours.append(mine[n - start])
            if b > a:
                block_source.append(theirs[a])
            previous = None
        last = max(last, b)
    flush()
    for (ya, yb), (sa, sb) in fitted.respaced:
        if fitted.units[start].start <= ya and yb <= fitted.units[end - 1].end:
            oddities.append(f"The spaces differ: yours has “{text[ya:yb]}”, the source “{source.document.text[sa:sb]}”.")
    ordered = tuple(sorted(dict.fromkeys(edits), key=lambda edit: (edit.yours_span, edit.source_span)))
    return Compared(source.starts[low], source.ends[high - 1], ordered, tuple(dict.fromkeys(oddities)))


def _ends_settled(fitted: Fit, text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The spans; words added before or after the quotation are not taken to stand for the source's neighbouring words."""
    spans = list(fitted.spans)
    source = fitted.source
    equal = [n for n in range(start, end) if fitted.equal(n)]
    if not equal:
        return spans
    for n in range(equal[-1] + 1, end):
        a, b = spans[n]
        before = spans[n - 1][1]
        crosses = any(_SENTENCE_END.search(source.between(j)) for j in range(max(before - 1, 0), min(a, len(source.forms) - 1)))
        own = text[fitted.units[n - 1].end : fitted.units[n].start]
        if (
            fitted.units[n].kind == "word"
            and b > a
            and ((crosses and not _SENTENCE_END.search(own)) or not _comparable(fitted.units[n], source, a))
        ):
            for k in range(n, end):
                spans[k] = (before, before)
            break
    for n in range(equal[0] - 1, start - 1, -1):
        a, b = spans[n]
        after = spans[n + 1][0]
        crosses = b > a and any(_SENTENCE_END.search(source.between(j)) for j in range(a, min(after, len(source.forms) - 1)))
        own = text[fitted.units[n].end : fitted.units[n + 1].start]
        if (
            fitted.units[n].kind == "word"
            and b > a
            and ((crosses and not _SENTENCE_END.search(own)) or not _comparable(fitted.units[n], source, a))
        ):
            for k in range(n, start - 1, -1):
                spans[k] = (after, after)
            break
    return spans


def _comparable(unit: Unit, source: Source, n: int) -> bool:
    """Whether a word at the edge may stand for one of the source: both are content words, or neither is."""
    return (len(unit.form) > 3 or unit.form[0].isdigit() or unit.kind != "word") == (
        len(source.forms[n]) > 3 or source.forms[n][0].isdigit()
    ) or unit.form[:1].isupper()


def _contradicts_a_marker(unit: Unit, source: Source, a: int, b: int, last: int) -> bool:
    """Whether a marker of the quotation is not the source's: another stands there, or the digit is no note's at that place."""
    if b > a and source.light[a] and source.forms[a] != unit.form:
        return True
    return unit.form.isdecimal() and int(unit.form) not in source.notes.get(last - 1, ())


def _foreign_marker(fitted: Fit, n: int, place: int, text: str) -> Edit | None:
    """The digits glued to a word that were taken for a note's marker, if the source has no such note just there."""
    end = fitted.units[n].end
    stop = fitted.units[n + 1].start if n + 1 < len(fitted.units) else len(text)
    digits = re.match(r"[.,]?(\d{1,3})", text[end:stop])
    if digits is None or int(digits[1]) in fitted.source.notes.get(place, ()):
        return None
    at = fitted.source.ends[place]
    return Edit("number", digits[1], "", (end + digits.start(1), end + digits.end(1)), (at, at))


def _classified(units: Sequence[Unit], text: str) -> Tokens:
    return Tokens([(unit.form or "…", unit.start, unit.end) for unit in units], text)


def _source_tokens(source: Source) -> Tokens:
    return Tokens(list(zip(source.forms, source.starts, source.ends, strict=True)), source.document.text)


def _punctuation(text: str, one: Unit, other: Unit, source: Source, n: int) -> list[str]:
    """What is odd between two words that follow each other in both: a mark that only one side has."""
    yours, theirs = text[one.end : other.start], source.between(n - 1)
    if yours == theirs or _marks(yours) == _marks(theirs) or (one.start == other.start):
        return []
    whole = source.document.text[source.starts[n - 1] : source.ends[n]]
    return [f"The punctuation differs: yours has “{_line(text[one.start : other.end])}”, the source “{_line(whole)}”."]


def _marks(between: str) -> str:
    return "".join(_MEANT.findall(_EMPTY.sub("", between)))


def _line(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class _Hidden:
    """An ellipsis or bracket, and the words `start..end` of the source that it stands for."""

    unit: Unit
    tokens: Tokens
    start: int
    end: int
    source: Source
    text: str

    def edits(self, acronyms: Acronyms) -> list[Edit]:
        if self.end - self.start > MAX_OMITTED:
            return []  # another place
        return self._omitted() if self.unit.kind == "omission" else self._replaced(acronyms)

    def _omitted(self) -> list[Edit]:
        found: list[Edit] = []
        for place in range(self.start, self.end):
            if place < self.end - 1 and not may_turn(self.source.forms[place]):
                continue
            token = self.tokens[place]
            left, right = self._clause(place)
            reaches_right = right > self.end
            # a number is missed only where it belongs to the very next word that is kept: "… Allies"
            counts = token.kind == "number" and place == self.end - 1 and token.form not in ("%", "‰", "°")
            denies = token.kind == "negation" and left < self.start
            if denies or (reaches_right and (token.kind in ("negation", "modal") or counts)):
                found.append(self._edit(token))
        return found

    def _clause(self, place: int) -> tuple[int, int]:
        """The range of words of the clause that a word of the source stands in."""
        source = self.source
        left = place
        while left > 0 and source.forms[left] not in _OPENERS and not _CLAUSE_END.search(source.between(left - 1)):
            left -= 1
        right = place + 1
        while right < len(source.forms) and source.forms[right] not in _OPENERS and not _CLAUSE_END.search(source.between(right - 1)):
            right += 1
        return left, right

    def _replaced(self, acronyms: Acronyms) -> list[Edit]:
        content = _classified(self.unit.content, self.text)
        words = self.tokens[self.start : self.end]
        found: list[Edit] = []
        for kind in _CLASSES:
            mine = [token for token in content if token.kind == kind]
            theirs = [token for token in words if token.kind == kind]
            if (kind == "number" and not theirs) or (kind == "date" and not (mine and theirs)):
                continue  # to add a number, or to write "[that year]" for one, is what brackets are for
            if theirs and not mine:
                found += [self._edit(token) for token in theirs]
            elif [t.form for t in mine] != [t.form for t in theirs]:
                at = (self.unit.start, words[0].start if words else self._here())
                found += typed_edits(mine, theirs, self.text, self.source.document.text, at)
        if not found and self._other_name(content, words, acronyms):
            found += typed_edits(content, words, self.text, self.source.document.text, (self.unit.start, words[0].start))
        return found

    def _other_name(self, content: Sequence[Token], words: Sequence[Token], acronyms: Acronyms) -> bool:
        """Whether nothing but a name stands for nothing but another name: "[China]" for "Russia", not "[EU]" for its words."""
        if not content or not words or not all(token.kind == "name" for token in (*content, *words)):
            return False
        mine, theirs = {t.form for t in content}, {t.form for t in words}
        if mine & theirs:
            return False
        written = " ".join(token.text for token in words)
        given = " ".join(token.text for token in content)
        return given.casefold() not in {form.casefold() for form in acronyms.other_forms(written)}

    def _here(self) -> int:
        return self.source.ends[self.start - 1] if self.start else self.source.starts[0]

    def _edit(self, token: Token) -> Edit:
        yours = (self.unit.start, self.unit.end)
        return Edit(
            token.kind, self.text[slice(*yours)], self.source.document.text[token.start : token.end], yours, (token.start, token.end)
        )
