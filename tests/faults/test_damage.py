"""Damage to what lies on disk, and a corpus that is not as it should be: told, survived, mended by the next run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from eunato_rag.engine import Engine
from eunato_rag.errors import DamagedSnapshot, EmptyCorpus, EunatoRagError, IncompatibleIndex, IndexStoreError
from eunato_rag.indexing import snapshot
from eunato_rag.indexing.snapshot import SNAPSHOTS, current_id, open_snapshot
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex
from tests.conftest import HARBOUR, WordEmbedder

QUESTION = "When was the harbour at Lindholm dredged?"


def test_a_flipped_byte_or_a_cut_in_any_file_is_found(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """Every file of the snapshot: begin, middle and end flipped, half of it gone, all of it gone. Then it is mended."""
    folder = index / SNAPSHOTS / current_id(index)
    whole = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert len(whole) > 8
    for path, data in whole.items():
        hurt = [data[: len(data) // 2], b""] if data else [b"x"]
        for place in {0, len(data) // 2, max(0, len(data) - 1)} if data else ():
            hurt.append(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
        for bad in hurt:
            path.write_bytes(bad)
            with pytest.raises((DamagedSnapshot, IncompatibleIndex), match="Run: eunato-rag reindex"):
                open_snapshot(index, embedder).close()
        path.unlink()
        with pytest.raises(DamagedSnapshot, match="Run: eunato-rag reindex"):
            open_snapshot(index, embedder).close()
        path.write_bytes(data)
    next(iter(whole)).unlink()
    reindex(corpus, index, embedder, Chunking())
    assert "2019" in Engine.open(index, embedder).ask(QUESTION).text


def test_files_with_hostile_names_are_indexed_or_refused_each_for_itself(
    corpus: Path, index: Path, embedder: WordEmbedder, tmp_path: Path
) -> None:
    """Newline, 255 bytes, quotes, dots, no Unicode; links out of the folder, in circles, into nothing."""
    (tmp_path / "secret.txt").write_text("The secret harbour lies at Karn.", "utf-8")
    good = ["new\nline.txt", "x" * 251 + ".txt", 'it\'s "quoted" & <b>.txt', "..dots..txt", "žluťoučký.txt", "-rf.txt", "a b\t.txt"]
    for n, name in enumerate(good):
        (corpus / name).write_text(f"Note number {n} speaks of lighthouse number {n} only.", "utf-8")
    with open(os.fsencode(corpus) + b"/bad\xff\xfe.txt", "w") as file:
        file.write("Whose name is no Unicode.")
    (corpus / "out.txt").symlink_to(tmp_path / "secret.txt")
    (corpus / "outside").symlink_to(tmp_path)
    (corpus / "circle").symlink_to(corpus)
    (corpus / "self.txt").symlink_to(corpus / "self.txt")
    (corpus / "nowhere.txt").symlink_to(corpus / "absent.txt")
    os.mkfifo(corpus / "pipe.txt")
    report = reindex(corpus, index, embedder, Chunking())
    assert {*report.added} == {name for name in good if not name.startswith(".")}
    failed = {failure.source: failure.error for failure in report.failed}
    assert set(failed) == {"bad??.txt", "out.txt"}
    assert "link to a file outside" in failed["out.txt"]
    assert "not valid UTF-8" in failed["bad??.txt"]
    engine = Engine.open(index, embedder)
    assert engine.quote("The secret harbour lies at Karn.").status == "absent"
    assert engine.quote("lighthouse number 1 only").status == "exact"


def test_a_corpus_that_vanishes_during_the_run_changes_nothing_that_is_served(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """Gone between listing and reading: every document keeps its last good version, or nothing is built."""
    before = current_id(index)

    def vanish(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("read", 0):
            shutil.rmtree(corpus)

    with pytest.raises(EunatoRagError):
        reindex(corpus, index, embedder, Chunking(), progress=vanish)
    assert current_id(index) == before
    assert "2019" in Engine.open(index, embedder).ask(QUESTION).text


def test_files_that_change_during_the_run_are_indexed_as_one_or_the_other(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """Whole in either case; the next run has the later one."""

    def change(stage: str, done: int, total: int) -> None:
        (corpus / "harbour.txt").write_text(HARBOUR.replace("2019", "2018"), "utf-8")

    reindex(corpus, index, embedder, Chunking(), progress=change)
    assert any(year in Engine.open(index, embedder).ask(QUESTION).text for year in ("2018", "2019"))
    reindex(corpus, index, embedder, Chunking())
    assert "2018" in Engine.open(index, embedder).ask(QUESTION).text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_keeps_its_last_good_version(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """As any other that cannot be read."""
    (corpus / "harbour.txt").chmod(0)
    report = reindex(corpus, index, embedder, Chunking())
    assert report.stale == ("harbour.txt",)


def test_an_empty_corpus_is_an_error_and_the_index_stays(corpus: Path, index: Path, embedder: WordEmbedder) -> None:
    """Somebody emptied the folder by mistake: what is served stays."""
    before = current_id(index)
    for path in corpus.iterdir():
        path.unlink()
    with pytest.raises(EmptyCorpus):
        reindex(corpus, index, embedder, Chunking())
    assert current_id(index) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with a megabyte and a half."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1536k", "tmpfs", str(place)], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("room", [0, 30_000, 120_000, 250_000, 400_000])
def test_a_full_disk_leaves_what_is_served(corpus: Path, embedder: WordEmbedder, small_disk: Path, room: int) -> None:
    """While caching, building or swapping: an error, the old snapshot answers; with room again, the next run is whole."""
    index = small_disk / "index"
    before = reindex(corpus, index, embedder, Chunking()).snapshot
    text = "\n\n".join(f"Paragraph {n} speaks of buoy number {n} in the bay of Torp." for n in range(3000))
    (corpus / "long.txt").write_text(text, "utf-8")
    filler = small_disk / "filler"
    free = shutil.disk_usage(small_disk).free
    filler.write_bytes(b"x" * max(0, free - room))
    with pytest.raises(IndexStoreError, match=r"No space left|full|cannot be used"):
        reindex(corpus, index, embedder, Chunking())
    assert current_id(index) == before
    opened = Engine.open(index, embedder)
    assert "2019" in opened.ask(QUESTION).text
    filler.unlink()
    (corpus / "long.txt").write_text(text[:20_000], "utf-8")
    assert reindex(corpus, index, embedder, Chunking()).snapshot == current_id(index) != before


class Disk:
    """What would be left after the power went: of each file what was flushed, in each folder the names that were.

    It stands in for the calls of `os` that the write path makes.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.flushed: dict[Path, bytes] = {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        self.states: list[dict[Path, bytes]] = []
        self._contents: dict[int, bytes] = {}
        fsync, replace = os.fsync, os.replace

        def flush(handle: int) -> None:
            fsync(handle)
            path = Path(os.readlink(f"/proc/self/fd/{handle}"))
            if path.is_file():
                self._contents[path.stat().st_ino] = path.read_bytes()
            elif path.is_dir() and path.is_relative_to(root):
                self._names(path)
            self.states.append(dict(self.flushed))

        def rename(source: object, target: object, **more: object) -> None:
            self.states.append(dict(self.flushed))
            replace(source, target, **more)  # type: ignore[call-overload]
            self.states.append(dict(self.flushed))

        monkeypatch.setattr(os, "fsync", flush)
        monkeypatch.setattr(os, "replace", rename)

    def _names(self, folder: Path) -> None:
        """A flushed folder keeps its names; a file of which nothing was flushed is empty under its name."""
        relative = folder.relative_to(self.root)
        self.flushed = {path: data for path, data in self.flushed.items() if path.parent != relative and relative not in path.parents}
        for path in folder.rglob("*"):
            if path.is_file():
                self.flushed[path.relative_to(self.root)] = self._contents.get(path.stat().st_ino, b"")

    def after_power_loss(self, state: dict[Path, bytes], place: Path) -> Path:
        for path, data in state.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(data)
        return place


def test_power_loss_at_any_moment_leaves_a_whole_snapshot(
    corpus: Path, index: Path, embedder: WordEmbedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old or the new one, after every flush and before and after every rename; what was not flushed is lost."""
    before = current_id(index)
    old_files = {p: p.read_bytes() for p in (index / SNAPSHOTS / before).rglob("*") if p.is_file()}
    disk = Disk(index, monkeypatch)
    (corpus / "harbour.txt").write_text(HARBOUR.replace("2019", "2018"), "utf-8")
    after = reindex(corpus, index, embedder, Chunking()).snapshot
    disk.states.append(dict(disk.flushed))
    monkeypatch.undo()
    served = []
    for n, state in enumerate(disk.states):
        state = {path: data for path, data in state.items() if path.parts[0] in (snapshot.CURRENT, SNAPSHOTS)}
        state |= {p.relative_to(index): data for p, data in old_files.items()}  # flushed when it was built
        place = disk.after_power_loss(state, tmp_path / f"disk-{n}")
        opened = open_snapshot(place, embedder)
        served.append(opened.id)
        opened.close()
        shutil.rmtree(place)
    assert set(served) == {before, after}
    assert served == sorted(served, key=[before, after].index)
