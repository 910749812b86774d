"""A claim and one run of evidence -> what of the claim the run contradicts, what it lacks, and what is left to compare.

A contradiction needs something of the same kind in the evidence that stands where the claim's word stands: another number
of the same thing, another name in the same role, the opposite word. Without it, the claim's word is only missing.
Left out: how well the rest of claim and run agree, which decides whether they speak of the same (citing).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eunato_rag.evidence.alignment import Aligned
from eunato_rag.evidence.claims import Claim, Number, Word, read_claim, terms_of, written_as_a_name
from eunato_rag.evidence.contradictions import Disagreement, disagreements
from eunato_rag.evidence.lexicon import ALLOWED, MODALS, MONTHS, OPEN_MODALS, SEASONS
from eunato_rag.evidence.quantities import instead, kind_of, unproved, unread, written
from eunato_rag.evidence.verification import Run, surroundings
from eunato_rag.indexing.keywords import analyse

_ALIKE = 0.45
"""Least similarity of a count's word to a word of the run for the run's other count to be one of the same thing; and of
the words beside a name, for the run to have a place for it."""
_COUNTED = 0.55
"""The same for what a number counts."""
_FAR = 18
"""Words between a doer and what it did, or a name and what it goes with."""
_MOST = 3
"""Least words of a claim that a clause must say to be the one that says it."""
_BOUND = frozenset("of with between for".split())
"""Small words that go with one noun only: a name behind them stands where another does only behind the same noun."""
_PEOPLE = re.compile(r"(?:an|ish|ese|ic|ern)$")
_ITEM = re.compile(r"^\s*\(?\d{1,2}[.)]\s+")
_ARTICLES = frozenset("the a an its their his her".split())
_JOINS = frozenset("and or".split())

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """What disagrees, which numbers and names are missing, and what else is doubtful, a sentence each for a reader.

    `words` are those of the claim that they are about.
    """

    against: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    words: frozenset[Word] = frozenset()


def find(claim: Claim, aligned: Aligned) -> Found:
    """What stands against a claim in an aligned run, numbers and names first, and what the run lacks of it."""
    run = aligned.run
    sentences = said_by(run)
    evidence = read_claim("\n".join(sentences))
    context = read_claim("\n".join(surroundings(run)))
    advice = (block := run.source.document.block_at(run.span[0])) is not None and block.kind == "list_item"
    against: list[str] = []
    lacking: list[str] = []
    doubts: list[str] = []
    words: set[Word] = set()
    names: list[Word] = []
    for number in unproved(claim, sentences):
        words |= set(_words_of(claim, number))
        other = _other_number(claim, aligned, number, evidence)
        if other is not None:
            against.append(f"The evidence says {written(other)}, the draft {written(number)}.")
        else:
            lacking.append(f"The nearest evidence does not give {written(number)}.")
    known = evidence.plain | context.plain
    lacking += [f"The nearest evidence does not give {code}." for code in unread(claim) if code not in known]
    for one in disagreements(claim, evidence, context, advice=advice):
        if (
            one.kind == "opposite"
            and one.word is not None
            and one.word.term in evidence.terms
            and set(analyse(one.other)) <= set(claim.terms)
        ):
            continue  # both say both
        if one.number is not None or (one.kind == "modality" and _reserved(one, claim, evidence)):
            continue
        if one.kind == "name" and one.word is not None:
            names.append(one.word)
        elif one.kind == "exchange" and names:
            continue  # a name that is not there is told by itself
        elif not (one.word is not None and one.word.plain in MONTHS | SEASONS.keys()):
            words |= {one.word} if one.word is not None else set()
            (against if one.sure and _is_said(one) else doubts).append(_told(one))
    for word in seasons(claim, evidence):
        words.add(word)
        other_season = next(iter(seasons(evidence, claim)), None)
        if other_season is not None:
            against.append(f"The evidence says {other_season.text}, the draft {word.text}.")
        else:
            lacking.append(f"The nearest evidence does not say {_quoted(word.text)}.")
    if not names and not against and (other_doer := _of_another(claim, evidence)):
        against.append(f"The evidence says this of {other_doer[0]}, the draft of {other_doer[1]}.")
    for start, end in _phrases(claim, names):
        phrase = claim.words[start:end]
        words |= set(phrase)
        ours = " ".join(word.text for word in phrase)
        theirs = _other_month(phrase, evidence) if phrase[-1].plain in MONTHS else _other_name(claim, (start, end), evidence, aligned)
        if theirs:
            against.append(f"The evidence says {theirs}, the draft {ours}.")
        else:
            lacking.append(f"The nearest evidence does not name {ours}.")
    return Found(tuple(dict.fromkeys(against)), tuple(dict.fromkeys(lacking)), tuple(dict.fromkeys(doubts)), frozenset(words))


def said_by(run: Run) -> list[str]:
    """The sentences of a run without the numbers that count them in a list."""
    return [_ITEM.sub("", run.source.document.text[slice(*span)]) for span in run.sentences]


def _is_said(one: Disagreement) -> bool:
    """Whether the evidence says otherwise, and is not only silent."""
    if one.kind == "modality" and one.other in OPEN_MODALS:
        return False
    silent = one.kind in ("modality", "quantifier") and not one.other and not one.reason.startswith("the evidence says")
    return not silent


def _reserved(one: Disagreement, claim: Claim, evidence: Claim) -> bool:
    """Whether both make the same reserve, if with other words: "should be raised", "the goal should be"; or both look ahead."""
    if not one.sure:
        return any(MODALS.get(form) in ("future", "necessary") for form in claim.plain)
    if one.reason.startswith("the evidence says only"):
        return any(MODALS.get(form) == MODALS.get(one.other) for form in claim.plain if form in MODALS)
    wanted = {kind for form in _modals_of(one.word) for kind in ALLOWED[MODALS[form]]}
    return not one.other and any(MODALS.get(form) in wanted for form in evidence.plain)


def _told(one: Disagreement) -> str:
    """A disagreement as a reader of the draft is told it."""
    ours = one.word.text if one.word is not None else ""
    match one.kind:
        case "modality":
            modal = _modal_of(one.word)
            if not one.other:
                return f"The evidence does not say {_quoted(modal)}."
            return f"The evidence says {_quoted(one.other)}, the draft {_quoted(modal) if modal else 'states a fact'}."
        case "quantifier" if not one.other:
            return f"The evidence does not say {_quoted(ours)}."
        case "opposite" | "quantifier":
            return f"The evidence says {_quoted(one.other)}, the draft {_quoted(ours)}."
        case "negation" if one.other and one.word is None:
            return "The evidence says that nobody says so."
        case "negation" if one.other:
            return f"The evidence denies what the draft says of {_quoted(ours)}."
        case "negation":
            return f"The draft denies what the evidence says{' of ' + _quoted(ours) if ours else ''}."
        case _:
            return one.reason[:1].upper() + one.reason[1:].replace("the sentence", "the draft") + "."


def _modals_of(word: Word | None) -> list[str]:
    return [o.form for o in word.modals() if o.distance >= 0] if word is not None else []


def _modal_of(word: Word | None) -> str:
    return next(iter(_modals_of(word)), "")


def _quoted(text: str) -> str:
    return f"“{text}”"


def _words_of(claim: Claim, number: Number) -> Iterator[Word]:
    """The words that a number is written in."""
    for word in claim.words:
        parts = read_claim(word.text).numbers
        if parts and parts[0].value and (parts[0].value == number.value or number.value % parts[0].value == 0):
            yield word


def _other_number(claim: Claim, aligned: Aligned, number: Number, evidence: Claim) -> Number | None:
    """The number of the evidence that stands where the claim has another; None where it has none of the same thing."""
    others = instead(number, claim, evidence)
    if not others or kind_of(number) in ("year", "#", "%") or others[0].unit == number.unit:
        return others[0] if others else None
    unit = next(iter(analyse(number.unit)), "")
    if unit and not _held(aligned, unit, _COUNTED):
        return None
    places = set(_words_of(claim, number))
    alike = max((one.share for one in aligned.held if one.word in places), default=0.0)
    return others[0] if alike >= _ALIKE else None


def seasons(claim: Claim, evidence: Claim) -> list[Word]:
    """The seasons of a claim that the evidence does not name; `fall` only where a year or an article marks it as one."""
    return [
        word
        for word in claim.words
        if word.plain in SEASONS
        and not SEASONS[word.plain] & evidence.plain
        and (word.plain != "fall" or word.before in ("the", "in", "last"))
    ]


def _other_month(phrase: tuple[Word, ...], evidence: Claim) -> str:
    months = [word.text for word in evidence.words if word.plain in MONTHS and word.text[0].isupper()]
    return months[0] if months and phrase[-1].text not in months else ""


def _phrases(claim: Claim, missing: list[Word]) -> list[Span]:
    """The claim's names of which a word is missing, whole."""
    return [span for span in _names_of(claim) if any(word is name for word in claim.words[slice(*span)] for name in missing)]


def _names_of(claim: Claim) -> list[Span]:
    """The ranges of words written as one name."""
    named = claim.names
    spans: list[Span] = []
    for n, word in enumerate(claim.words):
        if not any(word is name for name in named):
            continue
        if spans and spans[-1][1] == n and claim.words[n - 1].clause == word.clause:
            spans[-1] = (spans[-1][0], n + 1)
        else:
            spans.append((n, n + 1))
    return spans


def _other_name(claim: Claim, span: Span, evidence: Claim, aligned: Aligned) -> str:
    """The name of the evidence that stands where the claim has another: beside the same words, or as the doer of the same."""
    ours = _place(claim, span)
    if not any(term and _held(aligned, term) for term in (ours.left, ours.right)):
        return ""
    own = {word.plain for word in claim.words[slice(*span)]}
    known = claim.plain - own
    for other in _names_of(evidence):
        words = evidence.words[slice(*other)]
        shared = sum(word.plain in known for word in words)
        if 2 * shared > len(words) or all(word.plain in own or word.plain in known for word in words):
            continue
        theirs = _place(evidence, other)
        beside = (ours.left and ours.left == theirs.left) or (ours.right and ours.right == theirs.right)
        both = _is_person(claim.words[slice(*span)]) and _is_person(words)
        behind = ours.small and ours.small == theirs.small and ours.small not in _BOUND and _close_to(evidence, other, ours.left)
        if both or beside or behind or _does(ours, other, theirs, evidence):
            return " ".join(word.text for word in words)
    return ""


def _close_to(evidence: Claim, span: Span, term: str) -> bool:
    return any(word.term == term for word in evidence.words[max(0, span[0] - _FAR) : span[1] + _FAR]) if term else True


def _of_another(claim: Claim, evidence: Claim) -> tuple[str, str] | None:
    """Whom the evidence says it of, and whom the claim: the doer of the clause that says most of it is another, and the
    claim's doer stands in a clause that says little of it."""
    names = _names_of(claim)
    if not names or any(word.plain not in _ARTICLES for word in claim.words[: names[0][0]]):
        return None
    ours = claim.words[slice(*names[0])]
    said = terms_of(claim.words[names[0][1] :]) - terms_of(ours)
    clauses: dict[int, list[Word]] = {}
    for word in evidence.words:
        clauses.setdefault(word.clause, []).append(word)
    overlaps = {clause: len(said & terms_of(words)) for clause, words in clauses.items()}
    best = max(overlaps, key=lambda clause: overlaps[clause])
    mine = [clause for clause, words in clauses.items() if terms_of(ours) <= terms_of(words)]
    if overlaps[best] < _MOST or not mine or any(2 * overlaps[clause] > overlaps[best] or clause < best for clause in mine):
        return None
    first = next(n for n, word in enumerate(evidence.words) if word.clause == best and word.term in said)
    before = [span for span in _names_of(evidence) if span[1] <= first]
    theirs = evidence.words[slice(*before[-1])] if before else ()
    if not theirs or terms_of(theirs) & terms_of(claim.words):
        return None
    return " ".join(word.text for word in theirs), " ".join(word.text for word in ours)


def _is_person(words: Sequence[Word]) -> bool:
    """Whether a name looks like that of a person: two words or three, no acronym, the first hardly ever written small."""
    if not 1 < len(words) < 4 or any(word.text.isupper() for word in words):
        return False
    return written_as_a_name(words[0].plain) and not _PEOPLE.search(words[0].plain)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a name stands: behind which small word, after and before which content words."""

    small: str
    left: str
    right: str


def _place(claim: Claim, span: Span) -> _Place:
    before = [word for word in claim.words[max(0, span[0] - 5) : span[0]] if word.plain not in _ARTICLES]
    small = before[-1].plain if before and not before[-1].term and before[-1].plain not in _JOINS else ""
    left = next((word.term for word in reversed(before) if word.term), "")
    right = next((word.term for word in claim.words[span[1] : span[1] + 4] if word.term), "")
    return _Place(small, left, right)


def _does(ours: _Place, other: Span, theirs: _Place, evidence: Claim) -> bool:
    """Whether one is said to do with `by` what the other does without."""
    if ours.small == "by" and ours.left:
        return any(word.term == ours.left for word in evidence.words[other[1] : other[1] + _FAR])
    return theirs.small == "by" and bool(theirs.left) and theirs.left == ours.right


def _held(aligned: Aligned, term: str, least: float = _ALIKE) -> bool:
    return any(one.word.term == term and one.share >= least for one in aligned.held)
