"""What kind of word a word is, for what a change of it would be: number, date, negation, modal, name, or plain wording.

Closed word classes (English in full; the commonest negators, modal verbs, numbers and months of German, French and
Czech) and capitals. Left out: how two runs of words differ (differences).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import overload

from eunato_rag.evidence.claims import written_as_a_name
from eunato_rag.evidence.lexicon import FRACTIONS, MONTHS, MULTIPLIERS, NUMBER_WORDS, OPENERS, ORDINALS
from eunato_rag.indexing.folding import RAISED
from eunato_rag.records import EditKind

PLAIN: EditKind = "wording"

NEGATORS = frozenset(
    """not no never none nobody nothing neither nor without nowhere hardly barely scarcely rarely seldom unless unable
    impossible cannot non anti lack lacks lacked lacking fail fails failed failing failure refuse refuses refused refusing
    absent absence against
    nicht nichts kein keine keinen keinem keiner keines nie niemals ohne weder
    ne pas sans jamais aucun aucune
    není nejsou nebude nebudou nesmí nemá nemají nemůže nemohou nebyl nebyla nebylo nikdy bez žádný žádná žádné""".split()
)
MODALS = frozenset(
    """can could may might must shall should will would ought perhaps maybe possibly probably
    kann können könnte könnten darf dürfen dürfte muss müssen musste soll sollen sollte sollten wird werden würde würden
    peut peuvent pourrait doit doivent devrait devra pourra
    může mohou musí smí má mají měl měla měli bude budou""".split()
)
_TO_MODALS = frozenset("has have had need needs needed".split())
_MONTHS = (
    MONTHS
    | frozenset("jan feb mar apr jun jul aug sep sept oct nov dec".split())
    | frozenset("januar februar märz april mai juni juli august september oktober november dezember".split())
    | frozenset("janvier février mars avril juin juillet août septembre octobre novembre décembre".split())
    | frozenset("ledna února března dubna května června července srpna září října listopadu prosince".split())
    | frozenset("lednu únoru březnu dubnu květnu červnu červenci srpnu říjnu prosinci leden únor březen duben květen".split())
    | frozenset("červen červenec srpen říjen listopad prosinec".split())
)
_AMBIGUOUS_MONTHS = frozenset("may march mar mai mars".split())
_DAYS = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonntag
    lundi mardi mercredi jeudi vendredi samedi dimanche pondělí úterý středa středu čtvrtek pátek sobota sobotu neděle neděli""".split()
)
_MORE_NUMBERS = frozenset(
    """million millions billion billions trillion trillions hundred hundreds thousand thousands dozen dozens bn mn half third
    thirds quarter quarters twice double triple zwei drei vier fünf sechs sieben acht neun zehn hundert tausend milliarden
    deux trois quatre cinq six sept huit dix cent mille milliard milliards dva dvě tři čtyři pět šest sedm osm devět deset sto tisíc
    milionů miliard""".split()
)
_SIGNS = frozenset("%‰°§=±×÷≤≥≠≈$€£¥¢₤₴₽₹+-<>~")
PERCENT = frozenset("% percent per cent".split())
DO = frozenset("do does did".split())
_PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non", "a", "anti", "de", "mis", "ne")
_DETERMINERS = frozenset("a the their its his her our no any little great political good strong of free own popular".split())
_YEAR = re.compile(r"(?:1[5-9]|20|21)\d\ds?")


@dataclass(frozen=True, slots=True)
class Token:
    """A word with its folded form, its text as written and its range; `kind` is what a change of it would be."""

    form: str
    text: str
    start: int
    end: int
    kind: EditKind = PLAIN


class Tokens(Sequence["Token"]):
    """The words of a text as tokens, each with its kind; that is found out when one is asked for, for most never are."""

    def __init__(self, words: Sequence[tuple[str, int, int]], text: str) -> None:
        self._words, self._text = words, text

    def __len__(self) -> int:
        return len(self._words)

    @overload
    def __getitem__(self, index: int) -> Token: ...
    @overload
    def __getitem__(self, index: slice) -> list[Token]: ...
    def __getitem__(self, index: int | slice) -> Token | list[Token]:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        token = self._token(index)
        kind = self._kind(index)
        if kind == "number" and re.fullmatch(r"\d{1,2}(?:st|nd|rd|th)?", token.form):
            beside = (n for n in (index - 1, index + 1) if 0 <= n < len(self) and self._words[n][0] in _MONTHS)
            kind = "date" if any(self._kind(n) == "date" for n in beside) else kind
        return replace(token, kind=kind)

    @cached_property
    def _shouted(self) -> bool:
        """Whether the text is in capitals, or in Title Case, throughout; or in German, where every noun has one."""
        initials = [self._text[start] for form, start, _ in self._words if len(form) > 3 and form[0].isalpha()]
        return len(initials) >= 4 and sum(map(str.isupper, initials)) > 0.7 * len(initials)

    def _token(self, n: int) -> Token:
        form, start, end = self._words[n]
        return Token(form, self._text[start:end], start, end)

    def _kind(self, n: int) -> EditKind:
        before = self._words[n - 1][0] if n else ""
        after = self._words[n + 1][0] if n + 1 < len(self) else ""
        return _kind(self._token(n), before, after, self._text, self._shouted)


def _kind(token: Token, last: str, following: str, text: str, shouted: bool) -> EditKind:
    form = token.form
    if form in _DAYS or (form in _MONTHS and (form not in _AMBIGUOUS_MONTHS or _is_month(token, last, following))):
        return "date"
    if form[0].isdecimal() or form[0] in RAISED:
        if _YEAR.fullmatch(form) and last not in _SIGNS and following not in ("%", "percent", "per", "euros", "dollars"):
            return "date"
        return "number"
    if form in _SIGNS or form in NUMBER_WORDS or form in MULTIPLIERS or form in FRACTIONS or form in ORDINALS or form in _MORE_NUMBERS:
        return "number"
    if form == "percent" or (form == "per" and following == "cent") or (form == "cent" and last == "per"):
        return "number"
    if form[-1].isdecimal() and token.text[0].islower():
        return "number"
    if form in NEGATORS or form.endswith("n't"):
        return "negation"
    if form in _TO_MODALS and following == "to":
        return "modal"
    if form in MODALS and not (form == "will" and (last in _DETERMINERS or following in ("to", "of"))):
        return "modal"
    if _is_name(token, text, shouted):
        return "name"
    return PLAIN


def may_turn(form: str) -> bool:
    """Whether a word can be a negation or a modal verb."""
    return form in NEGATORS or form in MODALS or form in _TO_MODALS or form.endswith("n't")


def _is_month(token: Token, last: str, following: str) -> bool:
    if not token.text[0].isupper():
        return False
    return (
        following[:1].isdecimal() or last[:1].isdecimal() or last in ("in", "of", "since", "by", "until", "last", "next", "early", "late")
    )


def _is_name(token: Token, text: str, shouted: bool) -> bool:
    letters = [c for c in token.text if c.isalpha()]
    if not letters or token.form in ("i", "i'm", "i've", "i'd", "i'll"):
        return False
    stem = re.sub(r"'s?$", "", token.form)
    if shouted or not letters[0].isupper():
        return sum(map(str.isupper, letters)) > 1 and not shouted
    if sum(map(str.isupper, letters)) > 1:
        return True
    before = text[: token.start].rstrip(" \t\u00a0\"'“”‘’«»„([*_")
    opens = not before or before[-1] in ".!?:\n|•-–—"
    return token.form not in OPENERS and (not opens or written_as_a_name(stem))


def denies(one: str, other: str) -> bool:
    """Whether one word is the other one denied by a prefix, a suffix or "n't"."""
    short, long = sorted((one, other), key=len)
    if long in (f"{short}n't", f"{short}not") or {one, other} == {"with", "without"} or {one, other} == {"ever", "never"}:
        return True
    if len(short) >= 3 and any(long == prefix + short for prefix in _PREFIXES) and long not in ("inform", "import", "into"):
        return True
    if one.endswith(("ful", "less")) and other.endswith(("ful", "less")) and one != other:
        return re.sub(r"(?:ful|less)$", "", one) == re.sub(r"(?:ful|less)$", "", other)
    return len(short) >= 3 and long == f"{short}less"
