"""Late interaction: compressed token vectors against the exact ones, read back from disk."""

from pathlib import Path

import numpy as np
import pytest

from eunato_rag.errors import DamagedSnapshot
from eunato_rag.indexing.embedding import Embedder, Encoded, Vectors, unit
from eunato_rag.indexing.interaction import Query, Rounded, TokenCodes, TokenIndex, compress
from eunato_rag.indexing.products import bits_times

DIMENSION = 384


def vectors(count: int, seed: int) -> Vectors:
    return unit(np.random.default_rng(seed).normal(size=(count, DIMENSION)))


def text(count: int, seed: int) -> Encoded:
    tokens = vectors(count, seed)
    places = np.arange(count, dtype=np.int32) * 5
    return Encoded(unit(tokens.sum(axis=0, keepdims=True))[0], tokens, np.arange(count, dtype=np.int32), places)


def stored(folder: Path, texts: list[Encoded], contexts: list[int] | None = None) -> TokenIndex:
    TokenIndex.write(folder / "tokens", [compress(one) for one in texts], contexts or [0] * len(texts), DIMENSION)
    return TokenIndex.load(folder / "tokens")


def query(tokens: Vectors) -> Query:
    return Query("", "", tokens[0], Rounded.of(tokens), np.full(len(tokens), 1 / len(tokens), dtype=np.float32))


def test_the_product_of_bits_and_numbers_is_exact() -> None:
    random = np.random.default_rng(1)
    bits = random.integers(0, 2, size=(50, 384), dtype=np.uint8)
    weights = random.integers(-127, 128, size=(384, 7)).astype(np.int8)
    assert (bits_times(bits, weights) == bits.astype(int) @ weights.astype(int)).all()


def test_nothing_times_something_is_nothing() -> None:
    assert bits_times(np.zeros((0, 8), dtype=np.uint8), np.zeros((8, 3), dtype=np.int8)).shape == (0, 3)


def test_maxsim_comes_near_the_exact_one_though_a_dimension_takes_one_bit(tmp_path: Path) -> None:
    asked = vectors(6, 99)
    texts = []
    for seed in range(20):  # the later the text, the more of it lies near the query
        noise = vectors(12, seed)
        noise[:6] = unit(noise[:6] + seed / 10 * asked)
        texts.append(Encoded(noise[0], noise, np.arange(12, dtype=np.int32), np.arange(12, dtype=np.int32)))
    index = stored(tmp_path, texts)
    exact = [float((one.tokens @ asked.T).max(axis=0).mean()) for one in texts]
    found = index.maxsim(query(asked), range(20))
    assert np.abs(found - exact).max() < 0.06
    assert np.corrcoef(found, exact)[0, 1] > 0.99


def test_the_tokens_of_a_text_find_their_own_text(tmp_path: Path) -> None:
    texts = [text(10 + seed, seed) for seed in range(8)]
    index = stored(tmp_path, texts)
    for n, one in enumerate(texts):
        assert int(np.argmax(index.maxsim(query(one.tokens[3:7]), range(8)))) == n


def test_a_text_without_tokens_scores_nothing(tmp_path: Path) -> None:
    index = stored(tmp_path, [text(0, 1), text(4, 2), text(0, 3)])
    scores = index.maxsim(query(vectors(3, 4)), [0, 1, 2])
    assert scores[0] == scores[2] == 0 != scores[1]
    assert index.maxsim(query(vectors(3, 4)), []).shape == (0,)


def test_an_alignment_tells_the_words_of_a_passage_from_those_of_its_headings(tmp_path: Path) -> None:
    index = stored(tmp_path, [text(4, 1)], contexts=[10])
    alignment = index.align(query(vectors(2, 5)), 0)
    assert alignment.places.tolist() == [-1, -1, 0, 5]
    assert alignment.similarity.shape == (4, 2)


def test_rare_tokens_weigh_more_than_common_ones_and_weights_sum_to_one(tmp_path: Path) -> None:
    def one(pieces: list[int]) -> TokenCodes:
        encoded = Encoded(vectors(1, 1)[0], vectors(len(pieces), 2), np.asarray(pieces, dtype=np.int32), np.zeros(len(pieces), np.int32))
        return compress(encoded)

    TokenIndex.write(tmp_path / "tokens", [one([1, 2]), one([1, 3]), one([1, 1])], [0, 0, 0], DIMENSION)
    index = TokenIndex.load(tmp_path / "tokens")
    asked = Encoded(vectors(1, 1)[0], vectors(3, 3), np.asarray([1, 2, 900], dtype=np.int32), np.zeros(3, np.int32))
    everywhere, once, never = index.query("", "", asked).weights
    assert everywhere < once < never
    assert everywhere + once + never == pytest.approx(1)


def test_what_was_cut_short_on_disk_is_named(tmp_path: Path) -> None:
    stored(tmp_path, [text(4, 1)])
    path = tmp_path / "tokens" / "codes.npy"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DamagedSnapshot, match="reindex"):
        TokenIndex.load(tmp_path / "tokens")


def test_the_model_gives_each_token_its_place_and_leaves_out_special_ones(model: Embedder) -> None:
    said = "Türkiye joined NATO in 1952."
    (encoded,) = model.encode_document_tokens([said])
    assert len(encoded.tokens) == len(encoded.pieces) == len(encoded.places)
    assert [said[place] for place in encoded.places[-3:]] == ["i", "1", "."]
    assert np.linalg.norm(encoded.tokens, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.allclose(encoded.vector, model.encode_document([said])[0], atol=1e-6)


def test_the_fast_path_and_the_original_agree_on_tokens(model: Embedder, original: Embedder) -> None:
    said = ["Why did Pooling and Sharing fail?", "The EU and NATO signed joint declarations in 2016, 2018 and 2023."]
    for mine, theirs in zip(model.encode_query_tokens(said), original.encode_query_tokens(said), strict=True):
        assert mine.pieces.tolist() == theirs.pieces.tolist()
        assert mine.places.tolist() == theirs.places.tolist()
        assert np.sum(mine.tokens * theirs.tokens, axis=1).min() > 0.98  # products in 8 bits


def test_no_part_of_a_text_longer_than_the_model_reads_is_ignored(model: Embedder) -> None:
    long = " ".join(f"word{n}" for n in range(400))
    (encoded,) = model.encode_query_tokens([long])
    assert len(encoded.pieces) > model.max_tokens
    assert long[encoded.places[-1] :] == long[-1]
