"""The signs that a question leans on what was said before it: open pronouns, bare nouns, and words that ask for nothing.

A pronoun is open where no phrase of the question itself can be its antecedent. A sign seen where there is none does
more harm than one missed, so "it" in "is it true that", "that" as a conjunction, "there" in "are there" and "the paper"
are none. English only. Left out: fragments (ellipsis.py), and what the question then means (conversation.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from eunato_rag.answering.phrases import AUXILIARIES, BE_HAVE, ORDINALS, PREPOSITIONS, WH, Phrase, Word, looks_plural, phrases, words
from eunato_rag.indexing.keywords import analyse

Kind = Literal["pronoun", "possessive", "noun", "clause"]

MOST_ELLIPTIC = 5
"""Words of a question that can lack its verb ("Which countries do?")."""
_GENERIC = frozenset(
    analyse(
        """reason cause result outcome consequence effect impact purpose point aim goal objective benefit advantage disadvantage drawback
        limitation problem challenge obstacle issue example instance detail year date time month day place country people person participant
        name number figure amount cost price budget percent source reference evidence proof difference alternative exception condition part
        thing way kind type sort role side happen sign join adopt publish write say mean start begin begun end finish take took participate
        create found establish launch set agree decide change pay help work succeed fail explain elaborate continue go summarize summary
        describe give show list know think tell specify clarify expand add large big small old new good bad high low main important key
        first second third last latest next early late long many different various exact exactly precise general similar quick brief short
        still yet actually else anything something today now currently exist involve concern apply matter likely sure yes another see
        question answer get make use come look back let don't isn't successful useful one two interesting responsible available possible
        attend came achieve blame follow newest oldest biggest largest"""
    )
)
"""Terms that ask about something without saying about what."""
_OWN_WORK = frozenset("paper brief publication study document report author authors writer text article corpus note footnote".split())
"""What a reader of the corpus says of it out of the blue."""
GENERAL = frozenset(
    """initiative programme program project scheme instrument tool fund agency organisation organization institution body treaty agreement
    pact declaration strategy concept plan policy exercise operation mission summit meeting event conflict crisis dispute figure target
    decision idea proposal law country town person company speech book statement claim quote quotation problem issue obstacle process
    mechanism framework practice pledge institute commissioner minister""".split()
)
"""Nouns that take up a thing already named."""
_NO_ANTECEDENT = _OWN_WORK | set(
    """year time date day month way kind type sort extent reason role part place point share percentage number contrast comparison general
    practice theory particular short addition fact turn return""".split()
)
_PEOPLE = frozenset("others people everyone everybody someone somebody anyone anybody nobody those who whoever whose".split())
"""Function words that a personal pronoun may mean."""
_CONTRACTED = re.compile(r"(?:n['’]t|['’](?:s|re|ve|ll|d|m))\b", re.IGNORECASE)
_GREETINGS = frozenset("hello hi hey".split())
_PERSONAL = {"it": False, "they": True, "them": True, "he": False, "him": False, "she": False, "her": False}
_POSSESSIVE = {"its": False, "their": True, "theirs": True, "his": False, "her": False, "hers": False}
_OF_PEOPLE = frozenset("he him his she her hers they them their theirs".split())
_DEMONSTRATIVES = frozenset("this that these those".split())

_BESIDE = r"[,;:.?!–—]|\b(?:and|but|or|because|so|since|if|when|while|although|though)\b"
"""What parts two clauses that stand beside each other."""
_CLAUSE_BREAK = re.compile(_BESIDE, re.IGNORECASE)
_ANY_BREAK = re.compile(
    rf"{_BESIDE}|\b(?:that|whether|how|why|where|before|after|until|unless|what|which|who|whose|as|than)\b"
    r"|\b(?:think|believe|hope|fear|feel|say|said|suggest|claim|argue|assume)s?\b(?! (?:of|about|to|on|in|for|by)\b)",
    re.IGNORECASE,
)
_ADJECTIVE = (
    "true|possible|impossible|important|necessary|likely|unlikely|clear|right|wrong|correct|fair|safe|realistic|feasible|customary|easy|"
    "difficult|hard|worth|better|good|wise|legal|reasonable|useful|essential|vital|crucial|common|normal|easier|harder|best"
)
_PLEONASTIC = re.compile(
    r"\bit(?:'s|\s+(?:is|was|has been|would be|will be|be|been))?\s+(?:(?:not|so|too|also|now|then|only|very|really|still|even|often)\s+)?"
    rf"(?:(?:{_ADJECTIVE})(?:\s+\w+ly)?\s+(?:to|that|for|if|when|whether|\w+ing)\b"
    r"|\w+(?:ed|wn|id|ght|eems?|ears?|eans?|ows?)\s+(?:that|whether|how)\b|(?:called|considered|known)\b"
    r"|(?:takes?|took|costs?|makes?|made)\s+(?:\w+\s+){0,3}(?:to|sense)\b|matters?\s+(?:that|if|whether)\b|(?:that|when)\b|(?:like|up)\s+to\b)"
    r"|\b(?:does|would|will|did|could)\s+it\s+(?:\w+ly\s+)?(?:take|cost)\b|\b(?:ma[dk]e|makes|making|finds?|found)\s+it\s+\w+\s+(?:to|for|that)\b",
    re.IGNORECASE,
)
""" "It" that stands for nothing."""
_ENDS = r"(?=\s*(?:$|[,;:.?!]|(?:is|was|were|are|did|does|do|has|have|had|can|will|would|should)\b))"
_SELECTED = re.compile(
    rf"\bthe\s+(?:(?:{'|'.join(ORDINALS)}|last|latest|previous|others?|former){_ENDS}|latter\b(?! (?:half|part|stages?|two|three)\b)"
    rf"|[\w-]+(?:\s+[\w-]+)?\s+ones?\b(?!\s+(?:hand|of)\b)|one(?:{_ENDS}|(?=\s+(?:in|from|on|at)\b)))"
    r"|\b(?:which|this|that|another|any|each|every|no)\s+(?:[\w-]+\s+)?ones?\b(?!\s+of\b)|\bones\b",
    re.IGNORECASE,
)
""" "The second one", "the third": one of several that were named before."""
_TAKEN_UP = re.compile(
    r"\b(?:do|does|did|say|says|said)\s+the\s+same\b(?!\s+\w+\s+as)"
    rf"|(?<!\bat )\bthe\s+same\s+(?:year|time|day|place|{'|'.join(sorted(GENERAL | _OWN_WORK))})s?\b(?!\s+as\b)"
    r"|\b(?:an?|anything|something)\s+(?:similar|equivalent|comparable)\b(?!\s+(?:\w+\s+)?(?:to|of|with|as)\b)"
    r"|\b(?:have|has|had|get|got|need|needs|use|build|create|find|like)\s+one\s*[?.!]?$|\bhow\s+many\s+(?:are|were|have|do|did|will|would|can)\b"
    r"|\b(?:says?|said|know|tell|explains?|mentions?)\s+(?:why|how|when|where|who|what|which|whom)\s*[?.!]?$"
    r"|\bsuch\s+(?!as\b)(?:an?\s+)?[a-z]+|\b(?:since|by|until|before|back)\s+then\b|\bthen\s*[?.!]?$"
    r"|\bboth\s*(?:[?.!]?$|(?:do|does|did|have|has|are|were|is|was|can|could|should|will|would)\b)"
    rf"|\b(?:the\s+two|both)\s*(?:[?.!]?$|bodies\b|countries\b|parties\b|(?:{'|'.join(sorted(GENERAL))})s\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reference:
    """Words at `start:end` that point outside their question; `noun` is what "the initiative" names."""

    kind: Kind
    start: int
    end: int
    word: str
    plural: bool = False
    noun: str = ""


def substance(text: str) -> frozenset[str]:
    """The terms that say what a question is about: names, and all but generic words; none in "Why was it adopted?"."""
    text = _CONTRACTED.sub("", text)
    named = frozenset(term for word in words(text) if word.name for term in analyse(word.text))
    return frozenset(analyse(text)) - (_GENERIC - named)


def open_references(question: str, before: Sequence[Phrase], sought: Collection[str] = ()) -> list[Reference]:
    """What points outside the question, in order.

    `before` are the phrases of the questions before it, `sought` the nouns that the last one asked for ("which document")
    or that it named without saying more.
    """
    listed = words(question)
    own = [phrase for phrase in phrases(question) if phrase.head not in _NO_ANTECEDENT]
    empty = [match.span() for match in _PLEONASTIC.finditer(question)]
    found = [_at(question, listed, n, before, sought) for n, word in enumerate(listed) if not any(a <= word.start < b for a, b in empty)]
    for pattern in (_SELECTED, _TAKEN_UP):
        found += [Reference("clause", *match.span(), match.group().lower()) for match in pattern.finditer(question)]
    verbs = [n for n, word in enumerate(listed, 1) if word.lower in AUXILIARIES]
    if verbs == [len(listed)] and len(listed) <= MOST_ELLIPTIC:  # "which countries do?"
        found.append(Reference("clause", listed[-1].start, listed[-1].end, listed[-1].lower))
    outside = [reference for reference in found if reference and not _has_antecedent(question, listed, own, reference)]
    return sorted(outside, key=lambda reference: reference.start)


def _at(question: str, listed: Sequence[Word], n: int, before: Sequence[Phrase], sought: Collection[str]) -> Reference | None:
    """The reference that begins at a word, wherever it points."""
    word, base = listed[n], listed[n].lower.split("'")[0]
    if word.name:
        return None
    following = listed[n + 1] if n + 1 < len(listed) and question[word.end : listed[n + 1].start] == " " else None
    bare = following is None or following.function
    if (base in _POSSESSIVE and not (base == "her" and bare)) or (word.lower == "it's" and not bare):
        return Reference("possessive", word.start, word.end, base, _POSSESSIVE.get(base, False))
    if base in _PERSONAL:
        return Reference("pronoun", word.start, word.start + len(base), base, _PERSONAL[base])
    if base in _DEMONSTRATIVES:
        return _demonstrative(question, listed, n, bare)
    if base == "the" and following is not None:
        return _bare_noun(question, listed, n + 1, before, sought)
    ends = following is None and n > 0 and listed[n - 1].lower not in AUXILIARIES | _GREETINGS
    lacks = not any(w.name for w in listed) and len(substance(question)) <= 1
    if (base == "there" and ends) or (base == "else" and lacks):
        return Reference("clause", word.start, word.end, base)
    return None


def _demonstrative(question: str, listed: Sequence[Word], n: int, bare: bool) -> Reference | None:
    word, base = listed[n], listed[n].lower.split("'")[0]
    plural = base in ("these", "those")
    before = listed[n - 1].lower if n else ""
    after = listed[n + 1].lower if n + 1 < len(listed) else ""
    if base == "that" and n:
        ends = n + 1 == len(listed) or question[word.end] in ",;:.?!)"
        inverted = n == 1 or listed[n - 2].lower in WH | {"and", "but", "so", "or"} or question[listed[n - 2].end] in ",;:"
        takes_up = not bare and after in GENERAL | {"year", "time", "case", "point", "respect", "date", "day"}
        if not (
            ends
            or takes_up
            or (before in AUXILIARIES and (inverted or after in PREPOSITIONS))
            or (before in ("and", "but") and after in AUXILIARIES)
        ):
            return None
        bare = not takes_up
    if base == "those" and (after in PREPOSITIONS | {"who", "that", "which", "of", "not"} or after.endswith(("ed", "ing"))):
        return None
    if bare or after.endswith("ed") or (before in BE_HAVE and n + 2 == len(listed)):  # "is this based on", "is this true"
        return Reference("clause", word.start, word.end, base, plural)
    if listed[n + 1].name and base == "those":
        return None
    if {after, after.rstrip("s")} & _OWN_WORK or after in ("days", "week", "month", "decade", "century", "morning", "year", "time"):
        return None if base != "that" else Reference("clause", word.start, word.end, base)
    head = _end_of_noun(listed, n + 1)
    return Reference("noun", word.start, listed[head].end, base, looks_plural(listed[head].lower), listed[head].lower)


def _end_of_noun(listed: Sequence[Word], n: int) -> int:
    """The last word of the run of content words from n on, without the adjective of "is the initiative useful"."""
    asks_if = n > 1 and listed[n - 2].lower in BE_HAVE
    end = n
    while end + 1 < len(listed):
        after = listed[end + 1]
        if after.function or after.lower.endswith("ed") or after.start != listed[end].end + 1:
            break
        if asks_if and listed[end].lower in GENERAL:
            return end
        end += 1
    return end - 1 if asks_if and n < end == len(listed) - 1 else end


def _bare_noun(question: str, listed: Sequence[Word], n: int, before: Sequence[Phrase], sought: Collection[str]) -> Reference | None:
    """ "The initiative", where nothing behind it says which, and it takes up something."""
    word = listed[n]
    if word.name or word.function or _end_of_noun(listed, n) != n:
        return None
    behind = [w.lower for w in listed[n + 1 : n + 3]] if question[word.end : word.end + 1] == " " else []
    if behind and (behind[0] in PREPOSITIONS | {"that", "which", "who", "whose", "where", "when", "to"}):
        return None
    if len(behind) == 2 and behind[0].endswith("ed") and behind[1] in PREPOSITIONS:
        return None
    repeated = any(" " in phrase.text and analyse(phrase.head) == analyse(word.text) for phrase in before)
    takes_up = word.lower in GENERAL and not any(w.name for w in listed)
    if not (repeated or takes_up or word.lower in sought):
        return None
    return Reference("noun", listed[n - 1].start, word.end, "the", looks_plural(word.lower), word.lower)


def _has_antecedent(question: str, listed: Sequence[Word], own: Sequence[Phrase], reference: Reference) -> bool:
    """Whether the question itself says what is meant.

    A possessive may mean anything before it. What is no possessive cannot mean something of its own clause, for then it
    would be "itself"; but it can mean a possessor, and the subject of a clause inside another can.
    """
    word = reference.word
    before = [phrase for phrase in own if phrase.end <= reference.start]
    if reference.kind == "noun" and word == "the":
        return bool(before)
    if reference.kind == "clause" and word.startswith(("the same", "a ", "an ", "anything", "something")):
        return any(phrase.plural for phrase in before) or len(before) > 1
    if reference.kind == "clause" and word.endswith(("one", "ones")):
        return any(phrase.core[1] < phrase.end for phrase in before)
    if reference.kind == "clause" and word.startswith("the "):
        return any(phrase.plural or re.search(r"\b(?:which|what) $", question[: phrase.start], re.I) for phrase in before)
    ends = [phrase.end for phrase in before if _agrees(phrase, reference)]
    if word in _OF_PEOPLE:
        ends += [w.end for w in listed if w.end <= reference.start and w.lower in _PEOPLE]
    possessor = any("'s " in phrase.text.replace("’", "'") for phrase in before)
    if ends and (reference.kind == "possessive" or possessor or _embedded(listed, reference)):
        return True
    parted = _CLAUSE_BREAK if reference.kind == "clause" or word in _DEMONSTRATIVES else _ANY_BREAK
    return bool(ends and parted.search(question, min(ends), reference.start))


def _embedded(listed: Sequence[Word], reference: Reference) -> bool:
    """Whether a pronoun is the subject of a clause that follows its noun with nothing between: "the tribes he conquered"."""
    if reference.kind != "pronoun" or reference.word not in ("he", "she", "they", "it"):
        return False
    n = next(n for n, word in enumerate(listed) if word.start == reference.start)
    after = listed[n + 1].lower if n + 1 < len(listed) else ""
    return n > 0 and not listed[n - 1].function and (reference.word != "it" or after in AUXILIARIES)


def _agrees(phrase: Phrase, reference: Reference) -> bool:
    """Number, generously: a phrase can be cut too long, an organisation is "they", and a person's name may end in s."""
    if reference.kind in ("clause", "noun") or (phrase.named and reference.word in _OF_PEOPLE):
        return True
    return any(looks_plural(word) == reference.plural for word in phrase.text.split() if word[0].isalpha())
