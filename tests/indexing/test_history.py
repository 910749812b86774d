"""The snapshots that are kept: listed, activated, pruned; the served one is never lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from eunato_rag.engine import Engine
from eunato_rag.errors import DamagedSnapshot, IncompatibleIndex, IndexBusy, IndexStoreError, NotFound
from eunato_rag.indexing.history import activate, list_snapshots, prune, rollback
from eunato_rag.indexing.snapshot import SNAPSHOTS, current_id, writing
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex
from tests.conftest import HARBOUR, WordEmbedder


@pytest.fixture
def ids(corpus: Path, index: Path, embedder: WordEmbedder) -> list[str]:
    """Four snapshots, in the order in which they were built."""
    built = [current_id(index)]
    for year in ("2018", "2017", "2016"):
        (corpus / "harbour.txt").write_text(HARBOUR.replace("2019", year), "utf-8")
        built.append(reindex(corpus, index, embedder, Chunking()).snapshot)
    return built


def test_all_are_listed_and_the_served_one_is_marked(index: Path, ids: list[str]) -> None:
    """With what they hold; a folder that is being built is none."""
    (index / SNAPSHOTS / ".building-x").mkdir()
    listed = list_snapshots(index, verify=True)
    assert {kept.id for kept in listed} == set(ids)
    assert [kept.id for kept in listed if kept.current] == [ids[-1]]
    assert all(kept.manifest is not None and kept.manifest.counts["documents"] == 2 and kept.size > 1000 for kept in listed)


def test_where_nothing_was_built_nothing_is_listed(tmp_path: Path) -> None:
    """No hits is a value."""
    assert list_snapshots(tmp_path) == []


def test_an_older_one_is_served_again(index: Path, ids: list[str], embedder: WordEmbedder) -> None:
    """It answers as it did; and back."""
    activate(index, ids[0], embedder)
    assert "2019" in Engine.open(index, embedder).ask("When was the harbour at Lindholm dredged?").text
    activate(index, ids[-1], embedder)
    assert "2016" in Engine.open(index, embedder).ask("When was the harbour at Lindholm dredged?").text


def test_one_that_cannot_be_served_is_not(index: Path, ids: list[str], embedder: WordEmbedder) -> None:
    """Unknown, damaged, of another model, or while another process writes: the served one stays."""
    with pytest.raises(NotFound):
        activate(index, "000000000000", embedder)
    with pytest.raises(IncompatibleIndex):
        activate(index, ids[0], WordEmbedder("words-2"))
    with (index / SNAPSHOTS / ids[0] / "catalogue.sqlite").open("r+b") as file:
        file.write(b"x")
    with pytest.raises(DamagedSnapshot):
        activate(index, ids[0], embedder)
    with writing(index), pytest.raises(IndexBusy):
        activate(index, ids[1], embedder)
    assert current_id(index) == ids[-1]
    (damaged,) = [kept for kept in list_snapshots(index, verify=True) if kept.fault]
    assert (damaged.id, damaged.manifest) == (ids[0], None)
    assert "checksum" in (damaged.fault or "")


def test_pruning_keeps_the_served_one_and_the_newest(index: Path, ids: list[str], embedder: WordEmbedder) -> None:
    """Also where the served one is the oldest; who has it open goes on."""
    activate(index, ids[0], embedder)
    opened = Engine.open(index, embedder)
    assert len(prune(index, 2)) == 2
    kept = list_snapshots(index)
    assert ids[0] in {k.id for k in kept}
    assert len(kept) == 2
    assert prune(index, 2) == []
    activate(index, next(k.id for k in kept if k.id != ids[0]), embedder)
    assert prune(index, 1) == [ids[0]]
    assert "2019" in opened.ask("When was the harbour at Lindholm dredged?").text
    with pytest.raises(IndexStoreError):
        prune(index, 0)


def test_what_was_served_before_is_served_again(index: Path, ids: list[str], embedder: WordEmbedder) -> None:
    """In the order in which it was served, not in that of building; what is gone or damaged is passed over."""
    activate(index, ids[0], embedder)
    assert rollback(index, embedder).id == ids[3]
    (index / SNAPSHOTS / ids[2] / "vectors" / "flat.faiss").write_bytes(b"nothing")
    assert rollback(index, embedder).id == ids[1]
    assert rollback(index, embedder).id == current_id(index) == ids[0]
    with pytest.raises(NotFound, match="served before"):
        rollback(index, embedder)
    assert current_id(index) == ids[0]
    activate(index, ids[3], embedder)
    assert rollback(index, embedder).id == ids[0]


def test_a_run_keeps_the_last_ones_by_itself(corpus: Path, index: Path, ids: list[str], embedder: WordEmbedder) -> None:
    """The new one, the one that was served before, and then the newest."""
    activate(index, ids[0], embedder)
    (corpus / "harbour.txt").write_text(HARBOUR.replace("2019", "2015"), "utf-8")
    new = reindex(corpus, index, embedder, Chunking(), keep=3).snapshot
    assert {kept.id for kept in list_snapshots(index)} == {new, ids[0], ids[3]}
    assert rollback(index, embedder).id == ids[0]
