"""Which blocks of a draft are the writer's prose, and the sentences and quotations in them.

Headings, captions and the writer's own notes and bibliography are none. Left out: how the formats tell their blocks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eunato_rag.citing.manuscripts.markers import hide_markers, is_note
from eunato_rag.citing.manuscripts.prose import Prose
from eunato_rag.citing.manuscripts.quoting import quotation_ranges
from eunato_rag.citing.manuscripts.records import Quoted, Sentence
from eunato_rag.sentences import sentence_spans

LOWEST = 7
"""The level of a heading that only its looks tell."""

_OWN = re.compile(
    r"(?:[\dIVX]+[.)]?\s+)?(?:(?:selected|select|annotated|further|consulted)\s+)?"
    r"(?:references?(?: list)?|list of references|bibliograph(?:y|ies)|works (?:cited|consulted)|sources?(?: cited)?"
    r"|(?:primary|secondary) sources"
    r"|literature(?: cited)?|(?:foot|end)?notes?|notes and references|citations|further reading)\s*:?",
    re.IGNORECASE,
)
_AFTER = re.compile(r"(?:annex|appendix|addendum|acknowledge?ments?|about the authors?)\b", re.IGNORECASE)
_CAPTION = re.compile(r"(?:figure|fig\.|table|chart|graph|map|box)\s+[\dIVX]{1,4}(?:\s*[.:–—-]\s|\s*$)|sources?:\s", re.IGNORECASE)
_ENDS = re.compile(r"[.!?…;:,][”“’»\"')\]*_]*$")
_ATTRIBUTION = re.compile(r"(?:^|(?<=[.!?…”\"’»,]) )(?:—|–|--|―)\s?[^.!?]{1,150}\.?$")
_UNBROKEN = re.compile(r"\S{1000}")
"""No words are that long; the splitter takes time quadratic in it, so that such a block counts as one sentence."""

_WORD = re.compile(r"[^\W_]+")
_WITHIN = re.compile(r"[^\W\d_]{3}[.!?…][”’\"')]*\s")
"""The end of a sentence within a line, which headings do not have."""

_MOST_WORDS = 12
"""In a line that reads as a heading without being marked as one."""


@dataclass(frozen=True, slots=True)
class Block:
    """A heading (its level from 0), or a block of prose.

    `line` says that it stands on a line of its own, `item` that a number or bullet stands before it, `bold` that all of it is bold.
    """

    prose: Prose
    level: int | None = None
    line: bool = False
    item: bool = False
    bold: bool = False


def writers_prose(blocks: Sequence[Block]) -> list[Prose]:
    """The blocks that hold the writer's sentences, in order. Attributions below block quotations are cut off."""
    kept: list[Prose] = []
    own: int | None = None
    guessed = [_level(block, blocks[max(0, n - 1) : n], blocks[n + 1 : n + 2]) for n, block in enumerate(blocks)]
    only_heads = all(level is not None for level in guessed)
    for block, guess in zip(blocks, guessed, strict=True):
        level = block.level if only_heads else guess
        text = block.prose.text
        if level is not None and _OWN.fullmatch(text):
            own = level if own is None else min(own, level)
        elif own is not None and level is not None and (level <= own if block.level is not None or block.bold else _AFTER.match(text)):
            own = None
        if level is None and own is None and not _CAPTION.match(text) and not is_note(block.prose) and _without_attribution(block.prose):
            kept.append(block.prose)
    return kept


def _level(block: Block, before: Sequence[Block], following: Sequence[Block]) -> int | None:
    """The level of a heading, or None. A short line without an end that has a block below it reads as one; if numbered, in no list."""
    if block.level is not None:
        return block.level
    text = block.prose.text
    if _OWN.fullmatch(text):
        return LOWEST if block.bold or block.line else None
    if block.prose.quoted or ends_sentence(text) or _WITHIN.search(text) or len(text.split()) > _MOST_WORDS:
        return None
    listed = block.item and any(near.item for near in (*before, *following))
    return LOWEST if block.bold or (block.line and following and not listed) else None


def ends_sentence(text: str) -> bool:
    """Whether a line ends with a mark of punctuation, or with one in quotation marks, as headings do not."""
    return _ENDS.search(text[-20:]) is not None


def _without_attribution(prose: Prose) -> str:
    if prose.quoted and (match := _ATTRIBUTION.search(prose.text[-200:])):
        prose.cut(len(prose.text) - len(match[0]))
    return prose.text


def sentences_and_quotations(blocks: Sequence[Prose], draft: str) -> tuple[tuple[Sentence, ...], tuple[Quoted, ...]]:
    """The sentences and the quotations of blocks of prose, in order."""
    sentences: list[Sentence] = []
    quotations: list[Quoted] = []
    for prose in blocks:
        hide_markers(prose)
        text, first = prose.text, len(sentences)
        spans = [(start, end) for start, end in _spans(text) if _WORD.search(text, start, end)]
        sentences.extend(Sentence(*prose.span(start, end, draft), text[start:end]) for start, end in spans)
        for start, end in _quoted(prose):
            words = [match.start() for match in _WORD.finditer(text, start, end)]
            at, last = (first + bisect_right(spans, word, key=lambda span: span[0]) - 1 for word in (words[0], words[-1]))
            quotations.append(Quoted(*prose.span(start, end, draft), text[start:end], at, last, prose.quoted))
    return tuple(sentences), tuple(quotations)


def _spans(text: str) -> list[tuple[int, int]]:
    return [(0, len(text))] if _UNBROKEN.search(text) else sentence_spans(text)


def _quoted(prose: Prose) -> Iterator[tuple[int, int]]:
    """The quotations of a block; all of it where it is set off as one, without the marks that stand around all of it."""
    ranges = quotation_ranges(prose.text)
    if not prose.quoted:
        yield from ranges
    elif len(ranges) == 1 and not _WORD.search(prose.text[: ranges[0][0]] + prose.text[ranges[0][1] :]):
        yield ranges[0]
    elif _WORD.search(prose.text):
        yield 0, len(prose.text)
