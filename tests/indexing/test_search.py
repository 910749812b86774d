"""Dense and keyword search, each against what it should equal."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from eunato_rag.errors import DamagedSnapshot
from eunato_rag.indexing.embedding import Vectors, unit
from eunato_rag.indexing.keywords import KeywordIndex, analyse, matching_spans
from eunato_rag.indexing.vectors import EXACT_UP_TO, RECALL, VectorIndex

TEXTS = [
    "The EU and NATO signed a joint declaration in 2016.",
    "Defence spending reached 2 % of GDP.",
    "Türkiye and the U.S. are Allies.",
    "The programme was organised by the Centre for Defence.",
]


def built(vectors: Vectors, asked: Vectors | None = None) -> VectorIndex:
    """An index of the vectors, written and opened."""
    with TemporaryDirectory() as folder:
        VectorIndex.write(Path(folder) / "v", [vectors[:3], vectors[3:]], vectors.shape[1], asked)
        return VectorIndex.load(Path(folder) / "v")  # what is mapped stays


def indexed(texts: Sequence[str]) -> KeywordIndex:
    """An index of the texts, written and opened."""
    with TemporaryDirectory() as folder:
        KeywordIndex.write(Path(folder) / "k", texts)
        return KeywordIndex.read(Path(folder) / "k")


@given(arrays(np.float32, st.tuples(st.integers(1, 40), st.just(8)), elements=st.floats(-1, 1, width=16)), st.integers(1, 12))
def test_faiss_agrees_with_brute_force(rows: np.ndarray, k: int) -> None:
    """Scores are cosines, best first, and no vector is missed."""
    vectors = unit(rows)
    query = vectors[0]
    found = built(vectors).search(query, k)
    cosines = vectors @ query
    assert len(found) == min(k, len(vectors))
    np.testing.assert_allclose([score for _, score in found], np.sort(cosines)[::-1][:k], atol=1e-5)
    np.testing.assert_allclose([cosines[position] for position, _ in found], [score for _, score in found], atol=1e-5)


def test_a_search_can_be_limited_to_positions() -> None:
    """Only the allowed ones come back, and as many of them as there are."""
    vectors = unit(np.eye(4, dtype=np.float32) + 0.1)
    assert {p for p, _ in built(vectors).search(vectors[0], 10, [1, 3])} == {1, 3}
    assert built(vectors).search(vectors[0], 10, []) == []


def test_a_vector_index_is_read_back_as_written(tmp_path: Path) -> None:
    """And a file that is none is an error that names the repair."""
    vectors = unit(np.eye(3, dtype=np.float32))
    VectorIndex.write(tmp_path / "v", [vectors], 3)
    loaded = VectorIndex.load(tmp_path / "v")
    assert loaded.vectors([0, 1, 2]).tolist() == vectors.tolist()
    (tmp_path / "v" / "flat.faiss").write_bytes(b"nothing")
    with pytest.raises(DamagedSnapshot, match="eunato-rag reindex"):
        VectorIndex.load(tmp_path / "v")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Türkiye", "Turkiye"),
        ("U.S.", "US"),
        ("defence", "defense"),
        ("organised", "organizing"),
        ("programme", "programs"),
        ("labour", "labor"),
        ("centre", "centers"),
        ("Mölling's", "Molling"),
        ("EU-NATO", "EU NATO"),
        ("synchronisation", "synchronize"),
    ],
)
def test_spellings_of_one_word_are_one_term(one: str, other: str) -> None:
    """Accents, dots, hyphens, British and American spelling make no difference."""
    assert [t for t in analyse(one) if t != "s"] == analyse(other)


def test_the_country_is_no_stop_word() -> None:
    """Lower-cased, "US" looks like the pronoun."""
    assert analyse("What does the US want?") == ["us", "want"]


def test_numbers_keep_their_decimals() -> None:
    """3.7 is one term and not 3 and 7."""
    assert analyse("3.7 % in 2024.") == ["3.7", "2024"]


def test_keyword_search_ranks_by_rarity() -> None:
    """The text with the rare word comes first; texts without any of the words do not come."""
    index = indexed(TEXTS)
    assert index.search("defense GDP", 10)[0][0] == 1
    assert {p for p, _ in index.search("defence", 10)} == {1, 3}
    assert index.search("defence", 10, allowed=[3])[0][0] == 3
    assert index.search("zebra", 10) == []
    assert index.search("what is the", 10) == []


def bm25(texts: Sequence[str], query: str) -> list[float]:
    """Lucene's formula, term by term, as it is written down."""
    split = [analyse(text) for text in texts]
    mean = sum(map(len, split)) / len(split)
    scores = []
    for terms in split:
        score = 0.0
        for term in analyse(query):
            n, times = sum(term in other for other in split), terms.count(term)
            score += math.log(1 + (len(split) - n + 0.5) / (n + 0.5)) * times / (times + 1.2 * (0.25 + 0.75 * len(terms) / (mean or 1)))
        scores.append(score)
    return scores


WORDS = st.sampled_from("barge buoy canal dock eel ferry gull harbour isle jetty the".split())
SAID = st.lists(WORDS, max_size=12).map(" ".join)


@given(st.lists(SAID, min_size=1, max_size=30), SAID, st.integers(1, 8), st.sets(st.integers(0, 29)))
def test_keyword_search_is_bm25(texts: list[str], query: str, k: int, some: set[int]) -> None:
    """The best by the formula, with their scores, of all texts or of some."""
    index, scores = indexed(texts), bm25(texts, query)
    for allowed in (None, sorted(n for n in some if n < len(texts))):
        found = index.search(query, k, allowed)
        expected = sorted((score for n, score in enumerate(scores) if score > 0 and (allowed is None or n in allowed)), reverse=True)
        np.testing.assert_allclose([score for _, score in found], expected[:k], rtol=1e-5)
        np.testing.assert_allclose([scores[position] for position, _ in found], [score for _, score in found], rtol=1e-5)


def test_common_terms_are_looked_up_only_where_they_can_matter() -> None:
    """Over many texts the search takes another way; it comes to the same."""
    chance = random.Random(3)
    rare = [f"word{n}" for n in range(3000)]
    texts = [" ".join(["common", *(["usual"] if chance.random() < 0.5 else []), *chance.choices(rare, k=4)]) for _ in range(20_000)]
    texts[7] = texts[9] = "common word5 word6 usual"
    index = indexed(texts)
    for query in ("common usual word5", "common word5 word6 word7 usual usual", "usual common", "word8"):
        scores = np.asarray(bm25_of(index, texts, query))
        found = index.search(query, 10)
        best = np.lexsort((np.arange(len(texts)), -scores))[:10]
        np.testing.assert_allclose([score for _, score in found], scores[best], rtol=1e-4)
        assert [p for p, _ in found] == [p for _, p in sorted((-score, p) for p, score in found)]
    assert [p for p, _ in index.search("common usual word5 word6", 2)] == [7, 9]


def bm25_of(index: KeywordIndex, texts: Sequence[str], query: str) -> NDArray[np.float64]:
    """The sum over each text's own weights, which is another way through the index."""
    wanted = index.counted(analyse(query))
    return np.asarray([sum(weights.get(n, 0.0) * times for n, times in wanted.items()) for weights in index.weights()])


def test_what_is_no_keyword_index_is_named(tmp_path: Path) -> None:
    """With the command that mends it."""
    KeywordIndex.write(tmp_path / "k", TEXTS)
    (tmp_path / "k" / "texts.npy").write_bytes(b"nothing")
    with pytest.raises(DamagedSnapshot, match="Run: eunato-rag reindex"):
        KeywordIndex.read(tmp_path / "k")


def test_coverage_is_the_share_of_the_question_that_is_said() -> None:
    """Weighted by rarity, so an unknown word weighs most."""
    index = indexed(TEXTS)
    assert index.coverage("joint declaration") == 1
    assert index.coverage("zebra") == 0
    assert 0 < index.coverage("joint zebra") < 0.5
    assert index.coverage("the of and") == 0
    assert index.coverage("joint declaration", frozenset(["joint"])) == pytest.approx(0.5, abs=0.01)


def test_matching_spans_mark_the_words_as_they_stand() -> None:
    """A reader is shown "organised" where the query said "organize"."""
    text = TEXTS[3]
    assert [text[a:b] for a, b in matching_spans("who organized the defense program", text)] == ["programme", "organised", "Defence"]


def test_texts_without_words_are_indexed_all_the_same() -> None:
    """A position is a position, whatever stands there."""
    index = indexed(["the", "zebra"])
    assert len(index) == 2
    assert [p for p, _ in index.search("zebra", 5)] == [1]


def test_over_many_vectors_lists_are_read_and_nearly_nothing_is_missed() -> None:
    """As many lists as the texts that will be searched for need; scores are exact, filters hold, and rows are read back."""
    chance = np.random.default_rng(1)
    centres = chance.normal(size=(300, 16))
    vectors = unit(centres[chance.integers(0, 300, EXACT_UP_TO + 3000)] + 0.4 * chance.normal(size=(EXACT_UP_TO + 3000, 16)))
    asked = unit(vectors[::200] + 0.1 * chance.normal(size=vectors[::200].shape))
    with TemporaryDirectory() as folder:
        built = VectorIndex.write(Path(folder) / "v", np.array_split(vectors, 5), 16, asked[:60])
        index = VectorIndex.load(Path(folder) / "v")
    assert 0 < built["read"] < built["lists"]
    assert built["recall"] >= RECALL
    shares = []
    for query in asked[60:]:
        found, cosines = index.search(query, 10), vectors @ query
        np.testing.assert_allclose([cosines[p] for p, _ in found], [score for _, score in found], atol=1e-6)
        shares.append(np.mean([score >= np.sort(cosines)[-10] - 1e-6 for _, score in found]))
    assert np.mean(shares) >= RECALL - 0.01
    some = np.arange(0, len(vectors), 2)
    assert all(p % 2 == 0 for p, _ in index.search(asked[0], 50, some[: EXACT_UP_TO // 4]))
    assert {p for p, _ in index.search(asked[0], 5, some[:3])} <= {0, 2, 4}
    np.testing.assert_array_equal(index.vectors([5, 22_000]), vectors[[5, 22_000]])


def test_a_filter_that_leaves_most_is_searched_in_lists_too() -> None:
    """What it leaves out does not come back."""
    chance = np.random.default_rng(2)
    vectors = unit(chance.normal(size=(EXACT_UP_TO + 5000, 8)))
    index = built(vectors, vectors[:20])
    allowed = np.arange(2000, len(vectors))
    found = index.search(vectors[0], 10, allowed)
    assert len(found) == 10
    assert min(p for p, _ in found) >= 2000
