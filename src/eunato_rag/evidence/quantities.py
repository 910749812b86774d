"""Numbers of a claim and of its evidence: which are carried, and which stands in the place of another.

Strict, since a changed number is the mistake that a writer can least afford: each number of a claim needs one of its own in
the evidence, of the same kind and of the same things, and a year one that is said of the same event. Left out: sums, shares
worked out from counts, conversions of units.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from eunato_rag.evidence.claims import Claim, Number, read_claim, terms_of
from eunato_rag.evidence.contradictions import opposed
from eunato_rag.evidence.lexicon import MULTIPLIERS
from eunato_rag.indexing.keywords import analyse

_NEAR = 1.6
"""A number may be called "more than" a smaller one that is not much smaller, and "fewer than" a greater one likewise."""
_PAIRS = frozenset("organisations organizations institutions bodies sides parties partners blocs entities".split())
"""What a writer counts two of without a number in the source: the two that it is about."""
_PARTS = frozenset("halves thirds quarters fifths sixths tenths third quarter fifth sixth tenth".split())
_WHEN = frozenset("in since by until during".split())


def kind_of(number: Number) -> str:
    """`year`, `%`, `#` for a place in an order, or "" for a count or measure."""
    if number.kind or number.bound:
        return number.kind
    dated = number.before in _WHEN and not number.unit[:1].isalnum()
    return "year" if dated or (number.value == int(number.value) and 1900 <= number.value < 2100) else ""


def unproved(claim: Claim, sentences: Sequence[str]) -> list[Number]:
    """The numbers of a claim that consecutive sentences do not carry."""
    evidence = [read_claim(sentence) for sentence in sentences]
    free = [(n, number) for n, one in enumerate(evidence) for number in one.numbers]
    failed: list[Number] = []
    open_: list[Number] = []
    for number in sorted(claim.numbers, key=lambda number: bool(number.bound)):
        alike = [item for item in free if _equal(number, item[1])]
        if alike:
            free.remove(min(alike, key=lambda item: _unlike(number, item[1])))
        else:
            open_.append(number)
        if alike and not _same_things(number, claim, [item[1] for item in alike], evidence):
            failed.append(number)
    for number in open_:
        if not _follows(number, [other for _, other in free]) and not _is_definite(number, evidence):
            failed.append(number)
    years = [number for number in claim.numbers if kind_of(number) == "year" and number not in failed]
    return failed + [year for year in years if _of_another_event(year, claim, evidence)]


def instead(number: Number, claim: Claim, evidence: Claim) -> list[Number]:
    """The evidence's numbers of the same kind that the claim does not have, the most alike in unit first."""
    if number.unit in _PARTS:
        return []
    ours = {(other.value, kind_of(other)) for other in claim.numbers}
    free = [other for other in evidence.numbers if kind_of(other) == kind_of(number) and (other.value, kind_of(other)) not in ours]
    free = [other for other in free if (other.before == "by") == (number.before == "by")]  # "rose by 17 %" is no other level
    return sorted(free, key=lambda other: (_unlike(number, other), abs(other.value - number.value)))


def unread(claim: Claim) -> list[str]:
    """The words of a claim with digits that are no numbers: `F-35`, `10471/24`, `1.4,250`."""
    return [word.plain for word in claim.words if any(map(str.isdigit, word.plain)) and not read_claim(word.text).numbers]


def written(number: Number) -> str:
    """A number as a reader knows it: 3.7 per cent, 80,000, 2023."""
    value = f"{number.value:g}" if kind_of(number) == "year" or number.value != int(number.value) else f"{int(number.value):,}"
    bound = {">": "more than ", "<": "at most "}.get(number.bound, "")
    return bound + value + (" per cent" if number.kind == "%" else "")


def _equal(number: Number, other: Number) -> bool:
    scaled = number.unit == "of" and any(number.value * times == other.value for times in MULTIPLIERS.values())  # "12 of 46 million"
    same = (number.value == other.value or scaled) and kind_of(number) == kind_of(other) and number.bound == other.bound
    return same and not opposed(number.unit, other.unit)


def _unlike(number: Number, other: Number) -> bool:
    return analyse(number.unit) != analyse(other.unit)


def _same_things(number: Number, claim: Claim, alike: Sequence[Number], evidence: Sequence[Claim]) -> bool:
    """Whether no other number of the evidence counts what this one is said to count."""
    unit = analyse(number.unit)
    wholes = _wholes(evidence)
    if all(other in wholes for other in alike):  # 32 of "23 out of 32 Allies": to say it of all of them is another claim
        ours = {other.value for other in claim.numbers}
        return number.value in _parted(claim) or any(wholes[other] in ours for other in alike)
    named = analyse(number.before)
    if not unit and named and kind_of(number) == "" and all(analyse(other.unit) for other in alike):  # "Dagger 24" counts nothing
        return any(analyse(other.before) == named for other in alike)
    if not unit or kind_of(number) != "" or any(not _unlike(number, other) or not analyse(other.unit) for other in alike):
        return True
    return not any(analyse(other.unit) == unit for one in evidence for other in one.numbers if kind_of(other) == "")


def _is_definite(number: Number, evidence: Sequence[Claim]) -> bool:
    """`the two`, which points at what was named; not where the evidence counts others of the same."""
    unit = analyse(number.unit)
    rival = any(analyse(other.unit) == unit for one in evidence for other in one.numbers if not other.kind)
    return number.value == 2 and not number.kind and number.before in ("the", "these", "those") and bool(unit) and not rival


def _parted(claim: Claim) -> set[float]:
    """The numbers of a claim of which it gives a part: 32 in "26 of NATO's 32"."""
    return {whole.value for part, whole in pairwise(claim.numbers) if part.unit in ("of", "out") and part.clause == whole.clause}


def _wholes(evidence: Sequence[Claim]) -> dict[Number, float]:
    """The numbers that others are a part of, each with that part: "23 out of 32"."""
    pairs = (pair for one in evidence for pair in pairwise(one.numbers))
    return {whole: part.value for part, whole in pairs if part.unit in ("of", "out") and whole.before == "of" and part.value < whole.value}


def _follows(number: Number, free: Sequence[Number]) -> bool:
    """Whether a number that the evidence does not have follows from what it has: "more than 20" from 23."""
    if number.value == 2 and number.unit in _PAIRS:
        return True
    if not number.bound:
        return False
    alike = [other for other in free if other.kind == number.kind and kind_of(other) != "year"]
    close = [other for other in alike if max(other.value, number.value) <= _NEAR * min(other.value, number.value)]
    if not close or any(other.bound for other in close):
        return False
    return all(other.value > number.value if number.bound == ">" else other.value < number.value for other in close)


def _of_another_event(year: Number, claim: Claim, evidence: Sequence[Claim]) -> bool:
    """Whether the sentence that says most of the year's clause, or those before it, have another year, and not this one."""
    said = terms_of(word for word in claim.words if word.clause == year.clause) or frozenset(claim.terms)
    best = max(range(len(evidence)), key=lambda n: len(said & terms_of(evidence[n].words)))
    years = [[other.value for other in one.numbers if kind_of(other) == "year"] for one in evidence]
    told = next((years[n] for n in range(best, -1, -1) if years[n]), [])
    if not told:  # a sentence behind the best one dates it only if it, too, is about the same
        there = [len(said & terms_of(one.words)) for one, dated in zip(evidence, years, strict=True) if year.value in dated]
        return 3 * max(there, default=0) < len(said & terms_of(evidence[best].words))
    spare = list(told)
    for other in claim.numbers:
        if other is not year and other.value in spare:
            spare.remove(other.value)
    return bool(spare) and year.value not in spare
