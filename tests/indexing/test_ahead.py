"""Embedding beside reading: each text once, kept whatever happens, and what goes wrong is raised."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from eunato_rag.errors import EmbeddingError
from eunato_rag.indexing.ahead import Ahead
from eunato_rag.indexing.cache import Encoding, VectorCache, encode
from eunato_rag.indexing.entries import Entry
from eunato_rag.records import Document, Locator, Passage
from tests.conftest import WordEmbedder


def entry(*texts: str) -> Entry:
    whole = "\n".join(texts)
    starts = [whole.index(text) for text in texts]
    passages = [Passage(f"p{n}", "d", t, Locator(s, s + len(t)), "body") for n, (t, s) in enumerate(zip(texts, starts, strict=True))]
    return Entry.of(Document("d", "d.txt", "0", {}, whole), passages, [""] * len(texts))


@pytest.fixture
def cache(tmp_path: Path, embedder: WordEmbedder) -> VectorCache:
    return VectorCache(tmp_path / "vectors.sqlite", embedder)


def test_each_text_is_embedded_once(cache: VectorCache, embedder: WordEmbedder) -> None:
    """Neither what another document said, nor what is known from before; progress comes to its end."""
    cache.embed(["The ferry waits."])
    before, told = len(embedder.embedded), list[tuple[int, int]]()
    with Ahead(cache, lambda texts: encode(embedder, texts), 2) as ahead:
        ahead.add(entry("The ferry waits.", *(f"Buoy {n} is red." for n in range(150))))
        ahead.add(entry("Buoy 7 is red.", "Gulls cry."))
        ahead.finish(lambda done, total: told.append((done, total)))
    assert len(embedder.embedded) - before == len(ahead.missing) == 151
    assert told[-1] == (151, 151)
    assert cache.known(ahead.missing) == ahead.missing


def test_reading_does_not_wait_for_embedding(cache: VectorCache, embedder: WordEmbedder) -> None:
    """All is added while the first batch is still at work."""
    added = threading.Event()

    def slowly(texts: Sequence[str]) -> list[Encoding]:
        assert added.wait(30), "adding waited for embedding"
        return encode(embedder, texts)

    with Ahead(cache, slowly, 1) as ahead:
        for k in range(20):
            ahead.add(entry(*(f"Buoy {n} of line {k}." for n in range(64))))
        added.set()
        ahead.finish(lambda done, total: None)
    assert cache.embedded == 20 * 64


def test_what_stops_the_embedding_is_raised_and_what_was_embedded_stays(cache: VectorCache, embedder: WordEmbedder) -> None:
    """At the next document, or at the end at the latest."""

    def failing(texts: Sequence[str]) -> list[Encoding]:
        if any("bad" in text for text in texts):
            raise EmbeddingError("no more")
        return encode(embedder, texts)

    def run() -> None:
        with Ahead(cache, failing, 1) as ahead:
            ahead.add(entry(*(f"Buoy {n} is red." for n in range(64))))
            ahead.add(entry("A bad text.", *(f"Mast {n} is tall." for n in range(63))))
            ahead.finish(lambda done, total: None)

    with pytest.raises(EmbeddingError, match="no more"):
        run()
    assert cache.embedded == 64
