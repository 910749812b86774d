"""Whether a statement and its evidence say the same of others: names, comparisons, ways and doers that changed places.

Found by what stands before and after, without grammar; a passive on one side only is left alone, since it turns round
what stands where and nothing else. Left out: what is compared word by word (contradictions).
"""

from __future__ import annotations

from collections.abc import Callable

from eunato_rag.evidence.claims import Claim, Word, terms_of
from eunato_rag.evidence.lexicon import MONTHS

Pair = tuple[frozenset[str], frozenset[str]]

_SMALL = frozenset("of for on and or the in to a an both".split())


def exchange(statement: Claim, evidence: Claim) -> str:
    """Why the statement says of one thing what the evidence says of another; "" where nothing changed places."""
    checks: tuple[Callable[[Claim, Claim], str], ...] = (_exchanged, _turned, _done_by, _crossed)
    return next((reason for check in checks if (reason := check(statement, evidence))), "")


def _exchanged(statement: Claim, evidence: Claim) -> str:
    """Two names that changed places: what the evidence says of one, the sentence says of the other."""
    named = {name.plain for name in (*statement.names, *evidence.names)} & statement.plain & evidence.plain
    ours, theirs = _said_of(statement, named), _said_of(evidence, named)
    agree = [ours[term] & theirs[term] for term in ours if term in theirs and ours[term] & theirs[term]]
    differ = {
        term: (ours[term], theirs[term])
        for term in ours
        if term in theirs and not ours[term] & theirs[term] and _passive(statement, term) == _passive(evidence, term)
    }
    pairs = list(differ.values())
    for term, (a, b) in differ.items():
        turned = (b, a) in pairs or (_only_after(statement, term, b) and _only_after(evidence, term, a))
        if turned and pairs.count((a, b)) + pairs.count((b, a)) > sum(bool(names & (a | b)) for names in agree):
            return f"what the evidence says of {_listed(b)}, the sentence says of {_listed(a)}"
    return ""


def _clause(claim: Claim, term: str) -> tuple[Word, ...]:
    """The clause in which a term is said first."""
    clause = next(word.clause for word in claim.words if word.term == term)
    return tuple(word for word in claim.words if word.clause == clause)


def _passive(claim: Claim, term: str) -> bool:
    return any(word.plain == "by" for word in _clause(claim, term))


def _only_after(claim: Claim, term: str, names: frozenset[str]) -> bool:
    """Whether the names are said after the term only, in the clause where it is said first."""
    clause = _clause(claim, term)
    at = next(n for n, word in enumerate(clause) if word.term == term)
    places = [n for n, word in enumerate(clause) if word.plain in names]
    return bool(places) and min(places) > at


def _said_of(claim: Claim, named: set[str]) -> dict[str, frozenset[str]]:
    """Each term -> the names before it that are nearest; names joined by small words count together."""
    found: dict[str, frozenset[str]] = {}
    current: frozenset[str] = frozenset()
    joined, clause = False, 0
    for word in claim.words:
        joined, clause = joined and word.clause == clause, word.clause
        if word.plain in named:
            current = current | {word.plain} if joined else frozenset({word.plain})
            joined = True
        elif word.plain not in _SMALL and not (joined and word.text[0].isupper()):
            joined = False
            if word.term and current and (word.first or word.text[0].islower()):
                found[word.term] = found.get(word.term, frozenset()) | current
    return found


def _turned(statement: Claim, evidence: Claim) -> str:
    """`from A to B` against `from B to A`, `A more than B` against `B more than A`."""
    for ours, theirs in ((_ways(statement), _ways(evidence)), (_compared(statement), _compared(evidence))):
        for a, b in ours:
            for c, d in theirs:
                if (a - b) & (d - c) and (b - a) & (c - d):
                    return "it turns round what the evidence says"
    return ""


def _ways(claim: Claim) -> list[Pair]:
    """The content words near each `from` and near the `to` that follows it."""
    forms = [word.plain for word in claim.words]
    found = []
    for start in (n for n, form in enumerate(forms) if form == "from"):
        stop = next((n for n, form in enumerate(forms) if form in ("to", "towards", "into") and start < n < start + 8), None)
        if stop is not None:
            found.append((terms_of(claim.words[start:stop]), terms_of(claim.words[stop : stop + 5])))
    return found


def _compared(claim: Claim) -> list[Pair]:
    """The content words before and after each `than`."""
    places = [n for n, word in enumerate(claim.words) if word.plain == "than"]
    return [(terms_of(claim.words[max(0, n - 10) : n]), terms_of(claim.words[n : n + 8])) for n in places]


def _done_by(statement: Claim, evidence: Claim) -> str:
    """Who did what, where both say it with `by`: nobody in common, or a name too many."""
    theirs = dict(_agents(evidence))
    for deed, agents in _agents(statement):
        known = theirs.get(deed, frozenset())
        others = [word for word in agents if word.term not in {other.term for other in known}]
        if known and (len(others) == len(agents) or any(word in statement.names for word in others)):
            return f"by {others[0].text!r} is not what the evidence says"
    return ""


def _agents(claim: Claim) -> list[tuple[str, frozenset[Word]]]:
    """The content word before each `by`, and those after it up to a comma or `and`."""
    found = []
    for n, word in enumerate(claim.words):
        deed = next((w.term for w in reversed(claim.words[max(0, n - 4) : n]) if w.term), "")
        after: list[Word] = []
        for other in claim.words[n + 1 : n + 9]:
            if other.clause != word.clause or other.plain in ("and", "or", "by", "to"):
                break
            after += [other] if other.term else []
        if word.plain == "by" and deed and after and after[0].plain not in MONTHS:
            found.append((deed, frozenset(after)))
    return found


def _crossed(statement: Claim, evidence: Claim) -> str:
    """Two words that changed places: what stands before one in the evidence stands before the other in the sentence."""
    ours, theirs = _before(statement), _before(evidence)
    names = terms_of((*statement.names, *evidence.names))
    moved = {
        term: (ours[term] - theirs[term], theirs[term] - ours[term])
        for term in ours
        if term in theirs and term not in names and _passive(statement, term) == _passive(evidence, term)
    }
    for one, (new, old) in moved.items():
        for other, (its_new, its_old) in moved.items():
            if one != other and new & its_old and old & its_new:
                return f"it says of {min(new & its_old)!r} what the evidence says of {min(old & its_new)!r}"
    return ""


def _before(claim: Claim) -> dict[str, frozenset[str]]:
    """Each term that is said once -> the two content words before it."""
    words = [word.term for word in claim.words if word.term]
    return {term: frozenset(words[max(0, n - 2) : n]) for n, term in enumerate(words) if words.count(term) == 1}


def _listed(names: frozenset[str]) -> str:
    return " and ".join(sorted(name.upper() if len(name) < 5 else name.capitalize() for name in names))
