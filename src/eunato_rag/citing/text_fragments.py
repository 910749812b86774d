"""Text fragments: the words by which a browser finds a place in a web page (WICG, Scroll to Text Fragment, 2025).

A browser takes the first place where prefix, start, end and suffix fit, so words are added until that first place is the
one meant. The page may say more than its canonical text: one or two words alone are therefore never trusted where there
is context, and context across blocks comes last. Left out: how a browser searches (`browser_search`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from urllib.parse import quote

from eunato_rag.citing.browser_search import Directive, SearchedPage
from eunato_rag.records import Document

MAX_DIRECTIVE = 800
"""Characters of a directive, encoded; a place that needs more has none."""
_MAX_EXACT = 160
"""Code points of a quotation that stands in a directive whole; of a longer one stand its first and its last words."""
_ENOUGH_WORDS = 3
_MOST_WORDS = 8


def text_directive(document: Document, start: int, end: int) -> str | None:
    """`:~:text=…` for a range of a document's canonical text; None where no bounded one finds it first."""
    page = document.once(SearchedPage)
    meant = page.snapped(start, end)
    if meant is None:
        return None
    found = next((directive for directive in _candidates(page, *meant) if page.first(directive) == meant), None)
    written = encoded(found) if found else ""
    return written if found and len(written) <= MAX_DIRECTIVE else None


def encoded(directive: Directive) -> str:
    """The directive as it stands in an address: no character of a term is part of the syntax, white space is one plain space."""
    prefix, start, end, suffix = (
        quote(re.sub(r"\s+", " ", term), safe="").replace("-", "%2D")
        for term in (directive.prefix, directive.start, directive.end, directive.suffix)
    )
    terms = (f"{prefix}-" if prefix else "", start, end, f"-{suffix}" if suffix else "")
    return ":~:text=" + ",".join(filter(None, terms))


def _candidates(page: SearchedPage, start: int, end: int) -> Iterator[Directive]:
    """Directives for a range of whole words, the plainest first."""
    text, opening, closing = page.text, page.run_of(start), page.run_of(end - 1)
    if opening is None or closing is None:
        return
    before = page.words(page.runs[opening][0], start)
    after = page.words(end, page.runs[closing][1])
    whole = opening == closing and end - start <= _MAX_EXACT
    cores = [Directive(text[start:end])] if whole else list(_ranges(page, start, end, opening, closing))
    # a word or two may stand in a menu too
    alone = not whole or len(text[start:end].split()) >= _ENOUGH_WORDS or not (before or after)
    for count, core in product(range(_MOST_WORDS + 1), cores):
        prefix = text[before[-min(count, len(before))][0] : start].strip() if count and before else ""
        suffix = text[end : after[min(count, len(after)) - 1][1]].strip() if count and after else ""
        if not count and alone:
            yield core
        if suffix:
            yield Directive(core.start, core.end, suffix=suffix)
        if prefix:
            yield Directive(core.start, core.end, prefix=prefix)
        if prefix and suffix:
            yield Directive(core.start, core.end, prefix, suffix)
    for core in cores[:1]:
        yield from _across(page, core, start, end, opening, closing)


def _ranges(page: SearchedPage, start: int, end: int, opening: int, closing: int) -> Iterator[Directive]:
    """First and last words of a range, more and more of them, each within its run and not into one another."""
    head = page.words(start, min(page.runs[opening][1], end))
    tail = page.words(max(page.runs[closing][0], start), end)
    for count in range(_ENOUGH_WORDS, _MOST_WORDS + 1):
        first, last = head[min(count, len(head)) - 1][1], tail[-min(count, len(tail))][0]
        if first <= last:
            yield Directive(page.text[start:first], page.text[last:end])


def _across(page: SearchedPage, core: Directive, start: int, end: int, opening: int, closing: int) -> Iterator[Directive]:
    """With the words of the neighbouring blocks: only white space may stand between in the page, which is not known."""
    text, runs = page.text, page.runs
    prefix = suffix = ""
    if opening > 0 and start == runs[opening][0] and not text[runs[opening - 1][1] : start].strip():
        prefix = text[page.words(*runs[opening - 1])[-_MOST_WORDS:][0][0] : runs[opening - 1][1]]
    if closing + 1 < len(runs) and end == runs[closing][1] and not text[end : runs[closing + 1][0]].strip():
        suffix = text[runs[closing + 1][0] : page.words(*runs[closing + 1])[:_MOST_WORDS][-1][1]]
    if prefix:
        yield Directive(core.start, core.end, prefix=prefix)
    if suffix:
        yield Directive(core.start, core.end, suffix=suffix)
