"""A fragment puts something in the place of its parallel in the question before: "And in 2018?", "What about the UK?".

Year stands for year, quantity for quantity, ordinal for ordinal, name for name, and a country only for a country.
Where no parallel is beyond doubt nothing is replaced. Left out: whole questions (dependence.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from eunato_rag.answering.dependence import substance
from eunato_rag.answering.phrases import AUXILIARIES, ORDINALS, PREPOSITIONS, VERBS, Phrase, phrases, words
from eunato_rag.indexing.keywords import analyse

MOST_WORDS = 8
"""A fragment that nothing marks as one ("In 2018?") has no more."""

_LEAD = re.compile(r"(?:(?:ok(?:ay)?|so|well|right|great|thanks|thank you|sorry|hm+|and|but|or|also|no|yes|then)\b[,.!…:]*\s*)+", re.I)
_JOINS = re.compile(r"\b(?:and|but|or|so)\b", re.IGNORECASE)
_ABOUT = re.compile(
    r"(?:(?:what|how) about|what of|any(?:thing|one) (?:on|about|for|from|in)|(?:the )?same (?:question )?(?:for|with)|likewise for)\s+",
    re.IGNORECASE,
)
_CORRECTION = re.compile(
    r"i (?:mean|meant|was asking about|am asking about|am referring to|was referring to|am talking about|was talking about)\b[,:]?\s*|"
    r"i'm (?:referring to|asking(?: about| for)?|talking about)\s+|i am interested (?:to know about|in)\s+|make that\s+",
    re.IGNORECASE,
)
_ASKS_WHICH = re.compile(r"(?:which [\w-]+|which|what|whose|how (?:many|much)) [\w-]+", re.IGNORECASE)
_NUMBERS = (re.compile(r"\b(?:19|20)\d\d\b"), re.compile(r"\b\d+(?:[.,]\d+)?\s?(?:%|percent\b|per cent\b)"))
ORDINAL = re.compile(rf"\b(?:{'|'.join((*ORDINALS, 'last', 'latest', 'former', 'latter'))})\b", re.IGNORECASE)
_DEFINITION = re.compile(r"wh(?:at|o)(?:'s| is| are| was| were)\b", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:the|an?)\s+", re.IGNORECASE)
_TOO = re.compile(r",?\s+(?:too|also|as well|either)$", re.IGNORECASE)
_COUNTRIES = frozenset(
    """austria belgium bulgaria croatia cyprus czechia denmark estonia finland france germany greece hungary ireland italy latvia lithuania
    luxembourg malta netherlands poland portugal romania slovakia slovenia spain sweden albania canada iceland montenegro macedonia norway
    türkiye turkey uk us usa britain america ukraine russia china iran georgia moldova serbia kosovo bosnia switzerland japan india
    australia korea israel brazil mexico""".split()
)


@dataclass(frozen=True, slots=True)
class Fragment:
    """What is put in the place of something: "And in 2018?" has the preposition "in" and the text "2018".

    A `bare` one ("Spain?") may as well be a new question: it counts where it has a parallel of its own sort.
    """

    text: str
    preposition: str = ""
    bare: bool = False


def fragment_of(said: str, *, asked_back: bool = False) -> Fragment | None:
    """A question without a verb, or a correction ("I meant Canada"); None for any other.

    `asked_back`: the answer before it was a question, so that a few words are an answer to that.
    """
    lead = _LEAD.match(said)
    rest = said[lead.end() :] if lead else said
    correction, about = _CORRECTION.match(rest), _ABOUT.match(rest)
    cut = correction or about
    rest = (rest[cut.end() :] if cut else rest).strip(" ?.!…,")
    listed = words(rest)
    marked = bool(cut) or bool(lead and _JOINS.search(lead.group()))
    verb, _, behind = rest.partition(" ")
    ends_in_verb = verb.lower() in AUXILIARIES  # "Does Spain?"
    name = _TOO.sub("", behind if ends_in_verb else rest)
    if said.rstrip().endswith("?") and _is_name(name):
        return Fragment(name, bare=not (marked or ends_in_verb))
    if not listed or (not correction and _is_clause(rest)):
        return None
    first = listed[0].lower
    asks = _ASKS_WHICH.fullmatch(rest)
    elliptic = asks or asked_back or first in PREPOSITIONS | {"according", "compared"} or all(word.number for word in listed)
    if not marked and not (elliptic and len(listed) <= MOST_WORDS):
        return None
    preposition = first if first in PREPOSITIONS and len(listed) > 1 else ""
    return Fragment(rest[listed[1].start :] if preposition else rest, preposition)


def substituted(fragment: Fragment, question: str) -> str | None:
    """The question with the fragment in the place of its parallel; None where none is beyond doubt."""
    if fragment.bare:
        return _by_name(fragment, question)
    return _by_number(fragment, question) or _by_ordinal(fragment, question) or _by_name(fragment, question)


def _is_clause(text: str) -> bool:
    listed = words(text)
    for n, word in enumerate(listed):
        participle = n > 0 and word.lower.endswith("ed") and not listed[n - 1].function
        if not word.name and (word.lower in AUXILIARIES or word.lower in VERBS or participle):
            return True
        if word.lower == "who" and n + 1 < len(listed):
            return True
    return False


def _by_number(fragment: Fragment, question: str) -> str | None:
    for pattern in _NUMBERS:
        new, rest = pattern.findall(fragment.text), pattern.sub(" ", fragment.text)
        if len(new) != 1 or substance(rest):
            continue
        old = set(pattern.findall(question))
        if len(old) == 1:
            return pattern.sub(new[0], question)
        if not old and fragment.preposition and not rest.strip():
            return f"{question.rstrip(' ?.!')} {fragment.preposition} {new[0]}?"
    return None


def _by_ordinal(fragment: Fragment, question: str) -> str | None:
    new = re.fullmatch(rf"(?:the )?({ORDINAL.pattern})(?: ones?)?", fragment.text, re.IGNORECASE)
    return ORDINAL.sub(new[1].lower(), question) if new and len(ORDINAL.findall(question)) == 1 else None


def _by_name(fragment: Fragment, question: str) -> str | None:
    if not _is_name(fragment.text):
        return _defined_instead(fragment, question)
    new = _ARTICLE.sub("", fragment.text)
    found = [p for p in phrases(question) if p.named and not set(analyse(new)) & set(analyse(_name(question, p)))]
    if new.casefold() in question.casefold():
        return None
    if fragment.preposition:
        beside = [p for p in found if re.search(rf"\b{fragment.preposition} (?:the )?$", question[: p.core[0]], re.I)]
        found = beside or [p for p in found if not question[p.core[1] :].startswith(("'s", "’s"))]
    alike = [p for p in found if _sort(_name(question, p)) == _sort(new)]
    countries = _is_country(new) or any(_is_country(_name(question, p)) for p in found)
    chosen = alike if len(found) > 1 or countries or fragment.bare else found
    return _put(question, chosen[0].core, fragment.text) if len(chosen) == 1 else None


def _defined_instead(fragment: Fragment, question: str) -> str | None:
    """ "What is deterrence?" with "And resilience?": the one phrase of a definition gives way to the other."""
    asked = [phrase for phrase in phrases(question) if substance(phrase.text)]
    if not _DEFINITION.match(question) or len(asked) != 1 or asked[0].named or fragment.preposition or not substance(fragment.text):
        return None
    return _put(question, (asked[0].start, asked[0].end), fragment.text)


def _is_name(text: str) -> bool:
    """Whether a text is one name, with or without its article; a country's needs no capital."""
    inside, name = f"to {text}", _ARTICLE.sub("", text)  # behind a word no capital begins a sentence
    names = [inside[slice(*phrase.core)] for phrase in phrases(inside) if phrase.named]
    return names == [name] or (bool(name) and all(word in _COUNTRIES for word in name.lower().split() if word != "and"))


def _name(question: str, phrase: Phrase) -> str:
    return question[slice(*phrase.core)]


def _is_country(name: str) -> bool:
    return name.casefold().rsplit(None, 1)[-1] in _COUNTRIES


def _sort(name: str) -> str:
    return "country" if _is_country(name) else "acronym" if name.isupper() else "name"


def _put(question: str, span: tuple[int, int], text: str) -> str:
    """The question with other words in a range, and in the place of the article before it."""
    article = re.search(r"\b(?:the|an?) $", question[: span[0]], re.IGNORECASE)
    start = article.start() if article else span[0]
    text = text[0].upper() + text[1:] if start == 0 else text
    return question[:start] + text + question[span[1] :]
