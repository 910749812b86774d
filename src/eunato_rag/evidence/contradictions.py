"""Whether a statement says something that its evidence does not: a number, a name, a `not`, a `may`, the opposite.

Each check compares two claims and gives what disagrees, with the reason why the statement cannot stand. They find what was
changed, not what is missing altogether: how much of a statement the evidence covers is measured in verification.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Literal

from eunato_rag.evidence.claims import Claim, Number, Operator, Word, terms_of
from eunato_rag.evidence.exchanges import exchange
from eunato_rag.evidence.lexicon import ALLOWED, DEMONYMS, FAINT_NEGATORS, MODALS, NEGATORS, OPEN_MODALS, QUANTIFIED, QUANTIFIERS, opposites
from eunato_rag.indexing.keywords import analyse

_ENDING = re.compile(r"(?:ians?|eans?|ans?|ish|ese|ia|s|e|a|y)$")
_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "de", "mis", "inter")
_BOTH = frozenset({"both", "either", "neither"})
_SMALL = frozenset("of for on and or the in to a an both".split())
_CLOSE = 3
_DENYING = NEGATORS - FAINT_NEGATORS - frozenset("not no never nor neither few little hardly barely scarcely rarely seldom".split())
"""Words that deny by themselves, so that a `not` of the other side may say the same."""

Kind = Literal["number", "name", "negation", "modality", "quantifier", "opposite", "exchange"]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing in which a statement and its evidence do not agree, and why that lets the statement fall.

    `word` is the statement's, None where it is about more than one; `other` what the evidence says there, "" if nothing.
    `number` is the statement's number, for a disagreement of that kind. `sure` is false where the two are about different
    things as likely as not: enough for doubt, not for a contradiction.
    """

    kind: Kind
    reason: str
    word: Word | None = None
    other: str = ""
    number: Number | None = None
    sure: bool = True


Found = Iterator[Disagreement]


def contradiction(statement: Claim, evidence: Claim, context: Claim, *, advice: bool = False) -> str:
    """Why the evidence does not let the statement stand; "" where no check finds anything. Arguments as of `disagreements`."""
    return next((found.reason for found in disagreements(statement, evidence, context, advice=advice)), "")


def disagreements(statement: Claim, evidence: Claim, context: Claim, *, advice: bool = False) -> Found:
    """All that disagrees, numbers first.

    `context` is what stands around the evidence (title, headings, head of a table): names may come from there.
    `advice` says that the evidence is an item of a list, where an imperative recommends.
    """
    yield from _numbers(statement, evidence)
    yield from _names(statement, evidence, context)
    yield from _negation(statement, evidence)
    yield from _modality(statement, evidence, advice)
    yield from _quantity(statement, evidence)
    yield from _opposite(statement, evidence)
    yield from _prefixed(statement, evidence)
    if reason := exchange(statement, evidence):
        yield Disagreement("exchange", reason)


def _numbers(statement: Claim, evidence: Claim) -> Found:
    for number in statement.numbers:
        same = [other for other in evidence.numbers if same_number(number, other)]
        written = f"{number.value:g}{number.kind.strip('#')}"
        if not same and not (number.value == 2 and _BOTH & evidence.plain):
            yield Disagreement("number", f"the number {written} is not in the evidence", number=number)
            continue
        said = terms_of(word for word in statement.words if word.clause == number.clause) & terms_of(evidence.words)
        if len(said) > 1 and same and not any(said & _around(evidence, other) for other in same):
            yield Disagreement("number", f"the evidence says {written} of something else", other=written, number=number)


def same_number(one: Number, other: Number) -> bool:
    """Whether a statement's number is one of the evidence."""
    kinds = one.kind == other.kind or (one.kind == "" and other.kind == "%")
    return one.value == other.value and kinds and one.bound == other.bound and not opposed(one.unit, other.unit)


def opposed(one: str, other: str) -> bool:
    """Whether two words are of different sides of one group: hours and days."""
    ours, theirs = dict(_sides_of(one)), dict(_sides_of(other))
    return any(group in theirs and theirs[group] != side for group, side in ours.items())


def _around(claim: Claim, number: Number) -> frozenset[str]:
    """The terms of a number's clause; where it is short, with those of the clauses beside it."""
    clauses = sorted({word.clause for word in claim.words})
    at = clauses.index(number.clause)
    own = terms_of(word for word in claim.words if word.clause == number.clause)
    return own if len(own) > 2 else terms_of(word for word in claim.words if word.clause in clauses[max(0, at - 1) : at + 2])


def _names(statement: Claim, evidence: Claim, context: Claim) -> Found:
    known = evidence.plain | context.plain
    acronyms = {word.plain for claim in (evidence, context) for word in claim.words if word.text.isupper()}
    roots = {_root(word) for word in known if len(word) > 3}
    stems = terms_of((*evidence.words, *context.words))
    written = [word for words in (evidence.words, context.words) for word in words]
    for name in statement.names:
        if (
            name.plain in known
            or DEMONYMS.get(name.plain) in known
            or name.term in stems
            or (len(name.plain) > 3 and _root(name.plain) in roots)
        ):
            continue
        if not _abbreviates(name, written) and not _spelt_out(name, statement, acronyms):
            yield Disagreement("name", f"the name {name.text} is not in the evidence", name)


def _root(name: str) -> str:
    return _ENDING.sub("", name)


def _abbreviates(name: Word, words: list[Word]) -> bool:
    """Whether an acronym's letters begin words that stand in a row."""
    if not name.text.replace(".", "").isupper() or len(name.plain) < 2:
        return False
    initials = "".join(word.plain[0] for word in words if word.plain not in _SMALL)
    return name.plain.replace("&", "") in initials


def _spelt_out(name: Word, statement: Claim, acronyms: set[str]) -> bool:
    """Whether a name is part of what an acronym of the evidence stands for."""
    if name.text.replace(".", "").isupper():
        return False
    at = statement.words.index(name)
    for short in acronyms:
        if not 2 <= len(short) <= 6 or not short.isalpha():
            continue
        around = [w for w in statement.words[max(0, at - 8) : at + 8] if w.plain not in _SMALL]
        initials = "".join(word.plain[0] for word in around)
        place = around.index(name) if name in around else -1
        if any(start <= place < start + len(short) for start in _places(short, initials)):
            return True
    return False


def _places(part: str, whole: str) -> Iterator[int]:
    start = whole.find(part)
    while start >= 0:
        yield start
        start = whole.find(part, start + 1)


def _occurrences(word: Word, evidence: Claim) -> list[Word]:
    """The evidence's words of the same form, else of the same term: `managed` is not `management` where both are said."""
    same = [other for other in evidence.words if word.term and other.term == word.term]
    return [other for other in same if other.plain == word.plain] or same


def _negation(statement: Claim, evidence: Claim) -> Found:
    accounted: set[int] = set()
    governed: dict[Operator, list[tuple[Word, list[Operator]]]] = {}
    for word in statement.words:
        others = _occurrences(word, evidence)
        for operator in _forward(word.negators()):
            theirs = [found for other in others if (found := _nearest(_forward(other.negators())))]
            accounted |= {found.index for found in theirs}
            if others and operator.distance < 2 and operator.form not in FAINT_NEGATORS and word.plain not in NEGATORS:
                governed.setdefault(replace(operator, distance=0), []).append((word, theirs))
    for words in governed.values():
        word, theirs = words[0]
        if not theirs:
            sure = any(o.distance == 0 for o in word.negators()) and not any(other.plain in _DENYING for other in evidence.words)
            yield Disagreement("negation", f"the evidence does not deny {word.text!r}, the sentence does", word, sure=sure)
    for word in statement.words:
        lost = [[o for o in other.negators(2) if o.form not in FAINT_NEGATORS] for other in _occurrences(word, evidence)]
        if lost and not _forward(word.negators()) and all(lost) and not any(o.index in accounted for found in lost for o in found):
            yield Disagreement("negation", f"the evidence denies {word.text!r}, the sentence does not", word, word.text)
    for before, word in pairwise(word for word in statement.words if word.term):
        pairs = pairwise(other for other in evidence.words if other.term)
        others = [two for one, two in pairs if (one.term, two.term) == (before.term, word.term)]
        denials = [[o.index for o in other.negators(_CLOSE + 1) if o.form not in FAINT_NEGATORS] for other in others]
        if others and all(denials) and not word.negators() and not any(accounted.intersection(found) for found in denials):
            yield Disagreement("negation", f"the evidence denies {word.text!r}, the sentence does not", word, word.text)
    denied = any(o.form not in FAINT_NEGATORS for word in statement.words for o in word.negators(2))
    if not denied and not any(word.plain in NEGATORS for word in statement.words) and _is_disowned(evidence):
        yield Disagreement("negation", "the evidence says that nobody says so", other="not even")
    if denied and not any(word.plain in NEGATORS for word in evidence.words):
        yield Disagreement("negation", "the sentence denies something, the evidence nothing", sure=False)


def _is_disowned(evidence: Claim) -> bool:
    """Whether the first sentence says of whom it names that not even they do: "Not even its friends believe that …"."""
    first = [word.plain for word in evidence.words[:2]]
    return first == ["not", "even"] or first == ["no", "one"] or first[:1] == ["nobody"]


def _forward(operators: list[Operator]) -> list[Operator]:
    return [o for o in operators if o.distance >= 0]


def _nearest(operators: list[Operator]) -> Operator | None:
    """The operator that governs a word most closely."""
    return min(operators, key=lambda o: o.distance, default=None)


def _modality(statement: Claim, evidence: Claim, advice: bool) -> Found:
    for word in statement.words:
        others = _occurrences(word, evidence)
        kinds = {MODALS[o.form] for o in word.modals(2)}
        given = {MODALS[o.form] for other in others for o in other.modals()}
        wanted = {kind for used in kinds for kind in ALLOWED[used]}
        if others and kinds and not wanted & given and not (advice and "advised" in kinds):
            yield Disagreement("modality", f"the evidence does not say that {word.text!r} is {min(kinds)}", word, _modal(others))
        denied = bool(_forward(word.negators()))
        lost = [
            [MODALS[o.form] for o in other.modals(1) if o.form not in OPEN_MODALS and not (denied and other.negators(2))]
            for other in others
        ]
        if others and not _forward(word.modals()) and word.before != "to" and all(lost):
            reason = f"the evidence says only that {word.text!r} is {lost[0][0]}"
            yield Disagreement("modality", reason, word, _modal(others), sure=lost[0][0] != "future")


def _modal(words: list[Word]) -> str:
    """The modal verb that governs the first of the words that has one next to it; "" where none has."""
    return next((o.form for word in words if (o := _nearest(_forward(word.modals(2))))), "")


def _quantity(statement: Claim, evidence: Claim) -> Found:
    given = set(evidence.quantifiers)
    given |= {"not"} if "not" in evidence.plain else set()
    theirs = next((word.text for word in evidence.words if QUANTIFIERS.get(word.plain) in evidence.quantifiers), "")
    for kind in sorted(statement.quantifiers):
        if not QUANTIFIED[kind] & given:
            word = next((word for word in statement.words if QUANTIFIERS.get(word.plain) == kind), None)
            yield Disagreement("quantifier", f"the evidence does not say {kind!r}", word, theirs)


@cache
def _sides() -> dict[str, list[tuple[int, int]]]:
    """Each word of the opposites, by its term if it has one -> its groups and sides."""
    found: dict[str, list[tuple[int, int]]] = {}
    for group, sides in enumerate(opposites()):
        for side, words in enumerate(sides):
            for word in words:
                found.setdefault(next(iter(analyse(word)), word), []).append((group, side))
    return found


def _sides_of(form: str) -> list[tuple[int, int]]:
    return _sides().get(next(iter(analyse(form)), form), [])


def _opposite(statement: Claim, evidence: Claim) -> Found:
    for n, word in enumerate(statement.words):
        if _bounds(word):
            continue
        for group, side in _sides_of(word.plain):
            objects = terms_of(_beside(statement.words, n))
            same, opposed = _polar(evidence, group, side, objects)
            if opposed and not same and bool(word.negators(1)) == bool(opposed[0].negators(1)):
                reason = f"the evidence says {opposed[0].text!r}, the sentence {word.text!r}"
                at = next(n for n, other in enumerate(evidence.words) if other is opposed[0])
                sure = bool(word.term) or bool(objects & terms_of(_beside(evidence.words, at)))
                yield Disagreement("opposite", reason, word, opposed[0].text, sure=sure)


def _bounds(word: Word) -> bool:
    """`at least`, `at most`: what they bound is compared as a number."""
    return word.before == "at" and word.plain in ("least", "most")


def _polar(evidence: Claim, group: int, side: int, objects: frozenset[str]) -> tuple[list[Word], list[Word]]:
    """The words of a side and of the opposite sides: those beside most of the objects where some are, else all."""
    found: list[tuple[int, int, Word]] = []
    for n, word in enumerate(evidence.words):
        for other_group, other_side in _sides_of(word.plain):
            if other_group == group:
                found.append((len(objects & terms_of(_beside(evidence.words, n))), int(other_side != side), word))
    most = max((count for count, _, _ in found), default=0)
    nearest = [(opposed, word) for count, opposed, word in found if count == most]
    return [word for opposed, word in nearest if not opposed], [word for opposed, word in nearest if opposed]


def _beside(words: tuple[Word, ...], at: int) -> list[Word]:
    """The next content words, of the same clause where there are some."""
    after = [word for word in words[at + 1 : at + 9] if word.term][:_CLOSE]
    return [word for word in after if word.clause == words[at].clause] or after[:1]


def _prefixed(statement: Claim, evidence: Claim) -> Found:
    """`formal` against `informal`, `centralised` against `decentralised`."""
    for one, other in ((statement, evidence), (evidence, statement)):
        terms = {word.term for word in other.words if word.term}
        for word in one.words:
            if not word.term or word.term in terms:
                continue
            for bare in _bare(word.plain):
                denied = [w for w in other.words if w.term == bare]
                if denied and not any(w.negators() for w in denied) and not word.negators(1):
                    ours, theirs = (word, denied[0]) if one is statement else (denied[0], word)
                    yield Disagreement("opposite", f"{word.text!r} against {denied[0].text!r}", ours, theirs.text)


def _bare(form: str) -> Iterable[str]:
    for prefix in _PREFIXES:
        rest = form.removeprefix(prefix)
        if rest != form and len(rest) > 3:
            yield from analyse(rest)
