"""Sentence boundaries: the only import of nupunkt.

Punkt (Kiss and Strunk 2006) in nupunkt's form for legal text, with the abbreviations of this field added.
Left out: anything about blocks; callers pass the text of one block, so no sentence crosses two.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nupunkt import PunktSentenceTokenizer

ABBREVIATIONS = (
    # notes and references
    *("cf", "ibid", "op. cit", "op", "cit", "loc", "p", "pp", "pag", "para", "paras", "art", "arts", "no", "nos"),
    *("vol", "ed", "eds", "ch", "sec", "fn", "n.d", "et al", "al", "viz", "fig", "figs", "tab", "annex", "doc"),
    # running prose of declarations and briefs
    *("e.g", "i.e", "approx", "est", "incl", "excl", "resp", "u.s", "u.k", "u.n", "e.u"),
    # people and ranks
    *("mr", "mrs", "ms", "dr", "prof", "sen", "rep", "gen", "lt", "col", "maj", "capt", "adm", "cdr", "brig"),
    *("h.e", "st", "sr", "jr"),
    # bodies and works
    *("dept", "gov", "govt", "intl", "coun", "reg", "dir", "dec", "res", "s/res", "cons"),
)

WORDS = ("se",)
"""Taken for abbreviations by the model, but in this field words that end sentences ("per se.")."""

_WORD_END = re.compile(r"(?<![\w.-])([a-z]{4,})\.\s+(?=[“‘\"'(]?[A-Z][a-z])")
"""The model takes ordinary words of legal citations ("found.") for abbreviations; a whole word in lower case before a
capitalised one ends a sentence, unless it is one of ours."""


_ENDLESS = re.compile(r"\S{1000,}")
"""The model's time grows with the square of a word's length; no word is so long, and one that is ends a sentence at its end alone."""
_ENDING = ".!?…\"'”’»)]"


@cache
def _tokenizer() -> PunktSentenceTokenizer:
    from nupunkt import PunktSentenceTokenizer
    from nupunkt.models import get_default_model_path

    tokenizer = PunktSentenceTokenizer.load(get_default_model_path())
    for abbreviation in ABBREVIATIONS:
        tokenizer.add_abbreviation(abbreviation)
    for word in WORDS:
        tokenizer.remove_abbreviation(word)
    return tokenizer


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """The sentences of one block as tight ranges, in order: no surrounding space, no overlap, nothing but space between."""
    spans: list[tuple[int, int]] = []
    seen = _ENDLESS.sub(lambda word: _masked(word[0]), text)
    for segment in _tokenizer().iter_segments(seen, paragraph_breaks=False):
        start = segment.start
        for match in _WORD_END.finditer(seen, segment.start, segment.end):
            if match[1] not in ABBREVIATIONS:
                spans.append((start, match.end(1) + 1))
                start = match.end()
        spans.append((start, segment.end))
    return spans


def _masked(word: str) -> str:
    """A word of the same length that has no mark of punctuation but the last few, if it ends with such."""
    ending = word[len(word.rstrip(_ENDING)) :][-5:]
    return "x" * (len(word) - len(ending)) + ending
