"""Very many documents, and very long ones: the work grows with them, and not with their square; memory stays within bounds.

A test run takes a hundred and twenty documents and somewhat less than a megabyte; `make faults` ten thousand and fifty.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest

from eunato_rag.engine import TEXT_AT_ONCE, Engine
from eunato_rag.errors import InvalidText, UnreadableDocument
from eunato_rag.indexing.entries import Entry
from eunato_rag.indexing.snapshot import Snapshot
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.duplicates import find_duplicates, sample
from eunato_rag.ingestion.isolation import Limits, Worker
from eunato_rag.ingestion.readers.html import MAX_BYTES as MAX_HTML
from eunato_rag.records import Block, Document, Footnote
from eunato_rag.reindex import reindex
from eunato_rag.serving.console import print_report
from eunato_rag.serving.http.app import create_app
from tests.conftest import ROOT, running
from tests.faults import prose
from tests.faults.quick import QuickEmbedder

DOCUMENTS = int(os.environ.get("FAULT_DOCUMENTS", "120"))
BYTES = int(float(os.environ.get("FAULT_MEGABYTES", "0.8")) * 10**6)
PAGES = BYTES // 10_000 if BYTES > 5 * 10**6 else 20


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Time of this process's own. What took the square of it would take ten times as long and more."""
    began = time.process_time()
    yield
    assert time.process_time() - began < seconds


def test_very_many_documents_are_indexed_listed_and_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of them; what is printed stays readable; again, nothing is embedded; after a change, what changed."""
    corpus, index, embedder = tmp_path / "corpus", tmp_path / "index", QuickEmbedder()
    prose.write_notices(corpus, DOCUMENTS)
    report = reindex(corpus, index, embedder, Chunking())
    assert (report.documents, report.failed, report.duplicates) == (DOCUMENTS, (), ())
    print_report(report)
    assert len(capsys.readouterr().err.splitlines()) < 100
    again = reindex(corpus, index, embedder, Chunking())
    assert (again.snapshot, again.embedded, len(again.unchanged)) == (report.snapshot, 0, DOCUMENTS)
    changed = corpus / "000" / "notice-00007.txt"
    changed.write_text(changed.read_text("utf-8").replace("was laid in 1907", "was laid in 2007"), "utf-8")
    third = reindex(corpus, index, embedder, Chunking())
    assert (third.changed, third.embedded, third.documents) == (("000/notice-00007.txt",), 1, DOCUMENTS)
    engine = Engine.open(index, embedder)
    last = DOCUMENTS - 1
    found = engine.quote(f"The buoy off {prose.name(last)} was laid in {1900 + last % 120}.")
    assert (found.status, len(found.matches)) == ("exact", 1)
    listed: list[str] = []
    with running(create_app(index, embedder)) as address, httpx2.Client(base_url=address) as client:
        cursor: str | None = ""
        while cursor is not None:
            page = client.get("/v1/documents", params={"limit": 200, **({"cursor": cursor} if cursor else {})}).json()
            listed += [document["id"] for document in page["documents"]]
            cursor = page["next_cursor"]
    assert listed == list(engine.documents())


def test_what_thousands_of_documents_share_costs_nothing() -> None:
    """The same paragraph in each makes them no duplicates; the one that is a duplicate is found among them."""

    def entry(source: str, text: str) -> Entry:
        return Entry.of(Document(source, source, "", {}, text), runs=sample(text))

    with at_most(12):
        entries = [entry(f"d{n:04d}", prose.notice(n)) for n in range(3000)]
        twin = entry("twin", prose.notice(1234).replace("Notice 1234", "Notice"))
        assert find_duplicates([*entries, twin], lambda one: one.source) == {"twin": "d1234"}


def test_places_are_found_as_fast_at_the_end_of_a_long_document() -> None:
    """Without one heading, with as many notes; page, paragraph, note and sentence of each place."""
    count = 20_000
    blocks = [Block("paragraph", 4 * n, 4 * n + 3) for n in range(count)]
    notes = [Block("note", 4 * (count + n), 4 * (count + n) + 3) for n in range(count)]
    document = Document(
        "long",
        "long",
        "",
        {},
        "abc\n" * 2 * count,
        (*blocks, *notes),
        footnotes=tuple(Footnote(n + 1, (4 * n + 3,), note.start, note.end) for n, note in enumerate(notes)),
        sentences=tuple((block.start, block.end) for block in (*blocks, *notes)),
    )
    with at_most(10):
        for n in range(count):
            assert document.locate(4 * n, 4 * n + 3).paragraph == n + 1
            assert document.locate(4 * (count + n), 4 * (count + n) + 3).paragraph == n + 1
            (note,) = document.footnotes_in(4 * n, 4 * n + 3)
            assert (note.number, document.sentence_at(note.anchors[0])) == (n + 1, (4 * n, 4 * n + 3))


@pytest.fixture(scope="module")
def long_text(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A corpus of one very long text, and its index."""
    folder = tmp_path_factory.mktemp("long")
    (folder / "corpus").mkdir()
    prose.write_text(folder / "corpus" / "harbours.txt", BYTES)
    report = reindex(folder / "corpus", folder / "index", QuickEmbedder(), Chunking())
    assert (report.documents, report.failed) == (1, ())
    return folder / "corpus", folder / "index"


def test_a_very_long_text_is_quoted_and_cited_to_its_last_section(long_text: tuple[Path, Path]) -> None:
    """The place, the section and the note; numbers of notes that begin anew lead to their own."""
    engine = Engine.open(long_text[1], QuickEmbedder())
    document = engine.document(engine.documents()[0])
    assert len(document.text) > 0.98 * BYTES
    *_, (title, paragraphs, note) = prose.sections(BYTES)
    (match,) = engine.quote(paragraphs[0]).matches
    assert (match.status, match.quote) == ("exact", paragraphs[0])
    assert match.locator.headings[-1] == title
    (cited,) = document.footnotes_in(match.locator.start, match.locator.end)
    assert document.text[cited.start : cited.end] == note
    assert len(cited.anchors) == 1


def test_a_very_long_text_is_given_in_ranges(long_text: tuple[Path, Path]) -> None:
    """Over HTTP; all at once only as far as one answer goes, and then it is said what to do."""
    engine = Engine.open(long_text[1], QuickEmbedder())
    (identity,) = engine.documents()
    whole = engine.document(identity).text
    with running(create_app(long_text[1], QuickEmbedder())) as address, httpx2.Client(base_url=address, timeout=60) as client:

        def get(what: str, **query: int) -> Any:
            return client.get(f"/v1/documents/{identity}{what}", params=query).json()

        all_of_it = client.get(f"/v1/documents/{identity}/text")
        if len(whole) > TEXT_AT_ONCE:
            assert (all_of_it.status_code, "Read it in ranges" in all_of_it.json()["detail"]) == (422, True)
        else:
            assert all_of_it.json()["text"] == whole
        step = min(TEXT_AT_ONCE, len(whole) // 3)
        parts = (get("/text", start=start, end=min(len(whole), start + step))["text"] for start in range(0, len(whole), step))
        assert "".join(parts) == whole
        start, end = len(whole) // 2, len(whole) // 2 + 5000
        blocks = get("", start=start, end=end)["blocks"]
        assert blocks[0]["start"] <= start < end <= blocks[-1]["end"] + 2
        assert 2 < len(blocks) < 40
        notes = get("/footnotes", start=start, end=end)["footnotes"]
        assert {any(start < anchor["offset"] <= end for anchor in note["anchors"]) for note in notes} == {True}


class Holding:
    """In the place of a snapshot, and of its catalogue: one document of as many letters."""

    def __init__(self, length: int) -> None:
        self.catalogue, self._document = self, Document("oaks", "oaks.txt", "", {}, "o" * length)

    def document(self, identity: str) -> Document:
        return self._document


def test_no_range_is_longer_than_one_answer_goes() -> None:
    """Whatever the document: no door holds fifty megabytes for each caller."""
    engine = Engine(cast(Snapshot, Holding(TEXT_AT_ONCE + 1)), QuickEmbedder())
    with pytest.raises(InvalidText, match="Read it in ranges"):
        engine.text("oaks")
    assert len(engine.text("oaks", 1)) == len(engine.text("oaks", 0, TEXT_AT_ONCE)) == TEXT_AT_ONCE


@pytest.mark.parametrize("kind", ["html", "pdf"])
def test_very_long_pages_and_pdfs_are_read_within_the_limits(tmp_path: Path, kind: str) -> None:
    """Of time and memory, as they are where nobody set others."""
    path = tmp_path / f"harbours.{kind}"
    if kind == "html":
        prose.write_html(path, min(BYTES, MAX_HTML - 2**21))
    else:
        prose.write_pdf(path, PAGES)
    worker = Worker(Limits())
    try:
        document = worker.read(path)
    finally:
        worker.close()
    assert len(document.pages) == (PAGES if kind == "pdf" else 0)
    assert len(document.text) > (0.9 * min(path.stat().st_size, MAX_HTML) if kind == "html" else 1000 * PAGES)


def test_a_page_beyond_what_is_read_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """At once, unread."""
    path = tmp_path / "huge.html"
    with path.open("wb") as file:
        file.truncate(MAX_HTML + 1)
    worker = Worker(Limits())
    with pytest.raises(UnreadableDocument, match=r"at most 33,554,432 are read\. Save its parts as pages"):
        worker.read(path)
    worker.close()


def test_an_upload_of_fifty_megabytes_is_never_held_whole(long_text: tuple[Path, Path], tmp_path: Path) -> None:
    """The server's memory grows by far less than the file."""
    size = 50 * 2**20
    path = tmp_path / "large.txt"
    path.write_bytes(b"The buoy off Lindholm was laid in 1907.\n" * (size // 40))
    command = [sys.executable, "-m", "tests.faults.server", *map(str, long_text)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        with httpx2.Client(base_url=server.stdout.readline().strip(), timeout=120) as client:
            client.post("/v1/documents", files={"file": ("small.txt", b"A small file.")}).raise_for_status()
            before = peak(server.pid)
            with path.open("rb") as file:
                answer = client.post("/v1/documents", files={"file": ("large.txt", file)})
            assert (answer.status_code, answer.json()["state"]) == (202, "queued")
            assert peak(server.pid) - before < 20 * 2**20
        server.communicate()
    assert server.returncode == 0


def peak(pid: int) -> int:
    """The most memory that a process had at once, in bytes."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("what a process takes is told by Linux alone")
    return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
