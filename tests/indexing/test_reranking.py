"""A reranker decides the order of the best passages; a real cross-encoder, of random weights, proves that one can be used."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from eunato_rag.doctor import examine
from eunato_rag.engine import Engine
from eunato_rag.errors import EmbeddingError, ModelNotFound, SettingsError
from eunato_rag.indexing.embedding import DEFAULT_MODEL, find_model
from eunato_rag.indexing.reranking import CrossEncoderReranker, find_reranker
from eunato_rag.records import Hit
from eunato_rag.retrieval import retrieve_all, read_query
from eunato_rag.serving import cli
from eunato_rag.serving.http.app import create_app
from eunato_rag.settings import load_settings
from tests.conftest import HARBOUR, ORCHARD, ROOT, WordEmbedder

QUERY = "late dredging of the harbour"


class Lengths:
    """Gives a text its length, the shortest the most, and keeps what it read."""

    def __init__(self, candidates: int = 20) -> None:
        self.candidates = candidates
        self.read: list[tuple[str, list[str]]] = []

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        self.read.append((query, list(texts)))
        return [-float(len(text)) for text in texts]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cross-encoder of two narrow layers, its weights random but always the same."""
    return make_cross_encoder(tmp_path_factory.mktemp("cross-encoder"))


def make_cross_encoder(folder: Path, labels: int = 1) -> Path:
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()
    words = sorted({word for text in (HARBOUR, ORCHARD, (ROOT / "README.md").read_text("utf-8")) for word in re.findall(r"\w+", text.lower())})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    (folder / "vocab.txt").write_text("\n".join(pieces), "utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(7)
        config = BertConfig(
            vocab_size=len(pieces),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
            initializer_range=1.0,
            num_labels=labels,
        )
        BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def texts_of(hits: Sequence[Hit]) -> list[str]:
    return [hit.passage.text for hit in hits]
