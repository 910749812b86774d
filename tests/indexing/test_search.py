"""Dense and keyword search, each against what it should equal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from eunato_rag.errors import DamagedSnapshot
from eunato_rag.indexing.embedding import unit
from eunato_rag.indexing.keywords import KeywordIndex, analyse, matching_spans
from eunato_rag.indexing.vectors import VectorIndex

TEXTS = [
    "The EU and NATO signed a joint declaration in 2016.",
    "Defence spending reached 2 % of GDP.",
    "Türkiye and the U.S. are Allies.",
    "The programme was organised by the Centre for Defence.",
]


@given(arrays(np.float32, st.tuples(st.integers(1, 40), st.just(8)), elements=st.floats(-1, 1, width=16)), st.integers(1, 12))
def test_faiss_agrees_with_brute_force(rows: np.ndarray, k: int) -> None:
    """Scores are cosines, best first, and no vector is missed."""
    vectors = unit(rows)
    query = vectors[0]
    found = VectorIndex.build(vectors).search(query, k)
    cosines = vectors @ query
    assert len(found) == min(k, len(vectors))
    np.testing.assert_allclose([score for _, score in found], np.sort(cosines)[::-1][:k], atol=1e-5)
    np.testing.assert_allclose([cosines[position] for position, _ in found], [score for _, score in found], atol=1e-5)


def test_a_search_can_be_limited_to_positions() -> None:
    """Only the allowed ones come back, and as many of them as there are."""
    vectors = unit(np.eye(4, dtype=np.float32) + 0.1)
    assert {p for p, _ in VectorIndex.build(vectors).search(vectors[0], 10, [1, 3])} == {1, 3}
    assert VectorIndex.build(vectors).search(vectors[0], 10, []) == []


def test_a_vector_index_is_read_back_as_written(tmp_path: Path) -> None:
    """And a file that is none is an error that names the repair."""
    vectors = unit(np.eye(3, dtype=np.float32))
    VectorIndex.build(vectors).save(tmp_path / "v")
    loaded = VectorIndex.load(tmp_path / "v")
    assert loaded.vectors([0, 1, 2]).tolist() == vectors.tolist()
    (tmp_path / "v").write_bytes(b"nothing")
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
    index = KeywordIndex.build(TEXTS)
    assert index.search("defense GDP", 10)[0][0] == 1
    assert {p for p, _ in index.search("defence", 10)} == {1, 3}
    assert index.search("defence", 10, allowed=[3])[0][0] == 3
    assert index.search("zebra", 10) == []
    assert index.search("what is the", 10) == []


def test_a_keyword_index_is_read_back_as_written(tmp_path: Path) -> None:
    """Same scores, same order."""
    index = KeywordIndex.build(TEXTS)
    index.save(tmp_path / "k")
    loaded = KeywordIndex.load(tmp_path / "k")
    assert loaded.search("joint defence declaration", 5) == index.search("joint defence declaration", 5)
    assert loaded.coverage("joint zebra") == index.coverage("joint zebra")


def test_coverage_is_the_share_of_the_question_that_is_said() -> None:
    """Weighted by rarity, so an unknown word weighs most."""
    index = KeywordIndex.build(TEXTS)
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
    index = KeywordIndex.build(["the", "zebra"])
    assert len(index) == 2
    assert [p for p, _ in index.search("zebra", 5)] == [1]
