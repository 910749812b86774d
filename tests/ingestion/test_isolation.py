"""Files read in processes of their own: whatever a file does, the run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion import isolation
from eunato_rag.ingestion.isolation import Limits, Worker, Workers
from eunato_rag.records import Document

TRAPS = """
import os, signal, sys, time
from pathlib import Path
from multiprocessing.connection import Connection
from eunato_rag.ingestion import isolation
from eunato_rag.records import Document

def read(path):
    if "hang" in path.name: time.sleep(60)
    if "crash" in path.name: os.kill(os.getpid(), signal.SIGSEGV)
    if "grow" in path.name: bytearray(1 << 40)
    return Document(path.stem, path.name, "0", {}, "text")

isolation.read = read
isolation._serve(Connection(int(sys.argv[1])), int(sys.argv[2]))
"""


@pytest.fixture
def traps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers whose reader hangs, crashes or grows when the file's name says so."""
    (tmp_path / "trapped.py").write_text(TRAPS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(isolation, "MODULE", "trapped")


@pytest.mark.usefixtures("traps")
def test_a_file_that_hangs_crashes_or_grows_is_named_and_the_next_is_read() -> None:
    """Each trap has an outcome with its reason, and the files after it are read."""
    names = ["a.pdf", "hang.pdf", "b.pdf", "crash.pdf", "c.pdf", "grow.pdf", "d.pdf"]
    with Workers(Limits(seconds=3, megabytes=1024), 1) as workers:
        outcomes = list(workers.read_all([Path(name) for name in names]))
    assert [o.id for o in outcomes if isinstance(o, Document)] == ["a", "b", "c", "d"]
    reasons = [str(o) for o in outcomes if isinstance(o, UnreadableDocument)]
    assert "hang.pdf took longer than 3 s" in reasons[0]
    assert "crash.pdf cannot be read: the process that read it was ended by SIGSEGV" in reasons[1]
    assert "grow.pdf needs more than 1024 MB" in reasons[2]


def test_text_is_read_in_place_and_errors_are_the_readers_own(tmp_path: Path) -> None:
    """No process is started for plain text; an outcome comes for each file, in order."""
    (tmp_path / "a.txt").write_text("Some words here.")
    (tmp_path / "b.txt").touch()
    (tmp_path / "c.pdf").write_bytes(b"no pdf at all")
    with Workers(Limits(), 2) as workers:
        first, second, third = workers.read_all([tmp_path / name for name in ("a.txt", "b.txt", "c.pdf")])
    assert isinstance(first, Document)
    assert str(second).startswith("b.txt is empty")
    assert "c.pdf" in str(third)


def test_a_worker_can_be_closed_twice() -> None:
    """And one that never started, too."""
    worker = Worker(Limits())
    worker.close()
    worker.close()
