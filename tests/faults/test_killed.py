"""kill -9 in the middle of re-indexing, while others ask: a whole snapshot answers, and the next run completes."""

from __future__ import annotations

import os
import random
import re
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from eunato_rag.indexing.snapshot import SNAPSHOTS
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex
from eunato_rag.serving.http.served import Served
from tests.conftest import HARBOUR, ROOT, WordEmbedder

MOMENTS = int(os.environ.get("FAULT_MOMENTS", "5"))
"""How many runs are killed; `make faults` kills fifty."""


class Asking:
    """Asks in a thread of its own, as long as it is open, and keeps what was wrong."""

    def __init__(self, served: Served) -> None:
        self.wrong: list[str] = []
        self.answers = 0
        self._served, self._stop = served, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                engine = self._served.engine()
                answer = engine.ask("When was the harbour at Lindholm dredged?")
                (citation,) = answer.citations[:1]
                text = engine.document(citation.passage.document_id).text
                whole = text[citation.locator.start : citation.locator.end] == citation.quote
                if not (whole and re.search(r"dredged in 2\d{3}", answer.text)):
                    self.wrong.append(answer.text)
            except Exception as error:  # noqa: BLE001 - whatever it is, a person would have seen it
                self.wrong.append(repr(error))
            self.answers += 1


def begin(corpus: Path, index: Path) -> subprocess.Popen[str]:
    """A builder that has imported all it needs and now sets to work."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.builder", str(corpus), str(index)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_run_killed_at_any_moment_fails_nobody(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """Not one failed or wrong answer; what was left half done is cleared away; the last run is whole."""
    chance = random.Random(11)
    (corpus / "harbour.txt").write_text(HARBOUR.replace("2019", "2119"), "utf-8")
    process = begin(corpus, index)
    began = time.perf_counter()
    process.communicate()
    lasts = time.perf_counter() - began
    served = Served(index, embedder)
    killed = 0
    with Asking(served) as asking:
        for n in range(MOMENTS):
            (corpus / "harbour.txt").write_text(HARBOUR.replace("2019", str(2020 + n)), "utf-8")
            process = begin(corpus, index)
            time.sleep(chance.uniform(0, lasts))
            killed += process.poll() is None
            end(process)
        report = reindex(corpus, index, embedder, Chunking())
        deadline = time.monotonic() + 10
        while served.engine().snapshot.id != report.snapshot:
            assert time.monotonic() < deadline
    assert (asking.wrong, report.failed) == ([], ())
    assert asking.answers > MOMENTS
    assert killed > 0
    assert str(2019 + MOMENTS) in served.engine().ask("When was the harbour at Lindholm dredged?").text
    assert [path for path in index.rglob(".*") if path.name.startswith((".building", ".CURRENT"))] == []
    assert all((path / "manifest.json").is_file() for path in (index / SNAPSHOTS).iterdir())


def test_a_killed_run_goes_on_from_the_vectors_that_it_had(corpus: Path, index: Path) -> None:
    """What was embedded before the kill is not embedded again."""
    words = "\n\n".join(f"Paragraph {n} speaks of buoy number {n} in the bay of Torp." * 8 for n in range(600))
    (corpus / "long.txt").write_text(words, "utf-8")
    cache = index / "cache" / "vectors.sqlite"
    before = count(cache)
    process = begin(corpus, index)
    deadline = time.monotonic() + 60
    while count(cache) == before:
        assert process.poll() is None
        assert time.monotonic() < deadline
    end(process)
    kept = count(cache) - before
    report = reindex(corpus, index, WordEmbedder(), Chunking())
    assert 0 < kept < report.passages
    assert report.reused >= kept
    assert report.embedded + report.reused == report.passages


def count(cache: Path) -> int:
    with closing(sqlite3.connect(f"file:{cache}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT COUNT(*) FROM encoded").fetchone()[0])
