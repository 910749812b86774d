"""Keyword search: BM25 by bm25s, and the only analyser, for build and query alike.

The analyser belongs to the index: a query analysed in another way finds nothing, so its version is in the manifest.
Left out: fields; what is indexed for a passage is one text, made by ingestion.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eunato_rag.errors import DamagedSnapshot

if TYPE_CHECKING:
    from eunato_rag.indexing.vectors import Ranked

ANALYSER = "words-folded-spelling-porter2/1"
"""Name and version of `analyse`; a change of its output changes the version."""

K1, B = 1.2, 0.75

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
    word = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    word = word.casefold().rstrip(".")
    if not word[:1].isdigit():
        word = word.replace(".", "")
    if word in _STOP_WORDS:
        return ""
    return str(_stemmer().stemWord(_one_spelling(word)))


def _one_spelling(word: str) -> str:
    """One form for British and American spelling; it need not be a word, for both sides go through here."""
    if len(word) < 5 or word[0].isdigit():
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

    _COUNTS = "frequencies.json"

    def __init__(self, frequencies: dict[str, int], size: int) -> None:
        self._frequencies, self._size = frequencies, size

    @classmethod
    def read(cls, folder: Path) -> Vocabulary:
        """That of a saved keyword index, without the index.

        Raises:
            DamagedSnapshot: there is none.
        """
        return Vocabulary(*cls._counts(folder))

    @classmethod
    def _counts(cls, folder: Path) -> tuple[dict[str, int], int]:
        try:
            counts = json.loads((folder / cls._COUNTS).read_text("utf-8"))
            return counts["terms"], counts["size"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedSnapshot(f"{folder.name} is no keyword index: {error}. Run: eunato-rag reindex") from error

    def __len__(self) -> int:
        """How many texts there are."""
        return self._size

    @property
    def frequencies(self) -> dict[str, int]:
        """In how many texts each term occurs; in an order that is the same for the same texts, which numbers the terms."""
        return self._frequencies

    def weight(self, term: str) -> float:
        """How rare a term is: BM25's inverse document frequency, above zero; highest for a term that never occurs."""
        n = self._frequencies.get(term, 0)
        return math.log(1 + (self._size - n + 0.5) / (n + 0.5))

    def share(self, term: str) -> float:
        """The share of the texts, 0..1, that hold a term."""
        return self._frequencies.get(term, 0) / max(1, self._size)

    def coverage(self, query: str, terms: frozenset[str] | None = None) -> float:
        """The share, 0..1 and weighted by rarity, of the query's terms that occur in `terms`; in the corpus if None."""
        wanted = set(analyse(query))
        total = sum(self.weight(term) for term in wanted)
        if not total:
            return 0.0
        return sum(self.weight(t) for t in wanted if (t in self._frequencies if terms is None else t in terms)) / total


class KeywordIndex(Vocabulary):
    """BM25 (Lucene's variant, k1 1.2, b 0.75) over texts by position."""

    def __init__(self, model: Any, frequencies: dict[str, int], size: int) -> None:
        super().__init__(frequencies, size)
        self._model = model

    @classmethod
    def build(cls, texts: Sequence[str]) -> KeywordIndex:
        import bm25s

        terms = [analyse(text) or [""] for text in texts]
        model = bm25s.BM25(k1=K1, b=B, method="lucene")
        model.index(terms, show_progress=False)
        frequencies: dict[str, int] = {}
        for words in terms:
            for word in set(words):
                frequencies[word] = frequencies.get(word, 0) + 1
        return cls(model, dict(sorted(frequencies.items())), len(texts))

    @classmethod
    def load(cls, folder: Path) -> KeywordIndex:
        import bm25s

        try:
            model = bm25s.BM25.load(str(folder), load_corpus=False)
            return cls(model, *cls._counts(folder))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedSnapshot(f"{folder.name} is no keyword index: {error}. Run: eunato-rag reindex") from error

    def save(self, folder: Path) -> None:
        self._model.save(str(folder), show_progress=False)
        counts = {"size": self._size, "terms": self._frequencies}
        (folder / self._COUNTS).write_text(json.dumps(counts, ensure_ascii=False), "utf-8")

    def search(self, query: str, k: int, allowed: Sequence[int] | None = None) -> Ranked:
        """The k positions of highest BM25 above zero; only `allowed` ones if given."""
        return self.search_terms(analyse(query), k, allowed)

    def search_terms(self, terms: Sequence[str], k: int, allowed: Sequence[int] | None = None) -> Ranked:
        """The same for terms as `analyse` gives them; a term analysed again may be another."""
        terms = [term for term in terms if term in self._frequencies]
        if not terms:
            return []
        scores: NDArray[np.float32] = self._model.get_scores(terms)
        if allowed is None:
            least = np.partition(scores, -k)[-k] if k < len(scores) else scores.dtype.type(0)
            positions = np.flatnonzero((scores > 0) & (scores >= least))
        else:
            among = np.asarray(allowed, dtype=np.int64)
            positions = among[scores[among] > 0]
        order = positions[np.lexsort((positions, -scores[positions]))][:k]
        return [(int(p), float(scores[p])) for p in order]

    def weights(self) -> Iterator[dict[int, float]]:
        """By position, what each term of a text counts in BM25; a term stands as its number in `frequencies`.

        The sum over a query's terms, each as often as it is there, is the score of `search_terms`.
        """
        table = self._model.scores
        starts = np.asarray(table["indptr"])
        numbers = {self._model.vocab_dict[term]: number for number, term in enumerate(self._frequencies)}
        renumbered = np.asarray([numbers.get(old, -1) for old in range(len(starts) - 1)], dtype=np.int64)
        terms = np.repeat(renumbered, np.diff(starts))
        # kept by term; turned to be by text
        texts = np.asarray(table["indices"])
        order = np.argsort(texts, kind="stable")
        bounds = np.searchsorted(texts[order], np.arange(self._size + 1))
        for start, end in pairwise(bounds.tolist()):
            part = order[start:end]
            yield dict(zip(terms[part].tolist(), table["data"][part].tolist(), strict=True))
