"""Query -> hits: dense and keyword search, fused by weight.

Scores of each search are scaled to 0..1 over its own candidates, then summed by weight. Keyword search counts for
as much as it can know: its weight falls with the share of the query, by rarity, that the corpus never says.
Left out: reading the evidence, which decides whether there is an answer (answering).
"""

from __future__ import annotations

from dataclasses import dataclass

from eunato_rag.errors import InvalidQuestion
from eunato_rag.indexing.catalogue import Filter
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.snapshot import Snapshot
from eunato_rag.indexing.vectors import Ranked
from eunato_rag.records import Hit

MAX_QUERY = 4000
"""Characters. A longer text is a draft to check, not a question."""
MAX_TOP_K = 100
_POOL = 100


@dataclass(frozen=True, slots=True)
class Weights:
    """How the searches are weighed: `keywords` at full coverage, dense the rest.

    Passages of front and back matter (title page, disclaimer, imprint) keep `surrounding` of their score.
    """

    keywords: float = 0.6
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


def retrieve(
    snapshot: Snapshot, embedder: Embedder, query: str, *, top_k: int = 10, wanted: Filter = Filter(), weights: Weights = Weights()
) -> tuple[Hit, ...]:
    """The passages for a query, best first. The same snapshot and query give the same hits.

    Raises:
        InvalidQuestion: see `checked_query`; or `top_k` outside 1..100.
    """
    query = checked_query(query, "query")
    if not 1 <= top_k <= MAX_TOP_K:
        raise InvalidQuestion(f"top_k is {top_k}; it goes from 1 to {MAX_TOP_K}.")
    allowed = snapshot.catalogue.allowed(wanted)
    pool = max(_POOL, top_k)
    vector = embedder.encode_query([query])[0]
    dense = snapshot.vectors.search(vector, pool, allowed)
    keyword = snapshot.keywords.search(query, pool, allowed)
    share = weights.keywords * snapshot.keywords.coverage(query)
    fused = _fuse(dense, keyword, share)
    for position in snapshot.catalogue.surrounding & fused.keys():
        fused[position] *= weights.surrounding
    passages = {position: snapshot.catalogue.passage_at(position) for position in _best(fused, top_k)}
    ranked = sorted(passages, key=lambda position: (-fused[position], passages[position].id))[:top_k]
    bm25 = dict(keyword)
    return tuple(
        Hit(
            passages[position],
            rank,
            round(fused[position], 6),
            {
                "dense": round(float(snapshot.vectors.vector(position) @ vector), 6),
                "bm25": round(bm25.get(position, 0.0), 6),
            },
        )
        for rank, position in enumerate(ranked, 1)
    )


def _fuse(dense: Ranked, keyword: Ranked, share: float) -> dict[int, float]:
    fused = {position: (1 - share) * score for position, score in _scaled(dense).items()}
    for position, score in _scaled(keyword, floor=0.0).items():
        fused[position] = fused.get(position, 0.0) + share * score
    return fused


def _scaled(ranked: Ranked, floor: float | None = None) -> dict[int, float]:
    """Scores from 0 to 1 over the candidates; the lowest is 0, or `floor` is."""
    if not ranked:
        return {}
    high = ranked[0][1]
    low = ranked[-1][1] if floor is None else floor
    if high <= low:
        return {position: 1.0 for position, _ in ranked}
    return {position: max(0.0, (score - low) / (high - low)) for position, score in ranked}


def _best(fused: dict[int, float], top_k: int) -> list[int]:
    """The positions of the top_k scores, with all that tie with the last of them."""
    order = sorted(fused.values(), reverse=True)
    if not order:
        return []
    least = order[min(top_k, len(order)) - 1]
    return [position for position, score in fused.items() if score >= least]
