"""The probe before a snapshot is published: each part of it that leads elsewhere is noticed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from eunato_rag.errors import DamagedSnapshot
from eunato_rag.indexing import snapshot
from eunato_rag.indexing.interaction import compress
from eunato_rag.indexing.probing import probe
from eunato_rag.ingestion.chunking import Chunking, chunk
from eunato_rag.ingestion.readers import read
from eunato_rag.ingestion.sources import identify, list_sources, read_manifest
from eunato_rag.reindex import reindex
from eunato_rag.tokens import count_tokens
from tests.conftest import WordEmbedder


@pytest.fixture
def contents(corpus: Path, embedder: WordEmbedder) -> snapshot.Contents:
    manifest = read_manifest(corpus)
    documents = [identify(read(path), source, manifest) for source, path in list_sources(corpus)]
    passages = [
        passage
        for document in documents
        for passage in chunk(document, Chunking(), size=count_tokens, model_size=embedder.count_tokens, model_limit=embedder.max_tokens)
    ]
    texts = [passage.text for passage in passages]
    tokens = [compress(encoded) for encoded in embedder.encode_document_tokens(texts)]
    vectors = embedder.encode_document(texts)
    described = snapshot.describe(embedder)
    return snapshot.Contents(documents, passages, manifest.works, vectors, tokens, texts, {}, described, asdict(Chunking()), {})


def moved(rows: Sequence[Any]) -> list[Any]:
    """The rows, each in the place of the one before."""
    return [*rows[1:], rows[0]]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda made: replace(made, vectors=made.vectors[::-1].copy()), "vectors"),
        (lambda made: replace(made, texts=moved(made.texts)), "keywords"),
        (lambda made: replace(made, tokens=moved(made.tokens)), "tokens"),
        (lambda made: replace(made, documents=moved(made.documents)), "words"),
        (lambda made: replace(made, passages=moved(made.passages)), "not read back"),
        (lambda made: replace(made, passages=made.passages[1:]), "rows"),
        (lambda made: replace(made, documents=made.documents[1:]), "lacks documents"),
    ],
)
def test_a_part_that_leads_elsewhere_is_named(
    tmp_path: Path,
    contents: snapshot.Contents,
    embedder: WordEmbedder,
    wrong: Callable[[snapshot.Contents], snapshot.Contents],
    named: str,
) -> None:
    """A snapshot is compared with what it should have been made of."""
    snapshot.publish(tmp_path, contents)
    opened = snapshot.open_snapshot(tmp_path, embedder)
    probe(opened, contents)
    with pytest.raises(DamagedSnapshot, match=named):
        probe(opened, wrong(contents))


def test_a_word_whose_stem_has_a_stem_is_found(tmp_path: Path, corpus: Path, embedder: WordEmbedder) -> None:
    """Terms are compared as they are kept: "committee" as "committe", whose own stem is "committ"."""
    words = "committee commissioner decisions representative".split()
    for number, word in enumerate(words):
        (corpus / f"note-{number}.txt").write_text(f"The {word} of place {number} spoke of its {word}.", "utf-8")
    assert reindex(corpus, tmp_path / "index", embedder, Chunking()).failed == ()
