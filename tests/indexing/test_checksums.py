"""Checksums: a small folder is read each time, a large one when somebody touched it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from eunato_rag.errors import DamagedSnapshot
from eunato_rag.indexing import checksums


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    (made / "below").mkdir(parents=True)
    (made / "a").write_bytes(b"first")
    (made / "below" / "b").write_bytes(b"second")
    return made


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checksums, "SMALL", 8)


def changed_unseen(path: Path, data: bytes) -> None:
    """As a failing disk would: size and times stay."""
    status = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_small_folder_is_read_each_time(folder: Path, tmp_path: Path) -> None:
    """Nothing is remembered of it, and nothing can hide."""
    files = checksums.digests(folder)
    assert set(files) == {"a", "below/b"}
    checksums.compare_once(folder, files, tmp_path / "seen" / "it")
    assert not (tmp_path / "seen").exists()
    changed_unseen(folder / "below" / "b", b"sEcond")
    with pytest.raises(DamagedSnapshot, match="below/b is not as it was written"):
        checksums.compare_once(folder, files, tmp_path / "seen" / "it")


@pytest.mark.usefixtures("large")
def test_a_large_folder_is_read_once_until_it_is_touched(folder: Path, tmp_path: Path) -> None:
    """What was remembered says nothing of other files, nor of other digests; to read all of it tells what the disk changed."""
    files, seen = checksums.digests(folder), tmp_path / "seen" / "it"
    checksums.compare_once(folder, files, seen)
    assert seen.exists()
    changed_unseen(folder / "a", b"fIrst")
    checksums.compare_once(folder, files, seen)
    with pytest.raises(DamagedSnapshot, match="checksum"):
        checksums.compare(folder, files)
    with pytest.raises(DamagedSnapshot, match="checksum"):
        checksums.compare_once(folder, {**files, "below/b": "0" * 64}, seen)
    os.utime(folder / "a", ns=(1, 1))
    with pytest.raises(DamagedSnapshot, match="a is not as it was written"):
        checksums.compare_once(folder, files, seen)
    (folder / "a").unlink()
    with pytest.raises(DamagedSnapshot, match="a is missing"):
        checksums.compare_once(folder, files, seen)


@pytest.mark.usefixtures("large")
def test_where_nothing_can_be_remembered_all_is_read(folder: Path, tmp_path: Path) -> None:
    """An index that may only be read is opened all the same."""
    (tmp_path / "seen").write_text("a file, not a folder", "utf-8")
    for _ in range(2):
        checksums.compare_once(folder, checksums.digests(folder), tmp_path / "seen" / "it")
