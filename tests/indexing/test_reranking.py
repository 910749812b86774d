"""A reranker decides the order of the best passages; a real cross-encoder, of random weights, proves that one can be used."""

from __future__ import annotations

import json
import os
import re
import string
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from eunato_rag.doctor import examine
from eunato_rag.engine import Engine
from eunato_rag.errors import EmbeddingError, ModelNotFound, SettingsError
from eunato_rag.indexing.embedding import DEFAULT_MODEL, Embedder, find_model
from eunato_rag.indexing.reranking import CrossEncoderReranker, find_reranker
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex
from eunato_rag.serving import assembly
from eunato_rag.serving.http.app import create_app
from eunato_rag.settings import load_settings
from tests.conftest import HARBOUR, ORCHARD, WordEmbedder

QUERY = "late dredging of the harbour"
TEXTS = ["The dredging was late because the barge broke down.", "Apples keep until March.", "Ask the pilots first. " * 60]
MODEL = "EUNATO_RERANKING__MODEL"


class Shortest:
    """The shorter a text, the better; it keeps what it was given to read."""

    def __init__(self, candidates: int = 20) -> None:
        self.candidates = candidates
        self.read: list[tuple[str, list[str]]] = []

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        self.read.append((query, list(texts)))
        return [-float(len(text)) for text in texts]


class Same:
    """All texts alike."""

    candidates = 4

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        return [0.5] * len(texts)


def make_cross_encoder(folder: Path, *, labels: int = 1, bias: float = 0.0) -> Path:
    """A cross-encoder of two narrow layers and a vocabulary of the small corpus; its weights are random, always the same."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()
    letters = string.ascii_lowercase + string.digits + string.punctuation
    words = sorted({*re.findall(r"\w{2,}", (HARBOUR + ORCHARD).lower())})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters), *words]
    (folder / "vocab.txt").write_text("\n".join(pieces), "utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.5,
        num_labels=labels,
    )
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = BertForSequenceClassification(config)
    model.classifier.bias.data.fill_(bias)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cross_encoder(tmp_path_factory.mktemp("cross-encoder"))


@pytest.fixture
def small_index(tmp_path: Path, corpus: Path, models: Path, model: Embedder) -> Path:
    """An index of the small corpus, made with the real embedding model."""
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "models").symlink_to(models)
    reindex(corpus, folder, model, Chunking())
    return folder


def with_reranker(engine: Engine, reranker: Shortest | Same) -> Engine:
    return Engine(engine.snapshot, engine.embedder, reranker=reranker)


def test_the_best_are_ordered_by_the_reranker_and_the_rest_stay_below(engine: Engine) -> None:
    """Its scores, scaled, lie between the lowest of the passages it read and 1; no other passage is touched."""
    plain = engine.search(QUERY, top_k=8)
    again = with_reranker(engine, Shortest(4)).search(QUERY, top_k=8)
    read = again[:4]
    assert again[4:] == plain[4:]
    assert len(again) == len(plain) > 4
    assert {hit.passage.id for hit in read} == {hit.passage.id for hit in plain[:4]}
    assert [hit.passage.id for hit in read] != [hit.passage.id for hit in plain[:4]]
    cross = [hit.parts["cross"] for hit in read]
    assert cross == sorted(cross, reverse=True)
    low = plain[3].score
    expected = [low + (1 - low) * (score - cross[-1]) / (cross[0] - cross[-1]) for score in cross]
    assert [hit.score for hit in read] == pytest.approx(expected, abs=2e-6)
    assert all("cross" not in hit.parts for hit in again[4:])


def test_more_candidates_than_passages_are_as_many_as_there_are(engine: Engine) -> None:
    """A small corpus is read whole; `top_k` cuts what is read, not how much."""
    reranker = Shortest(100)
    (hit,) = with_reranker(engine, reranker).search(QUERY, top_k=1)
    ((_, texts),) = reranker.read
    assert len(texts) > 4
    assert hit.parts["cross"] == -min(map(len, texts))
    assert hit.score == 1.0


def test_it_reads_the_question_and_a_passage_with_title_and_headings(tmp_path: Path, embedder: WordEmbedder) -> None:
    """The words that were embedded: what a passage is about stands before its text."""
    corpus = tmp_path / "headings"
    corpus.mkdir()
    rest = "\n\n".join(f"## Part {n}\n\nPears and apples of orchard {n}." for n in range(12))
    first = "# Notes\n\nThe Northern Port Fund was founded.\n\n## Pay\n\nThe fund paid for the quay.\n\n"
    (corpus / "notes.md").write_text(first + rest, "utf-8")
    reindex(corpus, tmp_path / "index", embedder, Chunking())
    opened, reranker = Engine.open(tmp_path / "index", embedder), Shortest()
    with_reranker(opened, reranker).search("What did the fund pay for?")
    opened.snapshot.close()
    ((query, texts),) = reranker.read
    assert query == "What did the fund pay for?"
    assert "Notes\nPay\nThe fund paid for the quay." in texts
    assert set(texts) <= set(embedder.embedded)


def test_where_it_tells_nothing_apart_ids_do(engine: Engine) -> None:
    """Equal scores are all the best score, so that the same snapshot gives the same hits."""
    hits = with_reranker(engine, Same()).search(QUERY, top_k=6)
    assert [hit.score for hit in hits[:4]] == [1.0] * 4
    assert [hit.passage.id for hit in hits[:4]] == sorted(hit.passage.id for hit in hits[:4])


def test_questions_and_requests_use_it_too(engine: Engine, index: Path, embedder: WordEmbedder) -> None:
    """An answer is made from the passages in its order, and HTTP tells its score."""
    answer = with_reranker(engine, Shortest(2)).ask("When was the harbour at Lindholm dredged?")
    assert ["cross" in hit.parts for hit in answer.hits[:3]] == [True, True, False]
    with TestClient(create_app(index, embedder, reranker=Shortest(2))) as client:
        hits = client.post("/v1/search", json={"query": QUERY}).json()["hits"]
    assert ["cross" in hit["parts"] for hit in hits[:3]] == [True, True, False]


def test_a_cross_encoder_gives_what_its_weights_give(weights: Path) -> None:
    """The model's own output for the pair, before any activation, whatever stands beside it; a long text is cut."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    reranker = CrossEncoderReranker(weights, candidates=3)
    scores = reranker.score(QUERY, TEXTS)
    tokenizer, model = AutoTokenizer.from_pretrained(weights), AutoModelForSequenceClassification.from_pretrained(weights).eval()
    for text, score in zip(TEXTS, scores, strict=True):
        with torch.inference_mode():
            output = model(**tokenizer(QUERY, text, truncation=True, max_length=64, return_tensors="pt"))
        assert score == pytest.approx(float(output.logits), abs=1e-5)
    assert np.ptp(scores) > 0.01
    assert reranker.score(QUERY, []) == []


def test_a_cross_encoder_gives_the_same_each_time(weights: Path) -> None:
    """Loaded twice, asked twice, and by several threads at once."""
    first, second = CrossEncoderReranker(weights, candidates=3), CrossEncoderReranker(weights, candidates=3)
    expected = first.score(QUERY, TEXTS)
    assert second.score(QUERY, TEXTS) == expected
    with ThreadPoolExecutor(4) as pool:
        assert all(scores == expected for scores in pool.map(lambda _: first.score(QUERY, TEXTS), range(8)))


SEARCH = """
import sys
from eunato_rag.serving.cli import app
sys.argv = ["eunato-rag", "search", "late dredging", "--json"]
try:
    app()
finally:
    print("torch" in sys.modules, file=sys.stderr)
"""


def test_it_is_loaded_where_it_is_set_and_only_there(small_index: Path, weights: Path) -> None:
    """Without the setting nothing of torch is imported; with it, the hits tell its scores."""
    found = {}
    for model in ("", str(weights)):
        done = subprocess.run(
            [sys.executable, "-c", SEARCH],
            env={**os.environ, "EUNATO_INDEX": str(small_index), MODEL: model, "EUNATO_RERANKING__CANDIDATES": "3"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        loaded = done.stderr.split()[-1] == "True"
        found[loaded] = [hit["parts"].get("cross") for hit in json.loads(done.stdout)["hits"]]
    assert not any(found[False])
    assert [score is not None for score in found[True][:4]] == [True, True, True, False]


def test_an_empty_setting_is_no_reranker(monkeypatch: pytest.MonkeyPatch, weights: Path) -> None:
    """The default; a folder and a number of passages make one."""
    assert assembly.reranker(load_settings()) is None
    monkeypatch.setenv(MODEL, str(weights))
    monkeypatch.setenv("EUNATO_RERANKING__CANDIDATES", "7")
    made = assembly.reranker(load_settings())
    assert isinstance(made, CrossEncoderReranker)
    assert made.candidates == 7


@pytest.mark.parametrize("value", ["0", "101"])
def test_how_many_it_reads_has_bounds(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """From 1 to 100."""
    monkeypatch.setenv("EUNATO_RERANKING__CANDIDATES", value)
    with pytest.raises(SettingsError, match=f"EUNATO_RERANKING__CANDIDATES cannot be '{value}'"):
        load_settings()


@pytest.mark.parametrize("name", ["no-such/model", "/no/such/folder"])
def test_a_model_that_is_not_here_is_an_error_not_a_download(name: str) -> None:
    """The error names the model and what to do."""
    with pytest.raises(ModelNotFound, match=rf"reranker '{name}'.*ALLOW_DOWNLOAD.*{MODEL}"):
        find_reranker(name)


def test_what_is_no_cross_encoder_is_an_error(tmp_path: Path) -> None:
    """A folder of something else, an embedding model, which would be given random weights, and a model with two scores for a pair."""
    junk, two = tmp_path / "junk", tmp_path / "two"
    junk.mkdir()
    two.mkdir()
    (junk / "config.json").write_text("{}", "utf-8")
    with pytest.raises(EmbeddingError, match=rf"junk are no cross-encoder.*{MODEL}"):
        CrossEncoderReranker(junk, candidates=3)
    for folder in (find_model(DEFAULT_MODEL), make_cross_encoder(two, labels=2)):
        with pytest.raises(EmbeddingError, match=rf"not trained to give one score for a pair.*{MODEL}"):
            CrossEncoderReranker(folder, candidates=3)


def test_scores_that_are_no_numbers_are_an_error(tmp_path: Path) -> None:
    """They would put passages in any order."""
    broken = CrossEncoderReranker(make_cross_encoder(tmp_path, bias=float("nan")), candidates=3)
    with pytest.raises(EmbeddingError, match="no numbers"):
        broken.score(QUERY, TEXTS)


def test_doctor_tells_what_is_set(monkeypatch: pytest.MonkeyPatch, weights: Path) -> None:
    """None, one that is here, and one that is not."""
    monkeypatch.setenv("EUNATO_CORPUS", "nowhere")
    told = []
    for model in ("", str(weights), "no-such/model"):
        monkeypatch.setenv(MODEL, model)
        (finding,) = [f for f in examine(load_settings()) if f.what == "reranking"]
        told.append((finding.state, finding.detail))
    assert [state for state, _ in told] == ["ok", "ok", "broken"]
    assert "not set" in told[0][1]
    assert "the best 20 passages" in told[1][1]
    assert "no-such/model" in told[2][1]
