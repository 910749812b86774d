"""How a service ends: a real process, real signals, requests at hand."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from eunato_rag.serving.http.server import BREAK_OFF_S, GRACE_S
from eunato_rag.serving.jobs.store import JobStore
from tests.conftest import ROOT

WHEN, WHY = "When was the harbour at Lindholm dredged?", "Why was the dredging late?"
SHORT_S = 1.5
"""A grace that hangs up on a question that begins with Why, but not on any other."""


class Service:
    """A process that serves, and what it wrote into its log."""

    def __init__(self, index: Path, corpus: Path, grace_s: float) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "tests.serving.slow_service", *map(str, (index, corpus, self.port, grace_s))]
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return self.call("GET", "/livez")[0] == 200
        except OSError:
            return False

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
        with closing(self.connection()) as connection:
            return called(connection, method, path, body, **headers)

    def at_hand(self) -> int:
        """Requests that are being answered, this one aside."""
        line = next(line for line in self.call("GET", "/metrics")[2].splitlines() if line.startswith("eunato_requests_in_progress "))
        return round(float(line.split()[1])) - 1

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def ended(self) -> tuple[int, str]:
        """The exit code and the log."""
        _, log = self.process.communicate(timeout=30)
        return self.process.returncode, log


def called(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, str]:
    data = json.dumps(body) if body is not None else None
    connection.request(method, path, data, {"Content-Type": "application/json", **headers})
    response = connection.getresponse()
    return response.status, response.headers, response.read().decode()


@pytest.fixture
def service(index: Path, corpus: Path) -> Iterator[Callable[[float], Service]]:
    with ExitStack() as stack:

        def started(grace_s: float = GRACE_S) -> Service:
            made = Service(index, corpus, grace_s)
            stack.enter_context(made.process)
            stack.callback(made.process.kill)
            return made

        yield started


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_sound(log: str) -> bool:
    """Whether the log has whole lines alone, and no traceback."""
    return all("exception" not in json.loads(line) for line in log.splitlines()) and "Traceback" not in log


def test_what_is_at_hand_is_finished_and_who_comes_after_is_told(service: Callable[..., Service]) -> None:
    """A balancer hears at once that it should ask elsewhere, on whatever connection; answers that were begun come whole."""
    running = service()
    with closing(running.connection()) as kept, ThreadPoolExecutor(2) as pool:
        assert called(kept, "GET", "/readyz")[0] == 200
        whole = pool.submit(running.call, "POST", "/v1/ask", {"question": WHEN})
        stream = pool.submit(running.call, "POST", "/v1/ask", {"question": WHEN}, Accept="text/event-stream")
        until(lambda: running.at_hand() == 2)
        running.end()
        until(lambda: running.call("GET", "/readyz")[0] == 503)
        status, headers, text = called(kept, "POST", "/v1/search", {"query": "harbour"})
        assert (status, json.loads(text)["code"]) == (503, "shutting_down")
        assert (headers["content-type"], headers["connection"]) == ("application/problem+json", "close")
        assert int(headers["retry-after"]) > 0
        assert running.call("GET", "/livez")[0] == 200
        status, headers, text = whole.result()
        assert (status, headers["connection"]) == (200, "close")
        assert "dredged in 2019 [1]" in json.loads(text)["answer"]
        frames = stream.result()[2].strip().split("\n\n")
    assert frames[0].startswith("event: search\n")
    name, data = frames[-1].split("\n")
    assert name == "event: answer"
    assert "dredged in 2019 [1]" in json.loads(data.removeprefix("data: "))["answer"]
    code, log = running.ended()
    assert (code, is_sound(log)) == (0, True), log


def test_an_idle_service_ends_at_once(service: Callable[..., Service]) -> None:
    """At Ctrl+C too, with 0, though a connection is open and a job is looked at; the job is not its own and goes on."""
    running = service()
    store = JobStore(Path(running.process.args[3]))  # type: ignore[index]
    with closing(running.connection()) as kept, store.doing("reindex", {}) as job, ThreadPoolExecutor(1) as pool:
        assert called(kept, "GET", "/readyz")[0] == 200
        events = pool.submit(running.call, "GET", f"/v1/jobs/{job.id}/events")
        until(lambda: running.at_hand() == 1)
        began = time.monotonic()
        running.end(signal.SIGINT)
        code, log = running.ended()
        assert time.monotonic() - began < 5
        assert (code, is_sound(log)) == (0, True), log
        assert events.result()[0] == 200
        assert store.get(job.id).state == "running"
        store.finish(job.id, "succeeded")


def test_it_ends_in_time_whatever_is_at_hand(service: Callable[..., Service]) -> None:
    """A computation that hangs, a body that never comes whole, a reader who never reads: they hear 503, or are hung up on."""
    assert GRACE_S + BREAK_OFF_S < 10
    running = service(SHORT_S)
    with ThreadPoolExecutor(1) as pool, ExitStack() as lines:
        hangs = pool.submit(running.call, "POST", "/v1/ask", {"question": WHY})
        silent, deaf = (lines.enter_context(socket.create_connection(("127.0.0.1", running.port), timeout=30)) for _ in range(2))
        silent.sendall(b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{")
        deaf.sendall(b"GET /v1/flood HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: running.at_hand() == 3)
        began = time.monotonic()
        running.end()
        status, headers, text = hangs.result()
        assert (status, json.loads(text)["code"], headers["retry-after"]) == (503, "shutting_down", "5")
        assert silent.recv(100).startswith(b"HTTP/1.1 503")
        code, log = running.ended()
        assert time.monotonic() - began < SHORT_S + BREAK_OFF_S + 2
    assert (code, is_sound(log)) == (0, True), log
    assert '"requests": 3' in log


def test_a_second_signal_ends_it_at_once(service: Callable[..., Service]) -> None:
    """As it ends any process; nothing is waited for."""
    running = service()
    with ThreadPoolExecutor(1) as pool:
        hangs = pool.submit(running.call, "POST", "/v1/ask", {"question": WHY})
        until(lambda: running.at_hand() == 1)
        running.end()
        until(lambda: running.call("GET", "/readyz")[0] == 503)
        began = time.monotonic()
        running.end()
        code, log = running.ended()
        assert time.monotonic() - began < 3
        assert (code, is_sound(log)) == (-signal.SIGTERM, True), log
        with pytest.raises(ConnectionResetError):  # http.client's RemoteDisconnected is one
            hangs.result()
