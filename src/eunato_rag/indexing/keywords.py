"""Keyword search by BM25, and the only analyser, for build and query alike.

The analyser belongs to the index: a query analysed in another way finds nothing, so its version is in the manifest.
Left out: fields; what is indexed for a passage is one text, made by ingestion. How terms are kept and added up (postings).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from eunato_rag.errors import DamagedSnapshot
from eunato_rag.indexing.arrays import WordList
from eunato_rag.indexing.postings import Postings

if TYPE_CHECKING:
    from eunato_rag.indexing.vectors import Allowed, Ranked

ANALYSER = "words-folded-spelling-porter2/1"
"""Name and version of `analyse`; a change of its output changes the version."""

_TOKEN = re.compile(r"(?:[^\W\d_]\.){2,}|\d+(?:[.,]\d+)*|\w+(?:&\w+)*")
# No "us" among them: lower-cased, the pronoun and the country are one word.
_STOP_WORDS = frozenset(
    """a about above after again against all also am an and any are as at be because been before being below between both
    but by can could did do does doing done down during each either etc few for from further had has have having he her
    here hers him his how i if in into is it its itself just let may me might more most much must my neither no nor not of
    off on once one only onto or other our out over own per please same shall she should so some such tell than that the
    their them then there these they this those through to too toward towards under until up upon very via was we were
    what when where whether which while who whom whose why will with within without would you your""".split()
)

_SPELT = re.compile(r"is(?:e|ing|ation)|our|enc[ei]|tre|ogue|amme")
"""What stands in every word that is spelt in two ways; few others have it."""


def analyse(text: str) -> list[str]:
    """The index terms of a text, in order.

    Lower case, accents folded, dotted acronyms closed up, function words dropped, British and American spelling made
    one, stems by Snowball's English stemmer (Porter 2).
    """
    return [term for word in _TOKEN.findall(text) if (term := _term(word))]


def matching_spans(query: str, text: str) -> list[tuple[int, int]]:
    """The ranges of a text whose terms are among the query's: what a reader may be shown as matching."""
    wanted = frozenset(analyse(query))
    return [match.span() for match in _TOKEN.finditer(text) if _term(match.group()) in wanted]


@lru_cache(maxsize=65536)
def _term(word: str) -> str:
    if not word.isascii():
        word = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    word = word.casefold().rstrip(".")
    if not word[:1].isdigit():
        word = word.replace(".", "")
    if word in _STOP_WORDS:
        return ""
    return str(_stemmer().stemWord(_one_spelling(word)))


def _one_spelling(word: str) -> str:
    """One form for British and American spelling; it need not be a word, for both sides go through here."""
    if len(word) < 5 or word[0].isdigit() or not _SPELT.search(word):
        return word
    word = re.sub(r"is(e|ed|es|ing|er|ers|ation|ations|ational)$", r"iz\1", word)
    word = re.sub(r"our(s|ed|ing|able|al)?$", r"or\1", word)
    word = re.sub(r"enc(e|es|eless|ive)$", r"ens\1", word)
    word = re.sub(r"tre(s)?$", r"ter\1", word)
    word = re.sub(r"ogue(s)?$", r"og\1", word)
    return re.sub(r"amme(s)?$", r"am\1", word)


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english", 0)


class Vocabulary:
    """The terms of the texts, and in how many of these each occurs."""

    def __init__(self, postings: Postings) -> None:
        self.postings = postings

    @classmethod
    def read(cls, folder: Path) -> Self:
        """That of an index that was written.

        Raises:
            DamagedSnapshot: there is none.
        """
        try:
            return cls(Postings.load(folder))
        except (OSError, ValueError, EOFError) as error:
            raise DamagedSnapshot(f"{folder.name} is no keyword index: {error}. Run: eunato-rag reindex") from error

    def __len__(self) -> int:
        """How many texts there are."""
        return self.postings.size

    @property
    def terms(self) -> WordList:
        """Every term; its place there is its number."""
        return self.postings.terms

    def weight(self, term: str) -> float:
        """How rare a term is: BM25's inverse document frequency, above zero; highest for a term that never occurs."""
        n = self.postings.frequency(term)
        return math.log(1 + (len(self) - n + 0.5) / (n + 0.5))

    def share(self, term: str) -> float:
        """The share of the texts, 0..1, that hold a term."""
        return self.postings.frequency(term) / max(1, len(self))

    def coverage(self, query: str, terms: frozenset[str] | None = None) -> float:
        """The share, 0..1 and weighted by rarity, of the query's terms that occur in `terms`; in the corpus if None."""
        wanted = set(analyse(query))
        total = sum(self.weight(term) for term in wanted)
        if not total:
            return 0.0
        there = (term for term in wanted if (self.postings.frequency(term) if terms is None else term in terms))
        return sum(self.weight(term) for term in there) / total

    def counted(self, terms: Iterable[str]) -> dict[int, int]:
        """How often each of the terms stands there, by number; without those that no text has."""
        numbers = (self.terms.number(term) for term in terms)
        return dict(Counter(number for number in numbers if number >= 0))


class KeywordIndex(Vocabulary):
    """BM25 (Lucene's variant, k1 1.2, b 0.75) over texts by position."""

    @classmethod
    def write(cls, folder: Path, texts: Iterable[str]) -> None:
        """Write the index of texts, which are gone through once, into a new folder."""
        folder.mkdir()
        Postings.write(folder, map(_TOKEN.findall, texts), _term)

    def search(self, query: str, k: int, allowed: Allowed | None = None) -> Ranked:
        """The k positions of highest BM25 above zero; only `allowed` ones if given."""
        return self.search_terms(analyse(query), k, allowed)

    def search_terms(self, terms: Sequence[str], k: int, allowed: Allowed | None = None) -> Ranked:
        """The same for terms as `analyse` gives them; a term analysed again may be another."""
        return self.postings.best(self.counted(terms), k, None if allowed is None else np.asarray(allowed, dtype=np.int64))

    def weights(self) -> Iterator[dict[int, float]]:
        """By position, what each term of a text counts in BM25, by number.

        The sum over a query's terms, each as often as it is there, is the score of `search_terms`.
        """
        return self.postings.by_text()
