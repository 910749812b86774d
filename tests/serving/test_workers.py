"""Several processes that serve one address: real processes, real signals."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eunato_rag.errors import SettingsError
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.snapshot import current_id
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex
from eunato_rag.serving import cli
from eunato_rag.serving.http import processes
from eunato_rag.serving.http.processes import Door, bound
from eunato_rag.serving.http.rates import Rates
from eunato_rag.serving.http.windows import SharedWindows
from eunato_rag.serving.jobs.store import JobStore
from tests.conftest import HARBOUR

SMALL = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
from eunato_rag.serving.http.processes import Part
part = Part.read(sys.argv[sys.argv.index("--part") + 1])
if part.number > 1 and os.path.exists({refused!r}):
    sys.exit(5)
part.serves()
time.sleep(60)
"""
"""A process that serves nobody, but says so; it ends at no one's asking."""

PARENT = """
import sys
from eunato_rag.serving.http import logs, processes
logs.configure("json")
sys.exit(processes.serve([sys.executable, "-c", sys.argv[1]], 2, processes.bound("127.0.0.1", 0)))
"""


class Crew:
    """A process that has others serve, and what all of them log."""

    def __init__(self, command: list[str], folder: Path, port: int = 0, **environment: str) -> None:
        self.port, self.folder, self._log = port, folder, folder / "log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen([sys.executable, *command], cwd=folder, stderr=log, env={**os.environ, **environment})

    def log(self) -> list[dict[str, Any]]:
        whole = self._log.read_text("utf-8").rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    def pids(self) -> dict[int, int]:
        """The processes by number, as they were begun last."""
        return {line["process"]: line["pid"] for line in self.log() if line["event"] == "process begun"}

    def count(self, event: str) -> int:
        return sum(line["event"] == event for line in self.log())

    def answers(self, path: str) -> Counter[int]:
        """How often each process answered at a path."""
        return Counter(line["process"] for line in self.log() if line["event"] == "request" and line["path"] == path)

    def until_both(self, path: str, call: Callable[[], int], least: int) -> list[int]:
        """What calls of a path gave, so many and on until either process had one: which takes a connection is chance."""
        given = [call() for _ in range(least)]
        until(lambda: len(self.answers(path)) == 2 or given.append(call()))
        return given

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """On a connection of its own."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read().decode()

    def figure(self, name: str) -> list[float]:
        return [float(value) for value in re.findall(rf"^{name} (\S+)$", self.call("GET", "/metrics")[1], re.MULTILINE)]

    def serving(self) -> set[int]:
        """The pids of those that answer."""
        with suppress(OSError):
            return set(map(int, re.findall(r'^eunato_process{pid="(\d+)"', self.call("GET", "/metrics")[1], re.MULTILINE)))
        return set()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory, models: Path, model: Embedder) -> Iterator[Crew]:
    """`eunato-rag serve --workers 2 --watch` over a corpus of one document."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "corpus").mkdir()
    (folder / "corpus" / "harbour.txt").write_text(HARBOUR, "utf-8")
    (folder / "index").mkdir()
    (folder / "index" / "models").symlink_to(models)
    reindex(folder / "corpus", folder / "index", model, Chunking())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["-m", "eunato_rag", "serve", "--workers", "2", "--watch", "--port", str(port)]
    made = Crew(command, folder, port, EUNATO_SERVING__COSTLY_RATE="10/minute", EUNATO_SERVING__LOG_FORMAT="json")
    try:
        until(lambda: made.process.poll() is not None or len(made.serving()) == 2)
        yield made
    finally:
        made.process.kill()
        made.process.wait()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Crew]:
    """Two processes that do nothing; after the file `refused` is there, the second does not begin."""
    made = Crew(["-c", PARENT, SMALL.format(refused=str(tmp_path / "refused"))], tmp_path)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()


def test_milvus_lite_is_refused_as_one_process_can_open_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is started, with what to do."""
    monkeypatch.setenv("EUNATO_MILVUS__URL", "/tmp/milvus.db")
    monkeypatch.setenv("EUNATO_SERVING__WORKERS", "2")
    raised = CliRunner().invoke(cli.app, ["serve"]).exception
    assert isinstance(raised, SettingsError)
    assert "Set EUNATO_SERVING__WORKERS to 1" in str(raised)


def test_an_address_that_is_taken_is_named() -> None:
    with closing(bound("127.0.0.1", 0)[0]) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"127\.0\.0\.1:{port} cannot be listened on: Address already in use"):
            bound("127.0.0.1", port)


@pytest.mark.parametrize(("connections", "waits"), [(0, 0.0), (3, 0.0015), (500, 0.005)])
def test_a_process_that_has_connections_lets_others_go_first(monkeypatch: pytest.MonkeyPatch, connections: int, waits: float) -> None:
    """Of several at one door; for each connection a little longer, but not so long that those it has would feel it."""
    slept: list[float] = []
    monkeypatch.setattr(processes.time, "sleep", slept.append)
    with socket.create_server(("127.0.0.1", 0)) as made, socket.create_connection(made.getsockname()), Door(made.detach()) as door:
        door.connections = lambda: connections
        door.accept()[0].close()
    assert slept == [pytest.approx(waits)]


def test_the_exit_code_of_the_first_is_that_of_all_where_it_cannot_begin(tmp_path: Path) -> None:
    """Nothing is tried again then: what is wrong would still be wrong."""
    parent = Crew(["-c", PARENT, "raise SystemExit(7)"], tmp_path)
    assert parent.process.wait(30) == 7
    assert [line["event"] for line in parent.log()] == ["process begun", "process ended"]


def test_one_that_cannot_begin_later_is_tried_again_after_a_while(small: Crew, tmp_path: Path) -> None:
    """The other goes on meanwhile; a process that served is replaced at once."""
    (tmp_path / "refused").touch()
    until(lambda: any(line.get("code") == 5 for line in small.log()))
    first = small.pids()[1]
    (tmp_path / "refused").unlink()
    os.kill(first, signal.SIGKILL)
    until(lambda: small.pids()[1] != first)
    assert small.count("process begun") == 3
    until(lambda: small.count("process begun") == 4)


@pytest.mark.parametrize("numbers", [[signal.SIGKILL], [signal.SIGINT, signal.SIGTERM]])
def test_all_end_with_their_parent(small: Crew, numbers: list[signal.Signals]) -> None:
    """Where that is killed, or told a second time: none stays behind that holds the address, and nothing of what they shared."""
    until(lambda: len(small.pids()) == 2)
    told = subprocess.run(["ps", "-o", "args=", "-ww", "-p", str(small.pids()[1])], capture_output=True, text=True, check=True).stdout
    shared = re.findall(r'"shared": "([^"]+)"', told)
    for number in numbers[:-1]:
        small.process.send_signal(number)
        until(lambda: small.count("ending"))
    small.process.send_signal(numbers[-1])
    assert small.process.wait(3) == -numbers[-1]
    until(lambda: all(is_gone(pid) for pid in small.pids().values()))
    assert [Path(folder).exists() for folder in shared] == [False]


def test_windows_are_shared_through_a_file_and_move(tmp_path: Path) -> None:
    """Each of two processes counts what the other let in."""
    now = 0.0
    most = {"general": "3/minute", "costly": "3/minute", "admin": "3/minute"}
    one, other = (Rates(most, clock=lambda: now, windows=SharedWindows(tmp_path / "rates")) for _ in range(2))
    assert [rates.count("general", "", "192.0.2.1").allowed for rates in (one, other, one, other, one)] == [True] * 3 + [False] * 2
    assert other.count("costly", "", "192.0.2.1").allowed
    assert other.count("general", "", "192.0.2.2").headers["RateLimit"] == '"general";r=2;t=60'
    now = 60.0
    assert other.count("general", "", "192.0.2.1").headers["RateLimit"] == '"general";r=2;t=60'


def test_who_cannot_be_counted_is_let_in(tmp_path: Path) -> None:
    """A file that cannot be written shuts nobody out; as soon as it can be, everybody is counted again."""
    windows = SharedWindows(tmp_path / "rates")
    with closing(sqlite3.connect(tmp_path / "rates", isolation_level=None)) as held:
        held.execute("BEGIN IMMEDIATE")
        assert [windows.count("general", "a", 1, 60, at)[0] for at in (1.0, 2.0)] == [True, True]
    assert [windows.count("general", "a", 1, 60, at)[0] for at in (3.0, 4.0)] == [True, False]


def test_requests_are_spread_and_counted_together(crew: Crew) -> None:
    """Whichever process is asked for the figures tells those of all."""
    asked = crew.until_both("/v1/search", lambda: crew.call("POST", "/v1/search", {"query": "harbour"})[0], least=30)
    assert set(asked) == {200}
    name = 'eunato_requests_total{method="POST",route="/v1/search",status="200"}'
    until(lambda: crew.figure(re.escape(name)) == [len(asked)])  # the last is counted once it was answered
    assert [crew.figure(re.escape(name)) for _ in range(6)] == [[len(asked)]] * 6
    assert len(crew.figure(r"process_resident_memory_bytes{.*}")) == 2


def test_a_rate_is_that_of_all_processes(crew: Crew) -> None:
    """A caller gets no more by being answered by several."""
    ask = {"question": "When was the harbour dredged?"}
    statuses = crew.until_both("/v1/ask", lambda: crew.call("POST", "/v1/ask", ask)[0], least=20)
    assert statuses == [200] * 10 + [429] * (len(statuses) - 10)


def test_one_that_is_killed_is_replaced_and_its_work_taken_over(crew: Crew) -> None:
    """Nobody waits or hears of it. Of those left one watches the corpus, one job is begun, and all turn to what it built."""
    index = crew.folder / "index"
    before, killed = current_id(index), crew.pids()[1]
    os.kill(killed, signal.SIGKILL)
    (index.parent / "corpus" / "quay.txt").write_text("The quay at Lindholm was built in 1904.\n", "utf-8")
    until(lambda: crew.call("GET", "/v1/works")[0] == 200 and len(crew.serving() - {killed}) == 2)
    until(lambda: current_id(index) != before)
    for _ in range(20):
        assert current_id(index) in crew.call("GET", "/version")[1]
    assert len(crew.answers("/version")) == 2
    until(lambda: not JobStore(index).list(states=("queued", "running")))
    assert [(job.kind, job.state) for job in JobStore(index).list()] == [("reindex", "succeeded")]


def test_at_the_end_each_finishes_what_it_has_at_hand(crew: Crew) -> None:
    """The last, as nobody answers afterwards: who comes meanwhile hears 503, and the exit code is 0."""
    body = b'{"query": "harbour"}'
    with socket.create_connection(("127.0.0.1", crew.port), timeout=30) as slow:
        head = f"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        slow.sendall(head.encode() + body[:5])
        until(lambda: crew.figure("eunato_requests_in_progress") == [2.0])
        crew.process.send_signal(signal.SIGTERM)
        until(lambda: crew.call("GET", "/readyz")[0] == 503)
        slow.sendall(body[5:])
        assert slow.recv(100).startswith(b"HTTP/1.1 200")
    assert crew.process.wait(10) == 0
    assert all(is_gone(pid) for pid in crew.pids().values())
    assert not any("exception" in line for line in crew.log())
