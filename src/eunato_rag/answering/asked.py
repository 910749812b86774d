"""What a question asks for: the kind of thing, and the names and numbers that an answer must be about.

A near miss has the names of its subject and not the fact: "How many soldiers make up a Battlegroup?" finds sentences
on Battlegroups without a number in them. Similarity cannot tell; what is asked for can.
Left out: whether a sentence that has a number has the right one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from eunato_rag.indexing.keywords import analyse

Kind = Literal["number", "time", "name", "other"]
"""What an answer must hold to be one; `other` can be anything."""

_ASKS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "time",
        re.compile(
            r"(?:^|\b(?:since|and|but|say|by) )when\b"
            r"|\bwhen(?:\?| (?:did|was|were|is|are|do|does|will|would|should|has|have|had|can|could)\b)"
            r"|\b(?:what|which) (?:\w+ )?(?:years?|dates?|months?|days?|century|decades?)\b"
            r"|\bthe (?:year|date|day) (?:of|when|that|in which)\b"
            r"|\bhow long ago\b|^(?:start |end |exact )?dates? of\b",
            re.IGNORECASE,
        ),
    ),
    (
        "number",
        re.compile(
            r"\bhow (?:many|much|large|big|tall|high|far|long|often|wide|deep|heavy|old)\b(?! more | less | of an?\b)"
            r"|\b(?:what|which) (?:\w+ )?(?:percentage|percent|share|proportion|number|amount|budget|cost|price|size|population)\b"
            r"|^(?:number|size|cost|budget|share|percentage) of\b",
            re.IGNORECASE,
        ),
    ),
    (
        "name",
        re.compile(
            r"(?:^|[,;:?] |\b(?:and|but|say|know|by|to|with|for) )who(?:m|se)?\b|(?:^|[,;?] |\band )where\b(?! do\w* .*\bcome from)"
            r"|\b(?:what|which) (?:\w+ )?(?:city|country|countries|town|capital|region|person|company|university)\b",
            re.IGNORECASE,
        ),
    ),
)
_CARDINALS = "one two three four five six seven eight nine ten eleven twelve".split()
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
_NUMBER = re.compile(  # a year is no amount
    rf"(?!(?:19|20)\d\d\b(?![.,]\d))\b\d+(?:[.,]\d+)*|\b(?:{'|'.join(_CARDINALS)}|dozens?|twenty|thirty|forty|fifty|hundreds?|thousands?|millions?|billions?|half|"
    r"thirds?|quarters?|twice|once|several|none|single)\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b1\d{3}s?\b|\b20\d\d\b|\b(?:January|February|March|April|May|June|July|August|September|October|November|December|spring|summer|"
    r"autumn|winter|century|centuries|decades?|years?|months?|weeks?|days?|yesterday|today|recently|annual\w*)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![\w.])[A-ZÀ-Þ][\w'’&.-]*\w")
_SPECIFIC = re.compile(rf"\b(?i:{'|'.join(_ORDINALS)})\b|\d+(?:[.,]\d+)*|(?<![\w.])[A-ZÀ-Þ][\w&-]*\w")

_ALSO_CALLED = tuple(
    frozenset(term for word in group.split() for term in analyse(word))
    for group in (
        "EU European Union Europe Brussels",
        "NATO Alliance Atlantic Allies Allied",
        "US USA American America Americans United States Washington White House Pentagon",
        "UK Britain British United Kingdom London",
        "Russia Russian Moscow Kremlin",
        "Ukraine Ukrainian Kyiv Kiev",
        "Türkiye Turkey Turkish Ankara",
        "Germany German Berlin",
        "France French Paris",
        "Poland Polish Warsaw",
        "China Chinese Beijing",
        "Czechia Czech Prague",
        "Netherlands Dutch",
        *(f"{cardinal} {number}" for number, cardinal in enumerate(_CARDINALS, 1)),
        *(
            f"{ordinal} {number}{'st' if number == 1 else 'nd' if number == 2 else 'rd' if number == 3 else 'th'}"
            for number, ordinal in enumerate(_ORDINALS, 1)
        ),
    )
)
"""Names that stand for one another in writing on Europe, by their terms."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a sentence is worth as an answer.

    `nearness` of it and its passages to the question, about 0 (unrelated) to 1.25; what is `missing` of the names and
    numbers asked about; whether it `holds` something of the kind asked for.
    """

    nearness: float
    missing: tuple[str, ...] = ()
    kind: Kind = "other"
    holds: bool = True

    @property
    def whole(self) -> bool:
        """Whether nothing is known to be missing."""
        return self.holds and not self.missing


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks for: a kind of thing, and about which names and numbers, by their terms."""

    question: str
    kind: Kind
    wanted: Mapping[str, str]

    @classmethod
    def read(cls, question: str, common: Callable[[str], bool]) -> Asked:
        """`common` tells the terms that say nothing apart, such as the name that the whole corpus is about."""
        return cls(question, kind_asked(question), specifics(question, common))

    def judge(self, nearness: float, sentence: str, said: frozenset[str]) -> Evidence:
        """A sentence, in the context it leans on, as an answer; `said` are its terms and those around it: passage, headings, title."""
        return Evidence(nearness, missing(self.wanted, said), self.kind, holds_kind(self.kind, sentence, self.question))


def kind_asked(question: str) -> Kind:
    """The kind of thing that a question asks for, by its question words."""
    return next((kind for kind, asks in _ASKS if asks.search(question)), "other")


def holds_kind(kind: Kind, sentence: str, question: str) -> bool:
    """Whether a sentence holds something of that kind which the question does not say itself."""
    if kind == "other":
        return True
    said = frozenset(analyse(question))
    things = {"number": _NUMBER, "time": _TIME, "name": _NAME}[kind].finditer(sentence)
    return any(not set(analyse(thing.group())) <= said for thing in things)


def specifics(question: str, common: Callable[[str], bool]) -> dict[str, str]:
    """The names, numbers and ordinals that a question is about, by their terms, without those that are `common` to all.

    A capital at the start of a question makes no name, but for an acronym.
    """
    found: dict[str, str] = {}
    for match in _SPECIFIC.finditer(question):
        word = match.group()
        opens = not re.sub(r"\W", "", question[: match.start()])
        if not opens or word[0].isdigit() or (len(word) > 1 and word.isupper()):
            found.update((term, word) for term in analyse(word) if not common(term))
    return found


def missing(wanted: Mapping[str, str], said: frozenset[str]) -> tuple[str, ...]:
    """What of the wanted is not among the terms said in any form: not "Germany", "German" or another name for it."""
    found = (word for term, word in wanted.items() if term not in said and not _has_form(term, said) and not _has_alias(term, said))
    return tuple(dict.fromkeys(found))


def _has_form(term: str, said: frozenset[str]) -> bool:
    """Whether a term of the same beginning is said: "Lithuania" and "Lithuanian"."""
    return not term[0].isdigit() and any(
        (shared := min(len(term), len(other))) >= 4 and term[: max(4, shared - 1)] == other[: max(4, shared - 1)] for other in said
    )


def _has_alias(term: str, said: frozenset[str]) -> bool:
    return any(term in group and group & said for group in _ALSO_CALLED)
