"""Re-indexing: every document is named, a failing one keeps its last good version, a dry run writes nothing, a watch waits for quiet."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from eunato_rag.engine import Engine
from eunato_rag.indexing.snapshot import CACHE, CATALOGUE, SNAPSHOTS, current_id
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.sources import changes, state_of
from eunato_rag.reindex import STALE, Report, reindex
from tests.conftest import HARBOUR, ORCHARD, WordEmbedder


@pytest.fixture
def run(corpus: Path, index: Path, embedder: WordEmbedder) -> Callable[..., Report]:
    def again(**options: bool) -> Report:
        return reindex(corpus, index, embedder, Chunking(), **options)

    return again


def test_every_document_is_named(corpus: Path, run: Callable[..., Report]) -> None:
    """Added, changed, unchanged, removed, failed with the reason."""
    (corpus / "third.txt").write_text("The third document is about lighthouses.", "utf-8")
    assert run().added == ("third.txt",)
    (corpus / "harbour.txt").write_text(HARBOUR.replace("2019", "2018"), "utf-8")
    (corpus / "third.txt").unlink()
    (corpus / "fourth.txt").write_text("The fourth document is about buoys.", "utf-8")
    (corpus / "table.xyz").write_bytes(b"x")
    report = run()
    assert (report.added, report.changed, report.unchanged, report.removed) == (
        ("fourth.txt",),
        ("harbour.txt",),
        ("orchard.md",),
        ("third.txt",),
    )
    assert [failure.source for failure in report.failed] == ["table.xyz"]
    assert report.stale == ()


def test_a_document_that_cannot_be_read_any_more_keeps_its_last_good_version(
    corpus: Path, index: Path, embedder: WordEmbedder, run: Callable[..., Report]
) -> None:
    """It is still found, and marked with the reason; mended, it is as it was; removed, it goes."""
    (corpus / "orchard.md").write_bytes(b"\x00\x01\x02")
    for _ in range(2):
        report = run()
        assert (report.stale, report.unchanged, report.removed) == (("orchard.md",), ("harbour.txt",), ())
        engine = Engine.open(index, embedder)
        document = next(engine.document(i) for i in engine.documents() if i.startswith("orchard"))
        (mark,) = [change for change in document.report if change.kind == STALE]
        assert "last version that could be read is kept" in mark.detail
        assert engine.quote("Apples from the old orchard keep until March").status == "exact"
    (corpus / "orchard.md").write_text(ORCHARD, "utf-8")
    assert (run().stale, run().unchanged) == ((), ("harbour.txt", "orchard.md"))
    (corpus / "orchard.md").unlink()
    assert run().removed == ("orchard.md",)
    assert Engine.open(index, embedder).quote("Apples from the old orchard keep until March").status == "absent"


def test_no_words_of_a_damaged_snapshot_go_into_the_next(
    corpus: Path, index: Path, embedder: WordEmbedder, run: Callable[..., Report]
) -> None:
    """A file that cannot be read is failed then, and not kept as its last version: that may not be what was read."""
    catalogue = index / SNAPSHOTS / current_id(index) / CATALOGUE
    data = catalogue.read_bytes()
    assert data.count(b"Apples from the old orchard") == 1
    catalogue.write_bytes(data.replace(b"Apples from the old orchard", b"Apples from the new orchard"))
    (corpus / "orchard.md").write_bytes(b"\x00\x01\x02")
    report = run()
    assert (report.stale, [failure.source for failure in report.failed]) == ((), ["orchard.md"])
    assert Engine.open(index, embedder).quote("Apples from the new orchard").status == "absent"


def test_a_cached_vector_that_changed_is_embedded_again(
    corpus: Path, index: Path, embedder: WordEmbedder, run: Callable[..., Report]
) -> None:
    """A bit of it, or of the tokens with it, once it goes into a snapshot; the next run embeds nothing again."""
    for column in ("vector", "tokens"):
        with closing(sqlite3.connect(index / CACHE)) as db, db:
            text, blob = db.execute(f"SELECT text, {column} FROM encoded").fetchone()
            blob = bytes([*blob[:40], blob[40] ^ 1, *blob[41:]])
            db.execute(f"UPDATE encoded SET {column} = ? WHERE text = ?", (blob, text))
        (corpus / f"{column}.txt").write_text(f"Another document, about a {column}.", "utf-8")
        assert (run().embedded, run().embedded) == (2, 0)


def test_a_dry_run_says_what_would_happen_and_writes_nothing(
    corpus: Path, index: Path, embedder: WordEmbedder, run: Callable[..., Report]
) -> None:
    """What it announces is what then happens."""
    before, embedded = current_id(index), len(embedder.embedded)
    (corpus / "harbour.txt").write_text(HARBOUR.replace("2019", "2018"), "utf-8")
    (corpus / "orchard.md").unlink()
    planned = run(dry_run=True)
    assert (planned.snapshot, current_id(index), len(embedder.embedded)) == (None, before, embedded)
    done = run()
    for field in ("documents", "passages", "embedded", "reused", "added", "changed", "unchanged", "removed"):
        assert getattr(planned, field) == getattr(done, field), field
    assert run(dry_run=True, full=True).embedded == done.passages


def test_a_watch_tells_of_a_change_once_it_is_quiet(corpus: Path) -> None:
    """A file that is still being written is waited for; hidden files do not count."""
    told: list[float] = []
    watching = changes(corpus, state_of(corpus), quiet=0.3, every=0.02)

    def watch() -> None:
        next(watching)
        told.append(time.monotonic())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    (corpus / ".part").write_text("x", "utf-8")
    time.sleep(0.5)
    assert told == []
    last = 0.0
    for n in range(4):
        (corpus / "growing.txt").write_text("words " * (n + 1), "utf-8")
        last = time.monotonic()
        time.sleep(0.1)
    thread.join(10)
    assert told
    assert told[0] - last >= 0.3


def test_what_was_seen_before_the_watch_began_is_compared_with(corpus: Path) -> None:
    """A change in between is not missed, be it one of time alone."""
    seen = state_of(corpus)
    os.utime(corpus / "harbour.txt", ns=(1, 1))
    next(changes(corpus, seen, quiet=0.0, every=0.01))
