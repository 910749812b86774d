"""Query -> hits: dense and keyword search fused by weight, then late interaction over the best of what either found.

Scores of each search are scaled to 0..1 over its own candidates, then summed by weight. Keyword search counts for
as much as it can know: its weight falls with the share of the query, by rarity, that the corpus never says. The best
passages so far then speak for what lies near them (Rocchio's relevance feedback, 1971, with no person to judge).
A reranker, where there is one, reads the best of all this again and decides their order.
Left out: reading the evidence, which decides whether there is an answer (answering).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice

import numpy as np
from numpy.typing import NDArray

from eunato_rag.errors import InvalidQuestion
from eunato_rag.indexing.catalogue import Filter
from eunato_rag.indexing.embedding import Embedder, Vectors
from eunato_rag.indexing.interaction import Query
from eunato_rag.indexing.keywords import analyse
from eunato_rag.indexing.reranking import Reranker
from eunato_rag.indexing.snapshot import Snapshot
from eunato_rag.indexing.vectors import Ranked
from eunato_rag.records import Hit, Locator, Passage
from eunato_rag.timing import stage

MAX_QUERY = 4000
"""Characters. A longer text is a draft to check, not a question."""
MAX_TOP_K = 100
_POOL = 100
"""Passages that each search is asked for."""
_COMPARED = 128
"""Of what both found, the best so far whose tokens are compared; fewer where the best ten are then others (docs/decisions.md)."""
_COMMON = 0.1
"""Share of the passages above which a form is not looked for besides: in a corpus about it, "NATO" tells nothing apart."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How scores are weighed; fitted on half of four collections (docs/decisions.md).

    `rerank` is the share of late interaction; of the rest, `keywords` at full coverage and dense what is left. The
    first `feedback_from` passages are asked for what lies near them, and that counts `feedback`. Passages of front
    and back matter (title page, disclaimer, imprint) keep `surrounding` of their score.
    """

    keywords: float = 0.8
    rerank: float = 0.7
    feedback: float = 0.7
    feedback_from: int = 3
    surrounding: float = 0.8


def checked_query(text: str, what: str = "question") -> str:
    """The text without space around it.

    Raises:
        InvalidQuestion: nothing in it, more than 4,000 characters, or no valid Unicode.
    """
    text = text.strip()
    if not any(character.isalnum() for character in text):
        raise InvalidQuestion(f"The {what} is empty. Ask in words, for example: Why did Pooling and Sharing fail?")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidQuestion(f"The {what} holds half of a character (a lone surrogate). Send it as valid Unicode.")
    if len(text) > MAX_QUERY:
        raise InvalidQuestion(f"The {what} has {len(text):,} characters; at most {MAX_QUERY:,} are read. Ask one thing at a time.")
    return text


def read_query(snapshot: Snapshot, embedder: Embedder, text: str) -> Query:
    """A query as vectors, made once and used by all that comes after.

    Raises:
        InvalidQuestion: see `checked_query`.
    """
    text = checked_query(text, "query")
    forms = snapshot.acronyms.other_forms(text)
    rare = [form for form in forms if max(map(snapshot.keywords.share, analyse(form)), default=0.0) <= _COMMON]
    with stage("embed"):
        encoded = embedder.encode_query_tokens([text])[0]
    return snapshot.tokens.query(text, " ".join((text, *rare)), encoded)


def retrieve(
    snapshot: Snapshot,
    query: Query,
    *,
    top_k: int = 10,
    wanted: Filter = Filter(),
    weights: Weights = Weights(),
    reranker: Reranker | None = None,
) -> tuple[Hit, ...]:
    """The passages for a query, best first; no two of which say the same. The same snapshot and query give the same hits.

    Raises:
        InvalidQuestion: `top_k` outside 1..100.
        EmbeddingError: the reranker failed.
    """
    if not 1 <= top_k <= MAX_TOP_K:
        raise InvalidQuestion(f"top_k is {top_k}; it goes from 1 to {MAX_TOP_K}.")
    allowed = snapshot.allowed(wanted)
    pool = max(_POOL, top_k)
    with stage("vectors"):
        dense = snapshot.vectors.search(query.vector, pool, allowed)
    with stage("keywords"):
        keyword = snapshot.keywords.search(query.expanded, pool, allowed)
    positions = sorted({position for position, _ in dense} | {position for position, _ in keyword})
    if not positions:
        return ()
    share = weights.keywords * snapshot.keywords.coverage(query.text)
    fused = (1 - share) * _scaled(dense, positions) + share * _scaled(keyword, positions, floor=0.0)
    kept = np.sort(np.argsort(-fused, kind="stable")[: max(_COMPARED, top_k)])
    positions, fused = [positions[n] for n in kept], fused[kept]
    vectors = snapshot.vectors.vectors(positions)
    with stage("late interaction"):
        interaction = snapshot.tokens.maxsim(query, positions)
    scores = (1 - weights.rerank) * fused + weights.rerank * _stretched(interaction)
    scores = (scores + weights.feedback * _feedback(scores, vectors, weights.feedback_from)) / (1 + weights.feedback)
    surrounding = snapshot.catalogue.surrounding(positions)
    scores *= np.where([position in surrounding for position in positions], weights.surrounding, 1.0)
    cross: dict[int, float] = {}
    if reranker is not None:
        scores, cross = _read_again(snapshot, query, positions, scores, reranker)
    bm25 = dict(keyword)
    return tuple(
        Hit(
            passage,
            rank,
            round(float(scores[n]), 6),
            {
                "dense": round(float(vectors[n] @ query.vector), 6),
                "bm25": round(bm25.get(positions[n], 0.0), 6),
                "rerank": round(float(interaction[n]), 6),
                **({"cross": cross[n]} if n in cross else {}),
            },
        )
        for rank, (n, passage) in enumerate(_different(snapshot, positions, scores, top_k), 1)
    )


def retrieve_all(
    snapshot: Snapshot,
    queries: Sequence[Query],
    *,
    top_k: int = 10,
    wanted: Filter = Filter(),
    weights: Weights = Weights(),
    reranker: Reranker | None = None,
) -> tuple[Hit, ...]:
    """The passages for a question and its parts: the best for any of them first, each once.

    Raises:
        InvalidQuestion, EmbeddingError: as for `retrieve`.
    """
    found = [retrieve(snapshot, query, top_k=top_k, wanted=wanted, weights=weights, reranker=reranker) for query in queries]
    if len(found) == 1:
        return found[0]
    said = _Said()
    merged = sorted((hit for hits in found for hit in hits), key=lambda hit: (-hit.score, hit.rank, hit.passage.id))
    different = islice((hit for hit in merged if said.anew(hit.passage)), top_k)
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(different, 1))


def _read_again(
    snapshot: Snapshot, query: Query, positions: Sequence[int], scores: NDArray[np.float64], reranker: Reranker
) -> tuple[NDArray[np.float64], dict[int, float]]:
    """The scores once the best passages were read again, and what the reranker gave to each of these.

    Its scores are scaled to 0..1 and laid between the lowest score of these passages and 1: the rest stays below them.
    """
    best = np.argsort(-scores, kind="stable")[: reranker.candidates]
    texts = []
    for n in best:
        passage = snapshot.catalogue.passage_at(positions[n])
        context = snapshot.catalogue.document(passage.document_id).context(passage.locator.start)
        texts.append("\n".join((*context, passage.text)))
    with stage("rerank"):
        given = np.round(reranker.score(query.text, texts), 6)
    low = scores[best[-1]]
    read = scores.copy()
    read[best] = low + (1 - low) * _stretched(given)
    return read, dict(zip(best.tolist(), given.tolist(), strict=True))


def _different(snapshot: Snapshot, positions: Sequence[int], scores: NDArray[np.float64], top_k: int) -> list[tuple[int, Passage]]:
    """The best passages, ties by id, without those whose words a better one has already said."""
    order = np.argsort(-scores, kind="stable")
    tied = (list(group) for _, group in groupby(order.tolist(), key=lambda n: scores[n]))
    said = _Said()
    found = (item for group in tied for item in _by_id(snapshot, positions, group) if said.anew(item[1]))
    return list(islice(found, top_k))


def _by_id(snapshot: Snapshot, positions: Sequence[int], group: Sequence[int]) -> list[tuple[int, Passage]]:
    return sorted(((n, snapshot.catalogue.passage_at(positions[n])) for n in group), key=lambda item: item[1].id)


class _Said:
    """What better passages have said already."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._spans: dict[str, list[Locator]] = {}

    def anew(self, passage: Passage) -> bool:
        """Whether a passage says anything new; then it counts as said. Not the same words again, nor mostly the same sentences."""
        words, place = " ".join(passage.text.split()), passage.locator
        spans = self._spans.setdefault(passage.document_id, [])
        if words in self._words or any(2 * (min(place.end, s.end) - max(place.start, s.start)) > place.end - place.start for s in spans):
            return False
        self._words.add(words)
        spans.append(place)
        return True


def _feedback(scores: NDArray[np.float64], vectors: Vectors, size: int) -> NDArray[np.float64]:
    """How near each candidate lies to the best ones so far, 0..1."""
    best = np.argsort(-scores, kind="stable")[:size]
    centre = scores[best] @ vectors[best]
    return _stretched(vectors @ centre)


def _scaled(ranked: Ranked, positions: Sequence[int], floor: float | None = None) -> NDArray[np.float64]:
    """The scores of the candidates from 0 to 1, for what a search did not find 0; its lowest is 0, or `floor` is."""
    scores = np.zeros(len(positions))
    if not ranked:
        return scores
    high = ranked[0][1]
    low = ranked[-1][1] if floor is None else floor
    found = dict(ranked)
    for n, position in enumerate(positions):
        if position in found:
            scores[n] = (found[position] - low) / (high - low) if high > low else 1.0
    return np.clip(scores, 0.0, 1.0)


def _stretched(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Scores from 0 to 1 over the candidates."""
    values = np.asarray(scores, dtype=np.float64)
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.ones_like(values)
