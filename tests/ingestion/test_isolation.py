"""Files read in processes of their own: whatever a file does, the run goes on."""

from __future__ import annotations

import os
import pickle
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

HIJACKED = """
import sys
from multiprocessing.connection import Connection
from pathlib import Path

pipe = Connection(int(sys.argv[1]))
while True:
    pipe.send_bytes(Path(pipe.recv_bytes().decode()).read_bytes())
"""
"""A worker that a file took hold of: it answers with the bytes of the file."""


class Pickled:
    """Makes a folder when it is read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


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


def test_what_a_hijacked_worker_sends_is_refused_and_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pickle, other JSON, a record with a field of another type, more than a worker may hold: the file is named, the next is read."""
    (tmp_path / "hijacked.py").write_text(HIJACKED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(isolation, "MODULE", "hijacked")
    sound = isolation._dumped(Document("a", "a.pdf", "0", {}, "text"))
    answers = {
        "pickle.pdf": pickle.dumps(Pickled(tmp_path / "made by a pickle")),
        "nothing.pdf": b"",
        "list.pdf": b"[1, 2]",
        "other.pdf": b'{"id": "a"}',
        "typed.pdf": sound.replace(b'"text": "text"', b'"text": ["text"]'),
        "range.pdf": sound.replace(b'"sentences": []', b'"sentences": [["0", "4"]]'),
        "half.pdf": sound.replace(b'"text": "text"', b'"text": "\\ud83d"'),
        "deep.pdf": sound.replace(b'"work": {}', b'"work": ' + b'{"a":' * 9999 + b"1" + b"}" * 9999),
        "much.pdf": b" " * (2 << 20),
    }
    for name, answer in {**answers, "sound.pdf": sound}.items():
        (tmp_path / name).write_bytes(answer)
    with Workers(Limits(seconds=30, megabytes=1), 1) as workers:
        *outcomes, last = workers.read_all([tmp_path / name for name in [*answers, "sound.pdf"]])
    assert [str(outcome).partition(":")[0] for outcome in outcomes] == [f"{name} cannot be read" for name in answers]
    assert not (tmp_path / "made by a pickle").exists()
    assert last == Document("a", "a.pdf", "0", {}, "text")


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


def test_a_larger_file_may_take_as_much_longer() -> None:
    """A limit that fits a paper would refuse a volume of laws."""
    limits = Limits(seconds=120)
    assert [limits.seconds_for(size) for size in (0, 2 << 20, 8 << 20, 300 << 20)] == [120, 120, 480, 1920]


@pytest.mark.usefixtures("traps")
def test_a_long_text_is_read_apart_and_within_the_limits(tmp_path: Path) -> None:
    """So that its reading can be ended; and the time it may take is told where it was not enough."""
    for name in ("long.txt", "hang.txt"):
        (tmp_path / name).write_bytes(b"Some words here.\n" * 70_000)
    with Workers(Limits(seconds=3), 1) as workers:
        long, hanging = workers.read_all([tmp_path / "long.txt", tmp_path / "hang.txt"])
    assert isinstance(long, Document)
    assert long.text == "text"  # as the trap's reader has it, not ours
    assert "hang.txt took longer than 3 s" in str(hanging)
