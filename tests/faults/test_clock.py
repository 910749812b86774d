"""A clock that is set back by a day or ten years, and forward again, in the middle of everything: nothing goes by its order.

Done for real, in a process whose clock we set (clock.c, jumping).
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from eunato_rag.indexing.history import list_snapshots, prune
from eunato_rag.indexing.snapshot import SNAPSHOTS
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex
from eunato_rag.serving.http.served import Served
from tests.conftest import HARBOUR, ROOT, WordEmbedder

Seen = tuple[dict[str, Any], Path]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What the process saw, and the index that it left."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("the clock cannot be set here: no C compiler, or no Linux")
    folder = tmp_path_factory.mktemp("clock")
    (folder / "corpus").mkdir()
    (folder / "corpus" / "harbour.txt").write_text(HARBOUR, "utf-8")
    (folder / "corpus" / "orchard.md").write_text("# Orchard Notes\n\nThe pears do not keep.\n", "utf-8")
    (folder / "clock").write_bytes(struct.pack("d", 0.0))
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "clock.so", source, "-ldl"], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.jumping", folder / "corpus", folder / "index"],
        cwd=ROOT,
        env={**os.environ, "LD_PRELOAD": str(folder / "clock.so"), "CLOCK_FILE": str(folder / "clock")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["moved"], "the clock was not set"
    return found, folder / "index"


def test_snapshots_stand_in_the_order_in_which_they_were_made(seen: Seen) -> None:
    """Whatever the clock said: each is given a time behind all that were there."""
    told = seen[0]["publish"]
    assert len(set(told["made"])) == len(told["made"])
    assert told["listed"] == told["made"][::-1]
    assert told["times"] == sorted(told["times"], reverse=True)


def test_what_is_kept_and_what_stands_in_are_the_last_made(seen: Seen, tmp_path: Path) -> None:
    """Pruning keeps them; the one before is served where the last is damaged; at the right time a new one is the newest."""
    index = tmp_path / "index"
    shutil.copytree(seen[1], index)
    order = [kept.id for kept in list_snapshots(index)]
    gone = prune(index, 3)
    assert [kept.id for kept in list_snapshots(index)] == order[:3]
    assert sorted(gone) == sorted(order[3:])
    (index / SNAPSHOTS / order[0] / "vectors" / "flat.faiss").write_bytes(b"nothing")
    assert Served(index, WordEmbedder()).engine().snapshot.id == order[1]
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "harbour.txt").write_text(HARBOUR, "utf-8")
    report = reindex(corpus, index, WordEmbedder(), Chunking())
    assert next(kept.id for kept in list_snapshots(index)) == report.snapshot


def test_jobs_keep_their_order_and_their_keys(seen: Seen) -> None:
    """They are numbered; whether one lives is told by a lock."""
    told = seen[0]["jobs"]
    assert told["queued"] == told["made"]
    assert told["listed"] == told["made"][::-1]
    assert (told["alive"], told["state"]) == (True, "succeeded")


def test_a_revoked_key_stays_revoked(seen: Seen) -> None:
    """Before the hour at which it was made, too; and one made then is good."""
    assert seen[0]["keys"] == {"revoked": True, "newer": True}


def test_a_file_from_an_earlier_year_is_a_change(seen: Seen) -> None:
    """As a backup that is put back brings it."""
    assert seen[0]["watch"] == 3


def test_callers_are_served_on_and_a_new_snapshot_is_taken_up(seen: Seen) -> None:
    """Nobody who had used up their rate waits longer than a second for the next; the clock went back by twenty years."""
    assert seen[0]["serve"] == {"statuses": [200] * 4, "taken_up": True}
