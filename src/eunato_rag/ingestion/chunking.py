"""Document -> passages. Pure: token counters come in as functions.

A passage is a slice of whole sentences inside one section. Paragraphs stay together while they fit; a longer one is
cut into parts of about equal size that share a sentence. Each note is a passage of its own.
Left out: which tokens are counted, and what is embedded along with a passage beyond its title and headings.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from eunato_rag.records import Block, Document, Matter, Passage

Span = tuple[int, int]

_REACH = 2000
"""Characters of a sentence that are tried first: to count all of an endless one for each of its parts would take hours."""

_SPECIAL = 8
"""Tokens at most that a model sets around a text."""


@dataclass(frozen=True, slots=True)
class Chunking:
    """How passages are cut. Part of a snapshot's manifest, since ids and vectors depend on it.

    `target` is the size aimed at, in tiktoken tokens; `overlap` the sentences that two parts of one paragraph share.
    """

    target: int = 128
    overlap: int = 2


def embedding_context(document: Document, start: int, *, model_size: Callable[[str], int], model_limit: int) -> str:
    """What is embedded and indexed before the words of a passage that begins there: lines that say what it is about.

    Title, headings, and the head of a table say what a passage leaves out. Where they take more than half of what the
    model reads, the outer headings go first, then the title: they say least of this passage.
    """
    return "".join(f"{line}\n" for line in _fitting(document.context(start), model_size, model_limit // 2))


def _fitting(context: tuple[str, ...], model_size: Callable[[str], int], limit: int) -> tuple[str, ...]:
    while context and not _within("\n".join(context), model_size, limit):
        context = (context[0], *context[2:]) if len(context) > 2 else context[1:]
    return context


def _within(text: str, size: Callable[[str], int], limit: int) -> bool:
    """Whether a text has no more tokens than that; counted only where its bytes do not tell, for no token has less than one."""
    return len(text.encode()) + _SPECIAL <= limit or size(text) <= limit


def chunk(
    document: Document,
    chunking: Chunking,
    *,
    size: Callable[[str], int],
    model_size: Callable[[str], int],
    model_limit: int,
) -> tuple[Passage, ...]:
    """The passages of a document, in order; its headings, where it has nothing else: a document has a passage.

    `size` counts tiktoken tokens. `model_size` counts the embedding model's own, special ones included: with title
    and headings no passage has more than `model_limit`, so the model truncates nothing. A single sentence longer
    than that is cut between words.
    """

    context = cache(lambda start: embedding_context(document, start, model_size=model_size, model_limit=model_limit))
    context_size = cache(lambda start: model_size(context(start)))
    sums = cache(lambda: _Sums(document, model_size))

    def about(start: int, end: int) -> tuple[int, int]:
        """The model's tokens of a range with its context, at least and at most; without a bound where it is not of whole sentences.

        Where two parts meet there may be one token more or less than in both.
        """
        found = sums().over(start, end)
        if found is None:
            return 0, model_limit + 1
        sentences, tokens = found
        total = context_size(start) + tokens
        return total - sentences - 1, total + sentences + 1

    def fits(start: int, end: int) -> bool:
        text = context(start) + document.text[start:end]
        if len(text.encode()) + _SPECIAL <= model_limit:
            return True
        least, most = about(start, end)
        return most <= model_limit or (least <= model_limit and model_size(text) <= model_limit)

    cutter = _Cutter(document.text, chunking, size, fits)
    passages = []
    for matter, blocks in list(_sections(document)) or [(block.matter, [block]) for block in document.blocks]:
        units = [list(_pieces(document, block, fits)) for block in blocks]
        passages += [_passage(document, start, end, matter) for start, end in cutter.cut([u for u in units if u])]
    return tuple(passages)


class _Sums:
    """The model's tokens of runs of sentences, each of which is counted once."""

    def __init__(self, document: Document, size: Callable[[str], int]) -> None:
        text, spans = document.text, document.sentences
        special = size("")
        self._text = text
        self._starts, self._ends = [start for start, _ in spans], [end for _, end in spans]
        self._tokens = list(accumulate((size(text[start:end]) - special for start, end in spans), initial=0))
        between = (bool(text[end:start].strip()) for end, start in zip([0, *self._ends], self._starts, strict=False))
        self._between = list(accumulate(between, initial=0))

    def over(self, start: int, end: int) -> tuple[int, int] | None:
        """How many sentences a range has, and their tokens without special ones; None where anything else stands in it."""
        first, last = bisect_left(self._starts, start), bisect_left(self._starts, end)
        if first == last or self._ends[last - 1] != end or self._text[start : self._starts[first]].strip():
            return None
        if self._between[last] != self._between[first + 1]:
            return None
        return last - first, self._tokens[last] - self._tokens[first]


class _Cutter:
    """Cuts sections. Sizes are summed over sentences, each counted once; what is cut is checked whole by `fits`."""

    def __init__(self, text: str, chunking: Chunking, size: Callable[[str], int], fits: Callable[[int, int], bool]) -> None:
        self.text, self.chunking, self.size, self.fits = text, chunking, size, fits

    def cut(self, paragraphs: list[list[Span]]) -> Iterator[Span]:
        """Spans for the paragraphs of one section, each given as its sentences."""
        pending: Span | None = None
        filled = 0
        for sentences in paragraphs:
            start, end = sentences[0][0], sentences[-1][1]
            sizes = [self.size(self.text[a:b]) for a, b in sentences]
            total = sum(sizes)
            if pending is not None and filled + total <= self.chunking.target and self.fits(pending[0], end):
                pending, filled = (pending[0], end), filled + total
                continue
            if pending is not None:
                yield pending
            pending, filled = None, 0
            if total <= self.chunking.target and self.fits(start, end):
                pending, filled = (start, end), total
            else:
                yield from self._split(sentences, sizes)
        if pending is not None:
            yield pending

    def _split(self, sentences: list[Span], sizes: list[int]) -> Iterator[Span]:
        """A paragraph over the target in parts of about equal size, each after the first with the sentences before it."""
        share = sum(sizes) / math.ceil(sum(sizes) / self.chunking.target)
        ends, passed = [], 0
        for n, size in enumerate(sizes):
            if n and int((passed + size / 2) / share) > int((passed - sizes[n - 1] / 2) / share):
                ends.append(n)
            passed += size
        first = 0
        for stop in [*ends, len(sentences)]:
            while first < stop:
                last = next(n for n in range(stop, first, -1) if n == first + 1 or self.fits(sentences[first][0], sentences[n - 1][1]))
                shared = range(max(0, first - self.chunking.overlap), first + 1)
                start = next(n for n in shared if n == first or self.fits(sentences[n][0], sentences[last - 1][1]))
                yield sentences[start][0], sentences[last - 1][1]
                first = last


def _sections(document: Document) -> Iterator[tuple[Matter, list[Block]]]:
    """Runs of blocks under one heading; each note for itself."""
    run: list[Block] = []
    for block in document.blocks:
        if run and (block.kind in ("heading", "note") or block.matter != run[-1].matter):
            yield run[-1].matter, run
            run = []
        if block.kind == "note":
            yield block.matter, [block]
        elif block.kind != "heading":
            run.append(block)
    if run:
        yield run[-1].matter, run


def _pieces(document: Document, block: Block, fits: Callable[[int, int], bool]) -> Iterator[Span]:
    """The sentences of a block; one that alone is too long for the model in parts, cut between words."""
    for start, end in document.sentences_in(block.start, block.end):
        while True:
            low, high = start + 1, min(end, start + _REACH)
            while (whole := fits(start, high)) and high < end:
                low, high = high, min(end, start + 2 * (high - start))
            if whole:
                break
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (middle, high) if fits(start, middle) else (low, middle - 1)
            space = document.text.rfind(" ", start + 1, low + 1)
            stop = space if space > start else low
            yield start, stop
            start = stop + 1 if stop == space else stop
        yield start, end


def _passage(document: Document, start: int, end: int, matter: Matter) -> Passage:
    text = document.text[start:end]
    digest = hashlib.sha256(f"{document.id}\0{start}\0{end}\0{text}".encode()).hexdigest()
    return Passage(digest[:16], document.id, text, document.locate(start, end), matter)
