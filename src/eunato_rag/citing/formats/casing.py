"""Capitals in English titles, and shortened titles.

Words are only ever raised to a capital, never lowered: no rule tells a name from a word, and a name that lost its capital
is the worse mistake. So a style that asks for sentence case (APA) prints a title as its record gives it.
"""

from __future__ import annotations

import re

from eunato_rag.citing.formats.fields import clean, field, is_english, without_article
from eunato_rag.records import CslRecord

_LOW = frozenset(
    """a an the and but for or nor to as at by in of on per via vs v from into like near onto over till upon with de del della der
    des di du la le van von et al""".split()
)
"""Words that headline style (Chicago, 18th edition) leaves small within a title: articles, conjunctions, prepositions of
at most four letters; and particles of names."""
_CUTS = frozenset(
    "about after against at between by during for from in into of on over since through to under until with within without".split()
)
_SHORT_ENOUGH = 4


def headline(work: CslRecord, title: str) -> str:
    """An English title in headline case (Chicago, 18th edition: headline style); one of another or an unknown language as it is."""
    if not is_english(work):
        return title
    words = title.split(" ")
    return " ".join(
        _raised(word, edge=n in (0, len(words) - 1) or words[n - 1].endswith((":", "?", "!", ".", "—", "–")))
        for n, word in enumerate(words)
    )


def _raised(word: str, *, edge: bool) -> str:
    first = re.search(r"[^\W\d_]", word)
    bare = word.strip("“”‘’\"'()[],;:.?!").casefold()
    # what has a capital, a digit or an address's signs already is as its author wants it
    if first is None or any(char.isupper() or char.isdigit() or char in "@/_" for char in word) or (bare in _LOW and not edge):
        return word
    return word[: first.start()] + first[0].upper() + word[first.end() :]


def main_title(title: str) -> str:
    """A title without its subtitle."""
    match = re.match(r"(.+?[?!])\s|(.+?)\s*(?::\s|\s[–—]\s|(?<=\w{4})\.\s)", title)
    return clean(match[1] or match[2]) or title if match else title


def short_title(work: CslRecord) -> str:
    """The record's own short title; else the title without subtitle and article, cut before a preposition where it is long.

    As an editor shortens it (Chicago: structure of the short title): never an order of words that the title does not have.
    """
    given = field(work, "title-short", "shortTitle")
    if given:
        return given
    title = main_title(field(work, "title"))
    if not is_english(work):
        return title
    words = without_article(title).split(" ")
    if len(words) > _SHORT_ENOUGH:
        cut = next((n for n, word in enumerate(words) if n > 1 and word in _CUTS), len(words))
        words = words[:cut]
    return clean(" ".join(words)) or title
