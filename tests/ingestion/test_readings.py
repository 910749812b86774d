"""What was read is not read again; whatever it depends on makes another reading."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from eunato_rag.errors import IndexStoreError
from eunato_rag.indexing.snapshot import READINGS, current_id, sources_of
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.preparing import prepared
from eunato_rag.ingestion.readers import read
from eunato_rag.ingestion.readings import Readings
from eunato_rag.ingestion.sources import Manifest
from eunato_rag.records import Work
from eunato_rag.reindex import reindex
from tests.conftest import HARBOUR, WordEmbedder

HARBOUR_WORK = Work(id="harbour", csl={"id": "harbour", "title": "The Harbour"}, file="harbour.txt")


@pytest.fixture
def path(corpus: Path) -> Path:
    return corpus / "harbour.txt"


@pytest.fixture
def opened(tmp_path: Path, embedder: WordEmbedder) -> Callable[..., Readings]:
    def again(manifest: Manifest = Manifest(), chunking: Chunking = Chunking(), model: WordEmbedder = embedder) -> Readings:
        return Readings(tmp_path / "readings.sqlite", manifest, chunking, model)

    return again


def test_a_reading_comes_back_equal(path: Path, opened: Callable[..., Readings], embedder: WordEmbedder) -> None:
    """Document, passages, and all that is written of them."""
    made = prepared(read(path), "harbour.txt", Manifest(), Chunking(), embedder)
    with closing(opened()) as readings:
        assert readings.cut("harbour.txt", path, made.read.sha256) is None
        readings.keep("harbour.txt", path, made)
    with closing(opened()) as readings:
        assert readings.cut("harbour.txt", path, made.entry.sha256) == made.entry
        assert readings.read(path, made.entry.sha256) == made.read
    assert made.read.document() == read(path)
    assert made.entry.document().id == made.entry.id


def test_what_a_cut_depends_on_makes_it_another(path: Path, opened: Callable[..., Readings], embedder: WordEmbedder) -> None:
    """The manifest, the size of passages, the model and where the file lies; what was read stays as it was."""
    made = prepared(read(path), "harbour.txt", Manifest(), Chunking(), embedder)
    sha256 = made.read.sha256
    with closing(opened()) as readings:
        readings.keep("harbour.txt", path, made)
        assert readings.cut("below/harbour.txt", path, sha256) is None
        assert readings.cut("harbour.txt", path, "0" * 64) is None
    others = ({"manifest": Manifest((HARBOUR_WORK,))}, {"chunking": Chunking(target=64)}, {"model": WordEmbedder("words-2")})
    for other in others:
        with closing(opened(**other)) as readings:
            assert readings.cut("harbour.txt", path, sha256) is None
            assert readings.read(path, sha256) == made.read


def test_a_damaged_reading_is_none(tmp_path: Path, path: Path, opened: Callable[..., Readings], embedder: WordEmbedder) -> None:
    """Then the file is read again; a file that is no database is an error that says what to do."""
    made = prepared(read(path), "harbour.txt", Manifest(), Chunking(), embedder)
    with closing(opened()) as readings:
        readings.keep("harbour.txt", path, made)
    with closing(sqlite3.connect(tmp_path / "readings.sqlite")) as db, db:
        for key, value in db.execute("SELECT key, value FROM readings").fetchall():
            half = len(value) // 2
            db.execute("UPDATE readings SET value = ? WHERE key = ?", (value[:half] + bytes([value[half] ^ 1]) + value[half + 1 :], key))
    with closing(opened()) as readings:
        assert readings.cut("harbour.txt", path, made.read.sha256) is None
        assert readings.read(path, made.read.sha256) is None
    (tmp_path / "readings.sqlite").write_bytes(b"nothing at all" * 100)
    with pytest.raises(IndexStoreError, match="Delete it"):
        opened()


def test_a_run_reads_only_what_changed_and_forgets_what_is_gone(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """Two rows for each file, as it was read and as it was cut; another manifest cuts again and reads nothing."""

    def keys() -> set[bytes]:
        with closing(sqlite3.connect(index / READINGS)) as db:
            return {key for (key,) in db.execute("SELECT key FROM readings")}

    first = keys()
    assert len(first) == 4
    (corpus / "harbour.txt").write_text(HARBOUR.replace("2019", "2018"), "utf-8")
    reindex(corpus, index, embedder, Chunking())
    second = keys()
    assert (len(second), len(first & second)) == (4, 2)
    (corpus / "sources.toml").write_text('[[work]]\nid = "harbour"\nfile = "harbour.txt"\n[work.csl]\ntitle = "The Harbour"\n', "utf-8")
    assert reindex(corpus, index, embedder, Chunking()).documents == 2
    third = keys()
    assert (len(third), len(second & third)) == (4, 2)
    (corpus / "orchard.md").unlink()
    reindex(corpus, index, embedder, Chunking())
    assert len(keys()) == 2


def test_a_second_file_of_one_work_keeps_an_id_of_its_own_when_nothing_is_read(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """The work's id is the first file's, whether either comes from the cache or not; it goes over where that is gone."""
    title = "The Long History of the Harbour at Lindholm"
    (corpus / "sources.toml").write_text(f'[[work]]\nid = "history"\n[work.csl]\ntitle = "{title}"\n', "utf-8")
    for name, told in (("one.md", "It begins with boats."), ("two.md", "It ends with cranes, and with a ferry.")):
        (corpus / name).write_text(f"# {title}\n\n{told}\n", "utf-8")
    for _ in range(2):
        report = reindex(corpus, index, embedder, Chunking())
        assert report.documents == 4
        assert ids(index)["one.md"] == "history"
        assert ids(index)["two.md"].startswith("two-")
    (corpus / "one.md").unlink()
    reindex(corpus, index, embedder, Chunking())
    assert ids(index)["two.md"] == "history"


def ids(index: Path) -> dict[str, str]:
    return {name: source.document_id for name, source in sources_of(index, current_id(index)).items()}
