"""A small corpus, a deterministic embedder, the real model exported once, and a guard that keeps every test off the network."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from hypothesis import settings
from starlette.types import ASGIApp

from eunato_rag import evaluation
from eunato_rag.engine import Engine
from eunato_rag.indexing.embedding import (
    DEFAULT_MODEL,
    Embedder,
    Encoded,
    TorchEmbedder,
    Vectors,
    find_model,
    load_embedder,
    model_digest,
    unit,
)
from eunato_rag.indexing.keywords import analyse
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.readers import read
from eunato_rag.ingestion.sources import identify, read_manifest
from eunato_rag.records import Document
from eunato_rag.reindex import reindex
from eunato_rag.serving.http.app import create_app

if "FUZZ_EXAMPLES" in os.environ:
    settings.register_profile("tests", max_examples=int(os.environ["FUZZ_EXAMPLES"]), deadline=None)
else:
    settings.register_profile("tests", derandomize=True)
settings.load_profile("tests")
"""The same examples each time: a test that passed yesterday passes today. `make fuzz` looks for new ones."""

ROOT = Path(__file__).parents[1]
PAPER = "elevating-eu-nato-synergy.txt"

HARBOUR = """Harbour Report

Summary

The harbour at Lindholm was dredged in 2019.¹ It is 14 metres deep, and ships of the northern line call there twice a week.

The works cost 3.2 million crowns. The money came from the port fund and from the town.

¹ Port Authority, Dredging at Lindholm, 2019, https://port.example/dredging

Lessons

The dredging was late because the barge broke down. It was repaired in Malmo.

These are the lessons:

1. Charter two barges. One alone is a risk.
2. Ask the pilots first. They know the channel.
"""

ORCHARD = """# Orchard Notes

Apples from the old orchard keep until March. The pears do not keep.

## Pests

Codling moth was seen in 2021, and the trees were banded with paper.
"""

MANIFEST = """
[[work]]
id = "harbour-2020"
file = "harbour.txt"
format = "text"
rights = "made for tests"
  [work.csl]
  type = "report"
  title = "Harbour Report"
  author = [{ family = "Lind", given = "Eva" }]
  issued = { date-parts = [[2020, 5]] }
  publisher = "Port Museum"
  language = "en"

[[work]]
id = "port-2019"
  [work.csl]
  type = "report"
  title = "Dredging at Lindholm"
  author = [{ literal = "Port Authority" }]
  issued = { date-parts = [[2019]] }
  URL = "https://port.example/dredging"
  [[work.cited]]
  by = "harbour-2020"
  note = 1
  as_printed = "Port Authority, Dredging at Lindholm, 2019"
"""


class WordEmbedder:
    """A bag of hashed words as a unit vector: equal words lie near each other. Counts what it embeds."""

    name = "words"
    dimension = 256
    max_tokens = 256

    def __init__(self, digest: str = "words-1") -> None:
        self.digest = digest
        self.embedded: list[str] = []

    def count_tokens(self, text: str) -> int:
        return len(text.split()) + 2

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        return unit(np.stack([self._vector(text) for text in texts]))

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        self.embedded += texts
        return self.encode_query(texts)

    def encode_query_tokens(self, texts: Sequence[str]) -> list[Encoded]:
        return [self._encoded(text) for text in texts]

    def encode_document_tokens(self, texts: Sequence[str]) -> list[Encoded]:
        self.embedded += texts
        return [self._encoded(text) for text in texts]

    def _encoded(self, text: str) -> Encoded:
        words = list(re.finditer(r"\S+", text))
        tokens = np.stack([self._vector(word.group()) for word in words]) if words else np.zeros((0, self.dimension), dtype=np.float32)
        pieces = [self._bucket(word.group().casefold()) for word in words]
        places = [word.start() for word in words]
        return Encoded(self.encode_query([text])[0], unit(tokens), np.asarray(pieces, dtype=np.int32), np.asarray(places, dtype=np.int32))

    def _bucket(self, word: str) -> int:
        return int.from_bytes(hashlib.sha256(word.encode()).digest()[:2], "big") % self.dimension

    def _vector(self, text: str) -> Vectors:
        vector = np.full(self.dimension, 1e-3, dtype=np.float32)
        for word in analyse(text) or [text.casefold()]:
            vector[self._bucket(word)] += 1
        return vector


@contextmanager
def running(application: ASGIApp, **options: Any) -> Iterator[str]:
    """A real server of an application, without its lifespan unless `options` of uvicorn say so; its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, **{"log_level": "error", "lifespan": "off", **options}))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only loopback may be reached; anything else fails the test at once."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else "local socket"
        if host not in ("127.0.0.1", "::1", "localhost", "local socket"):
            raise AssertionError(f"the network was reached for: {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
    for name in list(os.environ):
        if name.startswith("EUNATO_"):
            monkeypatch.delenv(name)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two small documents and a manifest that names one of them."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "harbour.txt").write_text(HARBOUR, "utf-8")
    (folder / "orchard.md").write_text(ORCHARD, "utf-8")
    (folder / "sources.toml").write_text(MANIFEST, "utf-8")
    return folder


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def index(tmp_path: Path, corpus: Path, embedder: WordEmbedder) -> Path:
    """An index folder with the small corpus published."""
    folder = tmp_path / "index"
    reindex(corpus, folder, embedder, Chunking())
    return folder


@pytest.fixture
def engine(index: Path, embedder: WordEmbedder) -> Iterator[Engine]:
    opened = Engine.open(index, embedder)
    yield opened
    opened.snapshot.close()


@pytest.fixture(scope="session")
def paper() -> Document:
    """The policy paper, read and identified as the service does it."""
    folder = ROOT / "corpus"
    return identify(read(folder / PAPER), PAPER, read_manifest(folder))


@pytest.fixture(scope="session")
def original() -> TorchEmbedder:
    """The bundled model, run by sentence-transformers."""
    folder = find_model(DEFAULT_MODEL)
    return TorchEmbedder(DEFAULT_MODEL, folder, model_digest(folder))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of exported models that holds the bundled one."""
    folder = tmp_path_factory.mktemp("models")
    load_embedder(DEFAULT_MODEL, folder, backend="onnx")
    return folder


@pytest.fixture(scope="session")
def model(models: Path) -> Embedder:
    """The bundled model on its fast path."""
    return load_embedder(DEFAULT_MODEL, models, backend="onnx", threads=2)


@pytest.fixture(scope="session")
def exported(models: Path, model: Embedder) -> Path:
    """The folder of the bundled model's export."""
    return models / model.digest[:16]


@pytest.fixture(scope="session")
def paper_index(tmp_path_factory: pytest.TempPathFactory, models: Path, model: Embedder) -> Path:
    """An index of the project's own corpus, made with the real model."""
    folder = tmp_path_factory.mktemp("index")
    (folder / "models").symlink_to(models)
    reindex(ROOT / "corpus", folder, model, Chunking())
    return folder


@pytest.fixture(scope="session")
def paper_engine(paper_index: Path, model: Embedder) -> Iterator[Engine]:
    opened = Engine.open(paper_index, model)
    yield opened
    opened.snapshot.close()


@pytest.fixture(scope="session")
def outcomes(paper_engine: Engine) -> list[evaluation.Outcome]:
    """What happens to the judged questions on the paper."""
    return evaluation.run(paper_engine, evaluation.read_questions(ROOT / "tests" / "eval"))


@pytest.fixture(scope="session")
def live_server(paper_index: Path, model: Embedder) -> Iterator[str]:
    """The address of a real server over the project's own corpus."""
    with running(create_app(paper_index, model)) as address:
        yield address
