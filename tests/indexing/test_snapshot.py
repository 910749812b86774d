"""Snapshots: whole or not at all, read back as written, and loud when damaged."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from eunato_rag.engine import Engine
from eunato_rag.errors import DamagedSnapshot, EmptyCorpus, IncompatibleIndex, IndexBusy, IndexStoreError, NoIndex
from eunato_rag.indexing import snapshot
from eunato_rag.indexing.catalogue import Filter
from eunato_rag.ingestion.chunking import Chunking, chunk
from eunato_rag.ingestion.readers import read
from eunato_rag.ingestion.sources import identify, list_sources, read_manifest
from eunato_rag.reindex import reindex
from eunato_rag.tokens import count_tokens
from tests.conftest import WordEmbedder


def folder_of(index: Path) -> Path:
    return index / "snapshots" / snapshot.current_id(index)


def test_what_is_opened_is_what_was_published(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """open(publish(x)) == x: documents, passages, works and vectors."""
    opened = snapshot.open_snapshot(index, embedder)
    manifest = read_manifest(corpus)
    documents = [identify(read(path), source, manifest) for source, path in list_sources(corpus)]
    assert [opened.catalogue.document(d.id) for d in documents] == documents
    assert opened.catalogue.works() == list(manifest.works)
    passages = [
        p
        for d in documents
        for p in chunk(d, Chunking(), size=count_tokens, model_size=embedder.count_tokens, model_limit=embedder.max_tokens)
    ]
    assert [opened.catalogue.passage_at(n) for n in range(len(passages))] == passages
    assert [opened.catalogue.passage(p.id) for p in passages] == passages
    assert len(opened.vectors) == len(opened.keywords) == len(passages)


def test_every_passage_equals_its_slice(engine: Engine) -> None:
    """The property that guards ingestion, on what is served."""
    for identity in engine.documents():
        document = engine.document(identity)
        for passage in engine.snapshot.catalogue.passages_of(identity):
            assert document.text[passage.locator.start : passage.locator.end] == passage.text


def test_a_second_run_embeds_nothing(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """Every vector comes from the cache, and the unchanged corpus gives the same snapshot."""
    before, embedded = snapshot.current_id(index), len(embedder.embedded)
    report = reindex(corpus, index, embedder, Chunking())
    assert (report.embedded, report.snapshot) == (0, before)
    assert len(embedder.embedded) == embedded


def test_a_changed_document_embeds_only_what_changed(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """The other documents keep their passages' ids and vectors."""
    path = corpus / "orchard.md"
    path.write_text(path.read_text().replace("2021", "2022"))
    report = reindex(corpus, index, embedder, Chunking())
    assert report.embedded == 1
    assert report.reused == report.passages - 1


def test_full_embeds_everything_again(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """And comes to the same snapshot."""
    before = snapshot.current_id(index)
    report = reindex(corpus, index, embedder, Chunking(), full=True)
    assert (report.reused, report.snapshot) == (0, before)


def test_one_unreadable_file_does_not_stop_the_others(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """It is named with its reason; the rest is published."""
    (corpus / "empty.txt").touch()
    (corpus / "binary.txt").write_bytes(b"\0\1\2" * 99)
    (corpus / "table.xyz").write_text("x")
    report = reindex(corpus, index, embedder, Chunking())
    assert report.documents == 2
    assert [failure.source for failure in report.failed] == ["binary.txt", "empty.txt", "table.xyz"]


def test_a_run_that_reads_nothing_leaves_the_index(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """The error lists each file's reason, and the served snapshot stays."""
    before = snapshot.current_id(index)
    for path in corpus.glob("*.[tm][xd]*"):
        path.write_bytes(b"")
    with pytest.raises(EmptyCorpus, match=r"index was left as it is.*\n.*harbour\.txt is empty"):
        reindex(corpus, index, embedder, Chunking())
    assert snapshot.current_id(index) == before
    snapshot.open_snapshot(index, embedder)


@pytest.mark.parametrize("name", ["catalogue.sqlite", "vectors/flat.faiss", "keywords/terms.bin", "manifest.json"])
def test_a_flipped_byte_is_found_and_named(index: Path, embedder: WordEmbedder, name: str) -> None:
    """Whatever the file, opening fails with its name and the command that mends it."""
    path = folder_of(index) / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedSnapshot, match=rf"{Path(name).name}.*Run: eunato-rag reindex"):
        snapshot.open_snapshot(index, embedder)


def test_a_missing_file_is_found_and_named(index: Path, embedder: WordEmbedder) -> None:
    """As loud as a changed one."""
    (folder_of(index) / "vectors/flat.faiss").unlink()
    with pytest.raises(DamagedSnapshot, match=r"vectors/flat\.faiss is missing"):
        snapshot.open_snapshot(index, embedder)


def test_reindex_mends_a_damaged_snapshot(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """The corpus gives the same id, and the damaged folder is written anew."""
    (folder_of(index) / "vectors/flat.faiss").write_bytes(b"nothing")
    reindex(corpus, index, embedder, Chunking())
    snapshot.open_snapshot(index, embedder)


def test_an_index_of_another_model_is_refused(index: Path) -> None:
    """The error names both models and the command."""
    with pytest.raises(
        IncompatibleIndex, match=r"built with words \(256 dimensions, vectors \S+\) but settings name words.*Run: eunato-rag reindex"
    ):
        snapshot.open_snapshot(index, WordEmbedder("words-2"))


def test_an_index_of_another_analyser_is_refused(index: Path, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query analysed in another way would find nothing."""
    monkeypatch.setattr(snapshot, "ANALYSER", "words/2")
    with pytest.raises(IncompatibleIndex, match="not words/2"):
        snapshot.open_snapshot(index, embedder)


def test_an_index_that_keeps_tokens_otherwise_is_refused(index: Path, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs of another rotation would be compared with the wrong query."""
    monkeypatch.setattr(snapshot, "SCHEME", "rotated-signs/2")
    with pytest.raises(IncompatibleIndex, match="not rotated-signs/2"):
        Engine.open(index, embedder)


def test_an_index_of_another_format_is_refused(index: Path, embedder: WordEmbedder) -> None:
    """Older and newer formats are told, not guessed at."""
    path = folder_of(index) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(IncompatibleIndex, match="has format 99"):
        snapshot.open_snapshot(index, embedder)


def test_an_empty_index_folder_says_what_to_run(tmp_path: Path, embedder: WordEmbedder) -> None:
    """No index is an error with a command."""
    with pytest.raises(NoIndex, match="Run: eunato-rag reindex"):
        snapshot.open_snapshot(tmp_path, embedder)


def test_two_writers_do_not_mix(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """The second is refused while the first one writes."""
    with snapshot.writing(index), pytest.raises(IndexBusy, match="Wait for it"):
        reindex(corpus, index, embedder, Chunking())


def test_a_failure_while_publishing_leaves_nothing_behind(
    corpus: Path, index: Path, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk at the last rename: CURRENT stays, and no half-built folder is left."""
    before = snapshot.current_id(index)
    (corpus / "orchard.md").write_text("# Orchard\n\nOther words.\n")

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(IndexStoreError, match="No space left"):
        reindex(corpus, index, embedder, Chunking())
    monkeypatch.undo()
    assert snapshot.current_id(index) == before
    assert [p.name for p in (index / "snapshots").iterdir()] == [before]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), None),
        (Filter(document_id="harbour-2020"), {"harbour-2020"}),
        (Filter(publisher="port museum"), {"harbour-2020"}),
        (Filter(language="en"), {"harbour-2020"}),
        (Filter(issued_from="2020", issued_to="2020"), {"harbour-2020"}),
        (Filter(issued_from="2020-06"), set()),
        (Filter(issued_to="2020-05-31"), {"harbour-2020"}),
        (Filter(issued_from="2020-05-20"), {"harbour-2020"}),
        (Filter(publisher="nobody"), set()),
    ],
)
def test_a_filter_leaves_the_documents_it_names(engine: Engine, wanted: Filter, found: set[str] | None) -> None:
    """Dates of less precision count where any day of them would; a document without the field does not match."""
    allowed = engine.snapshot.catalogue.allowed(wanted)
    if found is None:
        assert allowed is None
    else:
        assert allowed is not None
        assert {engine.snapshot.catalogue.passage_at(p).document_id for p in allowed} == found
