"""A text -> what it commits itself to: its words with what is denied, made possible or required of them; numbers; names.

English rules of thumb over words, no grammar. A negator or modal verb governs the words of its
clause, those that follow it more closely than those before. Left out: whether one text supports another (verification).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from eunato_rag.evidence.lexicon import FRACTIONS, MODALS, MULTIPLIERS, NEGATORS, NUMBER_WORDS, OPENERS, ORDINALS, QUANTIFIERS, SLIGHT
from eunato_rag.indexing.keywords import analyse
from eunato_rag.tokens import count_tokens

_TOKEN = re.compile(r"(?:[^\W\d_]\.){2,}|\d+(?:[.,]\d+)*(?:st|nd|rd|th)?(?!\w)|\w+(?:&\w+)*(?:[’']\w+)*|%|[,;:()–—]|-(?=\s)")
_CONTRACTIONS = (
    (re.compile(r"\bcan(?:not|[’']t)\b", re.IGNORECASE), "can not"),
    (re.compile(r"\bwon[’']t\b", re.IGNORECASE), "will not"),
    (re.compile(r"n[’']t\b", re.IGNORECASE), " not"),
)
_SHORT_FORMS = (
    (re.compile(r"\bEuropean Union\b"), "EU"),
    (re.compile(r"\bUnited States(?: of America)?\b|\bU\.S\.(?:A\.)?|\bUSA\b"), "US"),
    (re.compile(r"\bUnited Kingdom\b|\bU\.K\.|\bGreat Britain\b"), "UK"),
    (re.compile(r"\bUnited Nations\b|\bU\.N\."), "UN"),
    (re.compile(r"\bNorth Atlantic Treaty Organi[sz]ation\b|\b(?:North )?Atlantic Alliance\b"), "NATO"),
)
"""One form for names that every text writes in both."""
_HOW_OFTEN = (
    (re.compile(r"\b(?:twice (?:a|per|each|every) year|twice yearly)\b", re.IGNORECASE), "biannually"),
    (re.compile(r"\bonce (?:a|per|each|every) year\b", re.IGNORECASE), "annually"),
    (re.compile(r"\ba decade\b", re.IGNORECASE), "ten years"),
)

_BOUNDARIES = frozenset(
    """, ; : ( ) – — - but while whilst whereas although though because since if which who yet however when where""".split()
)
_POSSESSIVE = re.compile(r"(?:[’']s|(?<=s)[’'])$")
_PERIODS = frozenset("day week month year hour decade".split())
_FINITE = frozenset("is are was were has have had does do did".split())
_DETERMINERS = frozenset("a the their its his her our no any little great political good strong of".split())


@dataclass(frozen=True, slots=True)
class Operator:
    """A negator or modal verb that governs a word: the `distance`th content word after it, from 0; -1 stands before it."""

    form: str
    index: int
    distance: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word as written, in plain form (lower case, no accents, no possessive), its index term ("" for a function word or a number).

    `before` is the plain form of the word before it, and `first` says that a sentence or quotation may begin with it.
    """

    text: str
    plain: str
    term: str
    before: str
    clause: int
    first: bool
    operators: tuple[Operator, ...]

    def negators(self, within: int | None = None) -> list[Operator]:
        """The negators of its clause; those that govern it as one of the next `within` content words, if given."""
        return [o for o in self.operators if o.form in NEGATORS and (within is None or 0 <= o.distance < within)]

    def modals(self, within: int | None = None) -> list[Operator]:
        return [o for o in self.operators if o.form in MODALS and (within is None or 0 <= o.distance < within)]


@dataclass(frozen=True, slots=True)
class Number:
    """A value, however it is written; `kind` is "%" for a percentage, "#" for a place in an order.

    `bound` is ">" or "<" where it is only the least or the most; `unit` is the plain word after it, `before` the one
    before it, `clause` as of words.
    """

    value: float
    kind: str = ""
    bound: str = ""
    unit: str = ""
    clause: int = 0
    before: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a text commits itself to."""

    words: tuple[Word, ...]
    numbers: tuple[Number, ...]

    @property
    def terms(self) -> list[str]:
        return [word.term for word in self.words if word.term]

    @property
    def plain(self) -> frozenset[str]:
        return frozenset(word.plain for word in self.words)

    @property
    def quantifiers(self) -> frozenset[str]:
        after = (*(word.plain for word in self.words[1:]), "")  # one too many where there are no words at all
        return frozenset(
            QUANTIFIERS[word.plain]
            for word, following in zip(self.words, after, strict=False)
            if word.plain in QUANTIFIERS and word.before not in ("above", "after", "at", "not") and following not in _PERIODS
        )

    @property
    def names(self) -> list[Word]:
        """Words written as names: capitals that no sentence start explains."""
        return [word for word in self.words if _is_name(word)]


@lru_cache(maxsize=2048)
def read_claim(text: str) -> Claim:
    """What a text, of one sentence or several, commits itself to."""
    for pattern, written in (*_CONTRACTIONS, *_SHORT_FORMS, *_HOW_OFTEN):
        text = pattern.sub(written, text)
    tokens = [(match.group(), _opens(text, match.start())) for match in _TOKEN.finditer(text)]
    return Claim(tuple(_words(tokens)), tuple(_numbers(tokens)))


def terms_of(words: Iterable[Word]) -> frozenset[str]:
    return frozenset(word.term for word in words if word.term)


def plain(word: str) -> str:
    word = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    word = _POSSESSIVE.sub("", word.casefold())
    return word.replace(".", "") if re.fullmatch(r"(?:[^\W\d_]\.)+", word) else word


def _opens(text: str, at: int) -> bool:
    """Whether a sentence or a quotation may begin there."""
    before = text[:at].rstrip(" \n\t“‘\"'(*_")
    quoted = before != text[:at].rstrip() and text[at].isupper()
    return not before or before[-1] in ".!?:;" or quoted


def _words(tokens: list[tuple[str, bool]]) -> Iterator[Word]:
    drafts: list[tuple[str, str, str, str, int, bool]] = []
    operators: list[list[Operator]] = []
    active: list[Operator] = []
    clause = 0
    forms = [plain(token) for token, _ in tokens]
    for n, (token, first) in enumerate(tokens):
        form, before, after = forms[n], forms[n - 1] if n else "", forms[n + 1] if n + 1 < len(forms) else ""
        if _divides(form, before, first):
            clause += 1
            # what governs nothing yet reaches over an insertion: "must, however, agree"
            inserted = form == "," and after in SLIGHT
            active = [o for o in active if o.distance == 0 and inserted]
        if form in MODALS or form in _FINITE or form == "and":
            active = [o for o in active if o.form not in ("without", "rather", "instead")]
        if not form[0].isalnum():
            continue
        slight = form in SLIGHT or form in MODALS or _is_number(form) or (form == "well" and before == "as")
        term = "" if slight else next(iter(analyse(form)), "")
        drafts.append((token, form, term, before, clause, first))
        operators.append(list(active))
        if term:
            active = [Operator(o.form, o.index, o.distance + 1) for o in active if o.form != "non"]
        if form in ("has", "have", "had", "having") and after == "to":
            form, active = "must", [o for o in active if o.form != "will"]
        elif not _operates(token, form, before, after):
            continue
        active.append(Operator(form, n, 0))
        if form in ("no", "none", "nothing", "nobody") and drafts[-2:-1] and drafts[-2][1] == before and drafts[-2][0].islower():
            operators[-2].append(Operator(form, n, 0))  # "owns none", "made no progress" deny the verb
        for other, found in zip(drafts, operators, strict=True):
            if other[4] == clause and form != "non":
                found.append(Operator(form, n, -1))
    for draft, found in zip(drafts, operators, strict=True):
        yield Word(*draft, tuple(found))


def _divides(form: str, before: str, first: bool) -> bool:
    """Whether a clause begins here."""
    carries_on = (before, form) in (("not", "yet"), ("of", "which"), ("of", "whom"))
    return first or (form in _BOUNDARIES and not carries_on)


def _operates(token: str, form: str, before: str, after: str) -> bool:
    """Whether a word is a negator or a modal verb here: not in `a few`, `not only`, `the political will to`, `May 2024`."""
    if form in ("no", "not") and after in ("only", "just", "more", "less", "fewer"):
        return False
    if form in ("few", "little"):
        return before not in ("a", "as")
    if form == "will":
        return before not in _DETERMINERS and after != "to"
    if form == "may" and token[0].isupper() and (after[:1].isdigit() or before in ("in", "of", "since", "by", "until")):
        return False
    if form in ("going", "short", "rather", "plans", "planned", "expected", "expects", "intends", "intended"):
        return after in ("to", "of", "than")
    return form in NEGATORS or form in MODALS


def _numbers(tokens: list[tuple[str, bool]]) -> Iterator[Number]:
    forms = [plain(token) for token, _ in tokens]
    clauses = list(accumulate(_divides(form, forms[n - 1] if n else "", tokens[n][1]) for n, form in enumerate(forms)))
    n = 0
    while n < len(forms):
        start, form, value = n, forms[n], _value(forms[n])
        kind = "#" if form in ORDINALS or re.fullmatch(r"\d+(?:st|nd|rd|th)", form) else ""
        value = float(ORDINALS[form]) if form in ORDINALS else value
        n += 1
        if value is None:
            continue
        if form in NUMBER_WORDS and value >= 20 and n < len(forms) and 0 < (_value(forms[n]) or 0) < 10:
            value, n = value + (_value(forms[n]) or 0), n + 1
        while n < len(forms) and forms[n].rstrip("s") in MULTIPLIERS:
            value, n = value * MULTIPLIERS[forms[n].rstrip("s")], n + 1
        if " ".join(forms[n : n + 2]).startswith(("%", "percent", "per cent")):
            kind = "%"
        if form != "one" or n > start + 1:
            unit = forms[n] if n < len(forms) else ""
            before = forms[start - 1] if start else ""
            yield Number(round(value, 6), kind, _bound(forms[max(0, start - 4) : start]), unit, clauses[start], before)


def _is_number(form: str) -> bool:
    return form[0].isdigit() or form in NUMBER_WORDS or form in ORDINALS or form in FRACTIONS or form in MULTIPLIERS


def _bound(before: list[str]) -> str:
    """What the words before a number make of it: at least, at most, or neither."""
    words = re.sub(r"(?: by| the)+$", "", " ".join(before))
    if re.search(
        r"(?:under|below|(?:fewer|less|younger|smaller|shorter|lower|cheaper) than|at most|up to|(?:no|not) (?:more|greater) than)$", words
    ):
        return "<"
    if re.search(
        r"(?:over|above|exceeding|(?:more|greater|older|larger|longer|higher) than|at least|beyond|(?:no|not) (?:less|fewer) than)$", words
    ):
        return ">"
    return ""


def _value(form: str) -> float | None:
    if form in NUMBER_WORDS or form in FRACTIONS:
        return float(NUMBER_WORDS.get(form, FRACTIONS.get(form, 0)))
    if form in MULTIPLIERS:
        return None
    match = re.fullmatch(r"(\d+(?:[.,]\d+)*)(?:st|nd|rd|th)?", form)
    if match is None:
        return None
    digits = match[1]
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits):
        digits = digits.replace(",", "")
    elif digits.count(".") > 1:
        digits = digits.replace(".", "")
    return float(digits.replace(",", ".")) if digits.count(",") + digits.count(".") <= 1 else None


def _is_name(word: Word) -> bool:
    if not word.text[0].isupper() or (word.plain in OPENERS and not word.text.isupper()) or word.plain in ORDINALS:
        return False
    letters = word.text.replace(".", "")
    if len(letters) > 1 and sum(map(str.isupper, _POSSESSIVE.sub("", letters))) > 1:
        return True
    return not word.first or written_as_a_name(word.plain)


@lru_cache(maxsize=4096)
def written_as_a_name(form: str) -> bool:
    """Whether a word is mostly written with a capital: the token table, made from much text, has it whole only so."""
    return count_tokens(f" {form}") > count_tokens(f" {form.capitalize()}")
