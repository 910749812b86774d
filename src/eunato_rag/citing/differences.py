"""Two runs of words that differ -> typed differences: number, date, negation, modal, name, insertion, deletion, wording.

A block that replaces another may hold several: "shall not exceed" for "may exceed" is a negation and a modal. Left out:
finding what differs (alignment), and what kind a word is (kinds).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from eunato_rag.citing.kinds import DO, PERCENT, PLAIN, Token, denies
from eunato_rag.evidence.lexicon import MULTIPLIERS, NUMBER_WORDS
from eunato_rag.records import Edit, EditKind

_BE = frozenset("be is are was were been being am".split())
_HAVE = frozenset("have has had having".split())
_CONTRACTIONS = (("can't", "can not"), ("cannot", "can not"), ("won't", "will not"), ("shan't", "shall not"))
_SHORT = (("n't", " not"), ("'ll", " will"), ("'re", " are"), ("'ve", " have"), ("'m", " am"))
_SMALL = frozenset("a an the of in on at to for and or by with from as that this these those".split())
_PRIORITY: tuple[EditKind, ...] = ("negation", "modal", "date", "number", "name", "wording")
_HARD = frozenset(("negation", "modal", "date", "number"))


def typed_edits(yours: Sequence[Token], source: Sequence[Token], mine: str, theirs: str, at: tuple[int, int]) -> list[Edit]:
    """The differences between two runs of words that stand for each other, in the order of `yours`.

    `mine` and `theirs` are the texts that the tokens are ranges of; `at` is where, in each of them, the words of the
    other side would stand.
    """
    if not yours and not source:
        return []
    whole = _Pair(list(yours), list(source))
    if yours and source and _expanded(yours) == _expanded(source):
        return [_edit(whole, PLAIN, mine, theirs, at)]
    yours, source = _opposed(_with_do(yours), _with_do(source))
    if not yours or not source:
        return _one_sided(list(yours), list(source), mine, theirs, at)
    if not any(token.kind in _HARD for token in (*yours, *source)):
        return [_edit(whole, "name" if any(t.kind == "name" for t in (*yours, *source)) else PLAIN, mine, theirs, at)]
    edits = [_edit(pair, _pair_kind(pair), mine, theirs, at) for pair in _pairs(yours, source) if not _same(pair)]
    return sorted(edits, key=lambda edit: (edit.yours_span, edit.source_span)) or [_edit(whole, PLAIN, mine, theirs, at)]


@dataclass(slots=True)
class _Pair:
    yours: list[Token]
    source: list[Token]


def _one_sided(yours: list[Token], source: list[Token], mine: str, theirs: str, at: tuple[int, int]) -> list[Edit]:
    """Words that one side has and the other has not; a negation or a modal verb among them is told by itself."""
    tokens = yours or source
    whole: EditKind = "insertion" if yours else "deletion"
    told = [token for token in tokens if token.form not in _SMALL]
    if len(told) == 1 and len(tokens) == 1 and told[0].kind != PLAIN:
        whole = told[0].kind
    elif told and all(token.kind in ("number",) for token in tokens):
        whole = "number"
    elif tokens and all(token.kind == "date" for token in tokens):
        whole = "date"
    edits: list[Edit] = []
    for segment in _segments(tokens):
        kind = segment[0].kind if segment[0].kind in ("negation", "modal") else whole
        edits.append(_edit(_Pair(segment, []) if yours else _Pair([], segment), kind, mine, theirs, at))
    governed = _own_clause(tokens, mine if yours else theirs)
    if governed:
        return [_edit(_Pair(yours, source), whole, mine, theirs, at)]
    merged: list[Edit] = []
    for edit in edits:
        if merged and merged[-1].kind == edit.kind == whole:
            merged[-1] = _joined(merged[-1], edit, mine, theirs)
        else:
            merged.append(edit)
    return merged


def _own_clause(tokens: Sequence[Token], text: str) -> bool:
    """Whether the words are a clause by themselves, so that a negation in them denies nothing outside."""
    if len(tokens) < 4:
        return False
    before = text[: tokens[0].start].rstrip()[-1:]
    after = text[tokens[-1].end :].lstrip()[:1]
    return (not before or before in ",;:(–—.!?") and (not after or after in ",;:)–—.!?")


def _segments(tokens: Sequence[Token]) -> list[list[Token]]:
    """Neighbours of one kind; names and plain words are one kind here, and only what is hard stands alone."""
    found: list[list[Token]] = []
    for token in tokens:
        soft = token.kind not in ("negation", "modal")
        if found and (found[-1][-1].kind == token.kind or (soft and found[-1][-1].kind not in ("negation", "modal"))):
            found[-1].append(token)
        else:
            found.append([token])
    return found


def _pairs(yours: Sequence[Token], source: Sequence[Token]) -> list[_Pair]:
    """What stands for what in two blocks: segments of one kind in order, then what is left over of different kinds."""
    mine, theirs = _hard_segments(yours), _hard_segments(source)
    pairs: list[_Pair] = []
    for kind in ("negation", "modal", "date", "number", "soft"):
        ours = [s for s in mine if _class(s) == kind]
        others = [s for s in theirs if _class(s) == kind]
        for a, b in zip(ours, others, strict=False):
            pairs.append(_Pair(a, b))
            mine.remove(a)
            theirs.remove(b)
    pairs = _with_inflections(pairs, mine, theirs)
    for a, b in zip(list(mine), list(theirs), strict=False):
        pairs.append(_Pair(a, b))
        mine.remove(a)
        theirs.remove(b)
    return pairs + [_Pair(a, []) for a in mine] + [_Pair([], b) for b in theirs]


def _with_inflections(pairs: list[_Pair], mine: list[list[Token]], theirs: list[list[Token]]) -> list[_Pair]:
    """A verb that is inflected because a modal verb or "does not" came or went belongs to that: "may remain" for "remains"."""
    for pair in pairs:
        if _class(pair.yours) != "soft" or not (
            len(pair.yours) == len(pair.source) == 1 and _inflected(pair.yours[0].form, pair.source[0].form)
        ):
            continue
        for left, own in ((mine, pair.yours), (theirs, pair.source)):
            for segment in left:
                if _class(segment) in ("negation", "modal"):
                    left.remove(segment)
                    own[:] = sorted([*segment, *own], key=lambda token: token.start)
                    return pairs
    return pairs


def _inflected(one: str, other: str) -> bool:
    if any(one in group and other in group for group in (_BE, _HAVE, DO)):
        return True
    size = max(3, min(len(one), len(other)) - 1)
    return one[:size] == other[:size] and max(len(one), len(other)) - min(len(one), len(other)) <= 3


def _hard_segments(tokens: Sequence[Token]) -> list[list[Token]]:
    found: list[list[Token]] = []
    for token in tokens:
        if found and _class([found[-1][-1]]) == _class([token]):
            found[-1].append(token)
        else:
            found.append([token])
    return found


def _class(segment: Sequence[Token]) -> str:
    kinds = {token.kind for token in segment}
    return next((kind for kind in ("negation", "modal", "date", "number") if kind in kinds), "soft")


def _pair_kind(pair: _Pair) -> EditKind:
    kinds = {token.kind for token in (*pair.yours, *pair.source)}
    kind = next((kind for kind in _PRIORITY if kind in kinds), PLAIN)
    if kind == "number" and _percent(pair.yours) == _percent(pair.source) and _value(pair.yours) == _value(pair.source) is not None:
        return PLAIN
    if kind in _HARD or (pair.yours and pair.source):
        return kind
    if kind == "name" and len(pair.yours) + len(pair.source) == 1:
        return kind
    return "insertion" if pair.yours else "deletion"


def _percent(segment: Sequence[Token]) -> bool:
    return any(token.form in PERCENT for token in segment)


def _value(segment: Sequence[Token]) -> float | None:
    """The number that words and digits say together, if it is plain: "twenty three", "3 million"."""
    total, last = 0.0, 0.0
    for token in segment:
        form = token.form
        if form in PERCENT:
            continue
        if form.isdecimal():
            last += float(form)
        elif form in NUMBER_WORDS:
            last += NUMBER_WORDS[form]
        elif form.rstrip("s") in MULTIPLIERS:
            last = max(last, 1.0) * MULTIPLIERS[form.rstrip("s")]
            if last >= 1000:
                total, last = total + last, 0.0
        elif form in ("bn", "mn"):
            last = max(last, 1.0) * (10**9 if form == "bn" else 10**6)
        elif re.fullmatch(r"\d+\.\d+", form):
            last += float(form)
        else:
            return None
    return total + last if segment else None


def _same(pair: _Pair) -> bool:
    return bool(pair.yours) and [t.form for t in pair.yours] == [t.form for t in pair.source]


def _opposed(yours: Sequence[Token], source: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    """A word and its denial by a prefix or suffix count as negations: "likely" and "unlikely", "useful" and "useless"."""
    mine, theirs = list(yours), list(source)
    for n, token in enumerate(mine):
        for m, other in enumerate(theirs):
            if denies(token.form, other.form):
                mine[n], theirs[m] = replace(token, kind="negation"), replace(other, kind="negation")
    return mine, theirs


def _with_do(tokens: Sequence[Token]) -> list[Token]:
    """The "does" of "does not" belongs to the negation where both came or went."""
    after: list[Token | None] = [*tokens[1:], None] if tokens else []
    return [
        replace(token, kind="negation") if token.form in DO and following is not None and following.kind == "negation" else token
        for token, following in zip(tokens, after, strict=True)
    ]


def _expanded(tokens: Sequence[Token]) -> str:
    words = []
    for token in tokens:
        form = token.form
        for short, long in _CONTRACTIONS:
            if form == short:
                form = long
        for short, long in _SHORT:
            if form.endswith(short):
                form = form[: -len(short)] + long
        words.append(form)
    return " ".join(words).replace("per cent", "%").replace("percent", "%")


def _edit(pair: _Pair, kind: EditKind, mine: str, theirs: str, at: tuple[int, int]) -> Edit:
    yours = (pair.yours[0].start, pair.yours[-1].end) if pair.yours else (at[0], at[0])
    source = (pair.source[0].start, pair.source[-1].end) if pair.source else (at[1], at[1])
    return Edit(kind, mine[slice(*yours)], theirs[slice(*source)], yours, source)


def _joined(one: Edit, other: Edit, mine: str, theirs: str) -> Edit:
    yours = (min(one.yours_span[0], other.yours_span[0]), max(one.yours_span[1], other.yours_span[1]))
    source = (min(one.source_span[0], other.source_span[0]), max(one.source_span[1], other.source_span[1]))
    return Edit(one.kind, mine[slice(*yours)], theirs[slice(*source)], yours, source)
