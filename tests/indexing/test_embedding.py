"""The real model: its fast path equals it, and nothing it reads is cut off."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from eunato_rag.errors import EmbeddingError, ModelNotFound
from eunato_rag.indexing.embedding import DEFAULT_MODEL, Embedder, TorchEmbedder, find_model, load_embedder, model_digest
from eunato_rag.indexing.onnx import OnnxEmbedder
from eunato_rag.records import Document

TEXTS = ["NATO", "Türkiye is an Ally.", "The EU and NATO " * 12, "Defence spending rose to 2 % of GDP. " * 20]


def test_the_fast_path_equals_sentence_transformers(model: Embedder, original: TorchEmbedder, paper: Document) -> None:
    """The cosine of each pair is 0.999 or better, for queries and passages of any length."""
    texts = TEXTS + [paper.text[start:end] for start, end in paper.sentences[::7]]
    for mine, theirs in (
        (model.encode_document(texts), original.encode_document(texts)),
        (model.encode_query(texts), original.encode_query(texts)),
    ):
        assert np.sum(mine * theirs, axis=1).min() >= 0.999
        assert mine.shape == (len(texts), 384)


def test_vectors_have_length_one(model: Embedder) -> None:
    """So that an inner product is a cosine."""
    np.testing.assert_allclose(np.linalg.norm(model.encode_document(TEXTS), axis=1), 1, atol=1e-6)


def test_both_count_the_same_tokens(model: Embedder, original: TorchEmbedder) -> None:
    """Special tokens included, and not truncated at the tokenizer's own limit."""
    for text in [*TEXTS, "word " * 600]:
        assert model.count_tokens(text) == original.count_tokens(text)
    assert model.count_tokens("word " * 600) == 602


def test_a_text_longer_than_the_model_reads_is_read_to_its_end(model: Embedder) -> None:
    """A long question is embedded in parts: what stands at its end still counts."""
    start = "Please consider the following. " * 80
    plain, ended = model.encode_query([start, start + "Pooling and Sharing failed. " * 20])
    about = model.encode_query(["Pooling and Sharing failed."])[0]
    assert float(ended @ about) > float(plain @ about) + 0.1


def test_one_text_gives_the_same_vector_alone_and_among_others(model: Embedder) -> None:
    """Nothing is padded, so neighbours change nothing."""
    np.testing.assert_array_equal(model.encode_document(TEXTS)[1], model.encode_document([TEXTS[1]])[0])


def test_no_texts_give_no_vectors(model: Embedder) -> None:
    """An empty list is a value."""
    assert model.encode_document([]).shape == (0, 384)


def test_the_bundled_weights_are_the_published_ones() -> None:
    """The file of the package has the digest of all-MiniLM-L6-v2's model.safetensors."""
    import hashlib

    data = (find_model(DEFAULT_MODEL) / "model.safetensors").read_bytes()
    assert hashlib.sha256(data).hexdigest() == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def test_another_file_gives_another_digest(tmp_path: Path) -> None:
    """Weights and configuration decide; a read-me does not."""
    (tmp_path / "config.json").write_text("{}")
    before = model_digest(tmp_path)
    (tmp_path / "README.md").write_text("about")
    assert model_digest(tmp_path) == before
    (tmp_path / "config.json").write_text('{"a": 1}')
    assert model_digest(tmp_path) != before


def test_a_model_that_is_not_here_is_an_error_not_a_download(tmp_path: Path) -> None:
    """The error names the model and what to do."""
    with pytest.raises(ModelNotFound, match=r"no-such/model.*ALLOW_DOWNLOAD"):
        load_embedder("no-such/model", tmp_path)


def test_a_folder_that_is_no_model_is_an_error(tmp_path: Path) -> None:
    """Not a stack of somebody else's exceptions."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    with pytest.raises(EmbeddingError, match="no sentence-transformers model"):
        load_embedder(str(folder), tmp_path / "models")


def test_a_broken_export_is_named(models: Path, original: TorchEmbedder, tmp_path: Path) -> None:
    """The error names the folder to delete."""
    folder = tmp_path / "broken"
    shutil.copytree(models / original.digest[:16], folder)
    (folder / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(EmbeddingError, match="Delete that folder"):
        OnnxEmbedder(DEFAULT_MODEL, folder)
