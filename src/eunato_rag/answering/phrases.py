"""A question -> its words and noun phrases, by closed lists of function words and the shape of the rest.

English only. Left out: parsing. A phrase is a run of words that are no function words, cut where a capital begins or a
verb is likely, so some are too long or too short; callers take along whole questions where a phrase would not do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from eunato_rag.indexing.keywords import analyse

PREPOSITIONS = frozenset(
    """about above across after against along among around at before behind below beneath beside between beyond by despite during
    except for from in inside into like near of off on onto outside over per regarding since through throughout to toward towards
    under until up upon via with within without""".split()
)
BE_HAVE = frozenset("is are was were be been being has have had isn't aren't wasn't weren't hasn't haven't hadn't am".split())
DO_MODAL = frozenset(
    """do does did will would can could should may might must shall don't doesn't didn't won't wouldn't can't cannot couldn't
    shouldn't mustn't""".split()
)
AUXILIARIES = BE_HAVE | DO_MODAL
WH = frozenset("what which who whom whose when where why how what's who's where's how's when's why's".split())
DETERMINERS = frozenset(
    """the a an any this that these those all some both each every no many much more most other another its their his her our my
    your such own same only""".split()
)
ORDINALS = tuple("first second third fourth fifth sixth seventh eighth ninth tenth".split())
VERBS = frozenset(
    """say says said saying mean means meant think thinks thought work works worked take takes took taken make makes made give gives
    gave given get gets got go goes went gone come comes came happen happens happened use uses used help helps become became
    contain contains include includes involve involves concern concerns need needs want wants know knows known tell tells told
    begin begins began begun play plays put set call calls called let explain describe look looks seem seems lie lies stand stands
    bring brings brought run runs ran matter matters exist exists differ differs sign signs signed cover covers relate relates""".split()
)
_ADVERBS = frozenset(
    """today now nowadays currently recently still already yet ever never really exactly actually instead ago soon later earlier
    however back moreover furthermore nevertheless nonetheless therefore thus hence meanwhile although though else maybe perhaps
    according together alone everything something anything nothing everyone someone anyone nobody somebody not yes ok okay thanks
    hello hi sorry please despite whilst unlike
    january february march april june july august september october november december""".split()
)
_IRREGULAR = frozenset("built held led sent won written born begun shown chosen drawn left lost met paid drafted".split())
_CONNECTORS = frozenset(("of", "for", "and", "on", "of the", "on the", "for the"))
_LEAD_IN = frozenset((*ORDINALS, "latest", "last", "next", "new", "joint"))

_ENDS_IN_S = frozenset("brussels wales naples athens news means series status process access progress".split())

_WORD = re.compile(r"[^\W_]+(?:[-&.'’/][^\W_]+)*")
_QUOTED = re.compile(r"[“\"]([^“”\"]{2,120})[”\"]")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;\n]|[-*•]\s)[\s“\"'(‘]*$")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text at `start:end`; `lower` is its lower-case form with plain apostrophes."""

    text: str
    lower: str
    start: int
    end: int
    name: bool

    @property
    def number(self) -> bool:
        return self.text[0].isdigit()

    @property
    def function(self) -> bool:
        """Whether it ends a noun phrase: a function word, an adverb, or a verb of the list."""
        if self.name or self.number:
            return False
        base = self.lower.split("'")[0]
        listed = base in VERBS or base in _ADVERBS or base in PREPOSITIONS or base in DETERMINERS
        return listed or not analyse(base) or (len(base) > 4 and base.endswith("ly"))


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase at `start:end`, without its article; `core` is the range of the name in it, empty where there is none."""

    text: str
    start: int
    end: int
    core: tuple[int, int]

    @property
    def named(self) -> bool:
        return self.core[0] < self.core[1]

    @property
    def head(self) -> str:
        """Its last word, in small letters."""
        return self.text.rsplit(None, 1)[-1].lower()

    @property
    def plural(self) -> bool:
        """Whether its last word looks like a plural, or two things are joined by "and"."""
        return " and " in self.text or looks_plural(self.text.rsplit(None, 1)[-1])


def looks_plural(word: str) -> bool:
    singular = word.endswith(("ss", "us", "is", "'s", "’s")) or word.lower() in _ENDS_IN_S
    return word == "people" or (word.endswith("s") and not singular)


def words(text: str) -> list[Word]:
    """The words of a text, in order; a capital makes a name but where a sentence begins or the text knows no small letters."""
    matches = list(_WORD.finditer(text))
    shouted = not any(m.group().islower() for m in matches if len(m.group()) > 1)
    found: list[Word] = []
    for n, match in enumerate(matches):
        word = match.group()
        lower = word.lower().replace("’", "'")
        acronym = sum(c.isupper() for c in word) > 1 and not word[0].isdigit() and not lower.startswith("non-")
        name = acronym
        if not acronym and word[0].isupper() and analyse(lower.split("'")[0]) and lower not in _ADVERBS:
            opens = bool(_SENTENCE_START.search(text[max(0, match.start() - 8) : match.start()]))
            name = not opens or _goes_on(text, matches[n : n + 3])
        found.append(Word(word, lower, *match.span(), name and not (shouted and len(matches) > 3)))
    return found


def _goes_on(text: str, ahead: Sequence[re.Match[str]]) -> bool:
    """Whether a capital that opens a sentence belongs to a name: a possessive, a comma or another capital comes with it."""
    first = ahead[0].group()
    if first.endswith(("'s", "’s")) or text[ahead[0].end() : ahead[0].end() + 1] == ",":
        return True
    following = [m.group() for m in ahead[1:]]
    if following and following[0] in _CONNECTORS:
        following.pop(0)
    return bool(following) and following[0][0].isupper()


def phrases(text: str) -> list[Phrase]:
    """The noun phrases of a text, in order; what stands in quotation marks is one, and a name."""
    found = [Phrase(m[1], m.start(1), m.end(1), m.span(1)) for m in _QUOTED.finditer(text)]
    quoted = [p.start for p in found], [p.end for p in found]
    listed = [w for w in words(text) if not any(a <= w.start < b for a, b in zip(*quoted, strict=True))]
    for first, last in _runs(text, listed):
        first, last = _without_verbs(listed, first, last)
        if first < last:
            found.append(_phrase(text, listed[first:last]))
    ordered = sorted((p for p in found if any(map(str.isalnum, p.text))), key=lambda p: p.start)
    glossed = {
        after.start
        for p, after in pairwise(ordered)
        if p.named and text[p.end : after.start] == " (" and text[after.end : after.end + 1] == ")"
    }
    return [p for p in ordered if p.start not in glossed]


def _phrase(text: str, run: Sequence[Word]) -> Phrase:
    start, end = run[0].start, run[-1].end
    end -= 2 if run[-1].lower.endswith("'s") else 0
    named = [w for w in run if w.name]
    core = (named[0].start, named[-1].end) if named else (start, start)
    if named and run[-1].number and run[-2:-1] == named[-1:]:
        core = (core[0], run[-1].end)
    core_end = core[1] - (2 if text[core[0] : core[1]].endswith(("'s", "’s")) else 0)
    return Phrase(text[start:end], start, end, (core[0], core_end))


def _runs(text: str, listed: Sequence[Word]) -> list[tuple[int, int]]:
    """Runs of words with nothing but a space between them that hold no function word, as ranges of the list."""
    runs: list[tuple[int, int]] = []
    first = n = 0
    joined = -1
    while n < len(listed):
        word = listed[n]
        glued = n > first and text[listed[n - 1].end : word.start] == " "
        if n > first and n > joined and (not glued or _begins_anew(listed, first, n)):
            runs.append((first, n))
            first = n
        if word.function or _verb_inside(listed, first, n):
            step = _connected(text, listed, first, n)
            if step:
                n = joined = n + step
                continue
            runs.append((first, n))
            first = n + 1
        n += 1
    runs.append((first, len(listed)))
    return [run for run in runs if any(not w.number for w in listed[slice(*run)])]


def _begins_anew(listed: Sequence[Word], first: int, n: int) -> bool:
    """Whether another phrase begins: a capital after small letters ("support PESCO", not "third Joint Declaration"), or a number."""
    before = listed[n - 1]
    if listed[n].number:
        return not before.name
    return listed[n].name and not before.name and not before.number and any(w.lower not in _LEAD_IN for w in listed[first:n])


def _verb_inside(listed: Sequence[Word], first: int, n: int) -> bool:
    word = listed[n]
    return n > first and not word.name and len(word.lower) > 4 and word.lower.endswith("ed")


def _connected(text: str, listed: Sequence[Word], first: int, n: int) -> int:
    """How many words join two capitalised parts of one name ("Annual Review on Defence") from n on; 0 where none do."""
    if n == first or not listed[n - 1].name:
        return 0
    for step in (1, 2):
        inner = listed[n : n + step]
        after = listed[n + step : n + step + 1]
        if after and after[0].name and " ".join(w.text for w in inner) in _CONNECTORS:
            return step if text[listed[n - 1].end : after[0].start].count(" ") == step + 1 else 0
    return 0


def _without_verbs(listed: Sequence[Word], first: int, last: int) -> tuple[int, int]:
    """A run without the verb that a question puts behind its subject ("did X fail") or behind who and what ("who chairs X")."""
    before = first - 1
    while before >= 0 and listed[before].lower in DETERMINERS:
        before -= 1
    lead = listed[before].lower if before >= 0 else ""
    following = listed[last].lower if last < len(listed) else ""
    final = listed[last - 1]
    if final.name or final.number or last <= first:
        return first, last
    if lead in DO_MODAL:
        if last - first == 1:
            subject = looks_plural(final.lower) or before < first - 1 or following in AUXILIARIES | VERBS
            return (first, last) if subject else (first, first)
        if following in VERBS or following in ("of", "between", "among"):
            return first, last
        return first, _end_of_subject(listed, first, last)
    participle = final.lower.endswith(("ed", "ing")) or final.lower in _IRREGULAR
    if lead in BE_HAVE and participle:
        return first, last - 1
    if before == first - 1 and not listed[first].name:
        asked_for = any(w.lower in AUXILIARIES for w in listed[last:])
        if lead == "who" or (lead == "what" and not asked_for):
            return first + 1, last
    return first, last


def _end_of_subject(listed: Sequence[Word], first: int, last: int) -> int:
    """Where the subject ends in a run of subject, verb and perhaps object: "EU countries support initiatives"."""
    if not looks_plural(listed[last - 1].lower):
        return last - 1
    plurals = [n + 1 for n in range(first, last - 2) if looks_plural(listed[n].lower)]
    names = [n + 1 for n in range(first, last) if listed[n].name]
    return max(plurals[:1] + names, default=last - 1)
