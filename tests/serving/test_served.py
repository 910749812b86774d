"""Which snapshot is served: the current one, or the newest sound one, said aloud; old ones are let go of."""

from __future__ import annotations

import gc
import threading
import time
from pathlib import Path

import pytest

from eunato_rag.errors import DamagedSnapshot, NoIndex, NotFound
from eunato_rag.indexing.snapshot import CURRENT, SNAPSHOTS, current_id
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex
from eunato_rag.serving.http import served as module
from eunato_rag.serving.http.served import Served
from tests.conftest import HARBOUR, WordEmbedder


@pytest.fixture
def ids(corpus: Path, index: Path, embedder: WordEmbedder) -> list[str]:
    """Three snapshots, in the order in which they were built."""
    built = [current_id(index)]
    for year in ("2018", "2017"):
        (corpus / "harbour.txt").write_text(HARBOUR.replace("2019", year), "utf-8")
        built.append(reindex(corpus, index, embedder, Chunking()).snapshot or "")
    return built


def damage(index: Path, identity: str, name: str = "vectors/flat.faiss") -> None:
    path = index / SNAPSHOTS / identity / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def test_at_start_a_damaged_snapshot_gives_way_to_the_newest_sound_one(index: Path, ids: list[str], embedder: WordEmbedder) -> None:
    """And says why, until the current one is sound again."""
    damage(index, ids[2])
    served = Served(index, embedder)
    assert served.engine().snapshot.id == ids[1]
    assert served.fault is not None
    assert "checksum" in served.fault
    (index / CURRENT).write_text(ids[0], "utf-8")
    assert (served.engine().snapshot.id, served.fault) == (ids[0], None)


def test_where_no_snapshot_is_sound_nothing_is_served(index: Path, ids: list[str], embedder: WordEmbedder) -> None:
    """The error is that of the current one."""
    for identity in ids:
        damage(index, identity)
    with pytest.raises(DamagedSnapshot, match=ids[2]):
        Served(index, embedder)


def test_without_an_index_the_command_that_makes_one_is_named(tmp_path: Path, embedder: WordEmbedder) -> None:
    """No guess at what lies around."""
    with pytest.raises(NoIndex, match="eunato-rag reindex"):
        Served(tmp_path, embedder)


def test_when_current_is_gone_what_is_open_goes_on(index: Path, ids: list[str], embedder: WordEmbedder) -> None:
    """The fault is told."""
    served = Served(index, embedder)
    (index / CURRENT).unlink()
    assert served.engine().snapshot.id == ids[2]
    assert "no index" in (served.fault or "")


def test_an_older_snapshot_answers_by_its_id_and_only_by_an_id(index: Path, ids: list[str], embedder: WordEmbedder) -> None:
    """The same engine as long as it is asked for; no path leads out of the folder."""
    served = Served(index, embedder)
    assert served.engine(ids[0]) is served.engine(ids[0])
    assert "2019" in served.engine(ids[0]).ask("When was the harbour at Lindholm dredged?").text
    for wrong in ("", ".", "..", "../..", ids[0] + "/", "0" * 12, ids[0].upper() + " "):
        with pytest.raises(NotFound):
            served.engine(wrong)


def test_a_snapshot_is_closed_when_nobody_uses_it_any_more(index: Path, ids: list[str], embedder: WordEmbedder) -> None:
    """A request that still has it goes on; then its files are let go of."""
    served = Served(index, embedder)
    request = served.engine()
    (index / CURRENT).write_text(ids[0], "utf-8")
    assert served.engine().snapshot.id == ids[0]
    assert "2017" in request.ask("When was the harbour at Lindholm dredged?").text
    catalogue = request.snapshot.catalogue
    del request
    gc.collect()
    with pytest.raises(Exception, match="closed"):
        catalogue.works()


def test_nobody_waits_long_for_a_snapshot_that_opens_slowly(
    index: Path, ids: list[str], embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests are answered from the old one until the new one is there."""
    monkeypatch.setattr(module, "PATIENCE_S", 0.05)
    go_on = threading.Event()

    class Slow(Served):
        def _open(self, identity: str):  # type: ignore[no-untyped-def]
            if identity == ids[0]:
                go_on.wait(10)
            return super()._open(identity)

    served = Slow(index, embedder)
    (index / CURRENT).write_text(ids[0], "utf-8")
    assert [served.engine().snapshot.id for _ in range(3)] == [ids[2]] * 3
    go_on.set()
    deadline = time.monotonic() + 10
    while served.engine().snapshot.id != ids[0]:
        assert time.monotonic() < deadline
