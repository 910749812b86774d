"""A quotation's words laid against one window of a document: which word stands for which, and how much of it is there.

Before they are aligned, words that a line end, a lost space or a note's marker joined or parted are read as the source
has them. Left out: finding windows (locating), and what the differences mean (comparing).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eunato_rag.citing.alignment import BRACKET, OMISSION, Side, align
from eunato_rag.citing.kinds import MODALS, NEGATORS, denies
from eunato_rag.citing.marks import Unit
from eunato_rag.evidence.lexicon import MONTHS, NUMBER_WORDS
from eunato_rag.indexing.concordance import Concordance
from eunato_rag.indexing.folding import RAISED
from eunato_rag.records import Document

_LINE_END = re.compile(r"[-\u2010\u2011]\s+|\s*\n\s*[-\u2010\u2011]?\s*")
_HYPHEN = re.compile(r"\s*[-\u2010-\u2013]\s*")
_EXPONENT_BASE = re.compile(r"(?:10|[kcmd]?m|ft|s|co|h)\Z")
_GAP_WORTH, _MOST_GAP, _CHANCE = 0.3, 4.0, 2


@dataclass(frozen=True, slots=True)
class Source:
    """A window of a document as words: `forms[n]` stands at `starts[n]..ends[n]` of its text.

    `notes` are the numbers of the notes whose markers stand behind word n; `light` says which words are markers.
    """

    document: Document
    forms: list[str]
    starts: list[int]
    ends: list[int]
    notes: dict[int, set[int]]
    light: NDArray[np.bool_]

    def between(self, n: int) -> str:
        """The text between word n and the next."""
        return self.document.text[self.ends[n] : self.starts[n + 1]]


@dataclass(frozen=True, slots=True)
class Fit:
    """A run of a quotation's units laid against a source: `spans[n]` is what unit n stands for, as `align` gives it.

    `core` is the run of units that belong here; `share` is the share, 0..1 by rarity, of all its words that are here.
    `respaced` are the pairs of ranges, of the quotation and of the document, where only a space joins or parts words.
    """

    units: list[Unit]
    spans: list[tuple[int, int]]
    light: list[bool]
    source: Source
    core: tuple[int, int]
    share: float
    matched: int
    respaced: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()

    def equal(self, n: int) -> bool:
        """Whether unit n is a word that the source has there."""
        start, end = self.spans[n]
        return self.units[n].kind == "word" and end == start + 1 and self.source.forms[start] == self.units[n].form

    def equal_words(self, start: int, end: int) -> int:
        """How many of a run of units are words that the source has there."""
        return sum(self.equal(n) for n in range(start, end))


def read_source(concordance: Concordance, document: Document, start: int, end: int) -> Source:
    """The words of a document from one position up to another."""
    starts, ends = concordance.starts[start:end].tolist(), concordance.ends[start:end].tolist()
    forms = concordance.forms(start, end)
    notes: dict[int, set[int]] = {}
    for note in document.footnotes_in(starts[0], ends[-1] + 8) if starts else ():
        for anchor in note.anchors:
            if starts[0] < anchor <= ends[-1] + 8:
                behind = int(np.searchsorted(ends, anchor, side="right")) - 1
                if behind >= 0 and (behind + 1 == len(starts) or anchor <= starts[behind + 1]):
                    notes.setdefault(behind, set()).add(note.number)
    light = np.zeros(len(forms), dtype=bool)
    for n, form in enumerate(forms):
        if form[0].isnumeric() and len(form) <= 3:
            light[n] = _is_marker(document.text, forms, starts, ends, n)
    return Source(document, forms, starts, ends, notes, light)


def fit(units: Sequence[Unit], text: str, source: Source, telling: NDArray[np.float64]) -> Fit:
    """The units of a quotation laid against a source; `telling` is how much each of them counts."""
    read, light, respaced = _as_the_source_has_them(list(units), text, source)
    numbers = {form: n for n, form in enumerate(dict.fromkeys(source.forms))}
    rows = [_number(unit, numbers) for unit in read]
    yours = Side(np.asarray(rows, dtype=np.int64), _likes([unit.form for unit in read], numbers), np.asarray(light, dtype=bool))
    theirs = Side(np.asarray([numbers[f] for f in source.forms], dtype=np.int64), _likes(source.forms, numbers), source.light)
    spans = align(yours, theirs)
    weight = {unit.start: float(w) for unit, w in zip(units, telling, strict=True)}
    draft = Fit(read, spans, light, source, (0, len(read)), 0.0, 0, tuple(respaced))
    equal = [draft.equal(n) for n in range(len(read))]
    counted = [weight.get(unit.start, 1.0) if unit.kind == "word" and not light[n] else 0.0 for n, unit in enumerate(read)]
    total = sum(counted)
    share = sum(w for w, same in zip(counted, equal, strict=True) if same) / total if total else 0.0
    return replace(draft, core=_core(draft, equal), share=share, matched=sum(equal))


def _core(draft: Fit, equal: Sequence[bool]) -> tuple[int, int]:
    """The run of units with most words of the source in it, less those that it lacks (Kadane's maximal run)."""
    best, best_range = 0.0, (0, 0)
    total, start = 0.0, 0
    last: int | None = None
    for n, (unit, (a, b)) in enumerate(zip(draft.units, draft.spans, strict=True)):
        if unit.kind == "omission" or draft.light[n]:
            value = 0.0
        elif unit.kind == "bracket":
            value = -0.1
        else:
            value = 1.0 if equal[n] else -1.0
        if last is not None and a > last:
            value -= min(_MOST_GAP, _GAP_WORTH * (a - last))
        last = b
        if total <= 0:
            total, start = 0.0, n
        total += value
        if equal[n] and total > best:
            best, best_range = total, (start, n + 1)
    return _trimmed(draft, equal, *best_range)


def _trimmed(draft: Fit, equal: Sequence[bool], start: int, end: int) -> tuple[int, int]:
    """The run less a word or two at its ends that differences part from the rest: chance, where the rest is elsewhere."""
    runs: list[tuple[int, int]] = []
    for n in range(start, end):
        if not equal[n]:
            continue
        if runs and runs[-1][1] == n and draft.spans[n][0] == draft.spans[n - 1][1]:
            runs[-1] = (runs[-1][0], n + 1)
        else:
            runs.append((n, n + 1))
    while len(runs) > 1 and runs[-1][1] - runs[-1][0] <= _CHANCE:
        runs.pop()
    while len(runs) > 1 and runs[0][1] - runs[0][0] <= _CHANCE:
        runs.pop(0)
    return (runs[0][0], runs[-1][1]) if runs else (0, 0)


def _as_the_source_has_them(
    units: list[Unit], text: str, source: Source
) -> tuple[list[Unit], list[bool], list[tuple[tuple[int, int], tuple[int, int]]]]:
    known = set(source.forms)
    follow = {(a, b): n for n, (a, b) in enumerate(zip(source.forms, source.forms[1:], strict=False))}
    joined = {a + b: (a, b) for a, b in follow}
    noted = {source.forms[n]: numbers for n, numbers in source.notes.items()}
    marked = frozenset(number for numbers in source.notes.values() for number in numbers)
    read: list[Unit] = []
    light: list[bool] = []
    respaced: list[tuple[tuple[int, int], tuple[int, int]]] = []
    n = 0
    while n < len(units):
        unit = units[n]
        n += 1
        if unit.kind != "word":
            read.append(unit)
            light.append(False)
            continue
        after = units[n] if n < len(units) and units[n].kind == "word" else None
        if after is not None and (unit.form, after.form) in follow:
            read.append(unit)
            light.append(unit.form[0] in RAISED and not (len(read) > 1 and _EXPONENT_BASE.search(read[-2].form)))
            continue
        if after is not None and unit.form + after.form in known and (unit.form, after.form) not in follow:
            gap = text[unit.end : after.start]
            whole = unit.form + after.form
            if _may_join(unit.form, after.form, whole, gap):
                read.append(Unit("word", whole, unit.start, after.end))
                light.append(False)
                if not _HYPHEN.fullmatch(gap):
                    at = source.forms.index(whole)
                    respaced.append(((unit.start, after.end), (source.starts[at], source.ends[at])))
                n += 1
                continue
        if unit.form not in known and unit.kept is None and unit.form in joined and unit.end - unit.start == len(unit.form):
            first, second = joined[unit.form]
            at = follow[(first, second)]
            gap = source.between(at)
            if _may_join(first, second, unit.form, gap):
                middle = unit.start + len(first)
                read += [Unit("word", first, unit.start, middle), Unit("word", second, middle, unit.end)]
                light += [False, False]
                if not _HYPHEN.fullmatch(gap):
                    respaced.append(((unit.start, unit.end), (source.starts[at], source.ends[at + 1])))
                continue
        unit = _completed(unit, known)
        bare = _without_marker(unit, text, known, noted)
        glued = unit.start > 0 and not text[unit.start - 1].isspace()
        raised = unit.form[0] in RAISED and not (read and _EXPONENT_BASE.search(read[-1].form))
        behind_a_mark = glued and text[unit.start - 1] in ".,;:!?)]}”’\"'»"
        standing = behind_a_mark and unit.form.isdecimal() and len(unit.form) <= 3 and int(unit.form) in marked
        read.append(bare)
        light.append(raised or standing)
    return read, light, respaced


def _may_join(first: str, second: str, whole: str, gap: str) -> bool:
    """Whether two words and the one that they make together are the same but for a line end, a hyphen or a space."""
    if _LINE_END.fullmatch(gap):
        return True
    if whole == "cannot":
        return True
    special = NEGATORS | MODALS
    if first[-1].isdecimal() and second[0].isdecimal():
        return bool(re.fullmatch(r"\d{1,3}", first) and re.fullmatch(r"\d{3}", second)) and gap.isspace()
    if _HYPHEN.fullmatch(gap) or not gap:
        return first != "re"
    if gap == "." and len(first) == 1:
        return True
    return gap.isspace() and not {first, second, whole} & special and not denies(whole, second)


def _completed(unit: Unit, known: set[str]) -> Unit:
    """A word with letters in brackets as the source has it, if what stands outside them fits: "capabilit[y]"."""
    if unit.kept is None or unit.form in known or len(unit.kept[0]) < 3:
        return unit
    before, behind = unit.kept
    fitting = sorted(w for w in known if w.startswith(before) and w.endswith(behind) and len(w) >= len(before) + len(behind))
    for word in fitting:
        if not denies(word, unit.form) and not ({word, unit.form} & (NEGATORS | MODALS)) and len(word) <= len(before) + len(behind) + 6:
            return replace(unit, form=word)
    return unit


def _without_marker(unit: Unit, text: str, known: set[str], noted: dict[str, set[int]]) -> Unit:
    """The word without the number of a note that is glued to it, where the source has that note there: "Alliance12"."""
    match = re.fullmatch(r"(.+?)[.,]?(\d{1,3})", unit.form)
    while match and unit.form not in known:
        form, digits = match[1], match[2]
        if int(digits) in noted.get(form, ()):
            return replace(unit, form=form, end=unit.start + len(form))
        match = re.fullmatch(rf"({re.escape(form)}.+?)[.,]?(\d{{1,3}})", unit.form)
    return unit


def _is_marker(text: str, forms: Sequence[str], starts: Sequence[int], ends: Sequence[int], n: int) -> bool:
    form = forms[n]
    if form[0] in RAISED:
        return n == 0 or not _EXPONENT_BASE.search(forms[n - 1]) or starts[n] > ends[n - 1]
    return form.isdecimal() and text[starts[n] - 1 : starts[n]] == "[" and text[ends[n] : ends[n] + 1] == "]"


def _number(unit: Unit, numbers: dict[str, int]) -> int:
    if unit.kind == "omission":
        return OMISSION
    if unit.kind == "bracket":
        return BRACKET
    return numbers.setdefault(unit.form, len(numbers))


def _likes(forms: Sequence[str], numbers: dict[str, int]) -> NDArray[np.int64]:
    known: dict[str, int] = {}
    return np.asarray([known[f] if f in known else known.setdefault(f, _like(f, numbers)) for f in forms], dtype=np.int64)


def _like(form: str, numbers: dict[str, int]) -> int:
    """The class of a word: numbers, months, modal verbs, negators; else words that begin alike; 0 for none."""
    if not form:
        return 0
    if form[0].isdecimal() or form in NUMBER_WORDS:
        return 1
    if form in MONTHS:
        return 2
    if form in MODALS:
        return 3
    if form in NEGATORS:
        return 4
    return 10 + numbers.setdefault(f"\n{form[:4]}", len(numbers)) if len(form) > 3 else 0
