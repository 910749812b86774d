"""Several processes that serve one address: started, replaced when they die, and ended together by the one that started them.

The parent binds the sockets and computes nothing; each process is `eunato-rag serve` again, told its part of the work by
`--part`. Processes are started anew, not forked: threads and onnxruntime do not survive a fork. uvicorn's own supervisor is
not used: it ends nothing at once at a second signal, and leaves its processes behind where it is killed.
Left out: what a process does with its part (server, metrics, rates), and Windows, where sockets are handed on otherwise.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Any

import structlog
from prometheus_client.multiprocess import mark_process_dead

from eunato_rag.errors import SettingsError

WITHIN_S = 9.7
"""Seconds from the signal to the end; a little more than a process takes to end by itself (server)."""

_LOOK_EVERY_S = 0.1
_AGAIN_S, _LATEST_S = 1.0, 30.0
"""How long a place stays empty whose process ended before it served; twice as long each time, up to the second."""
_SERVES = b"+"
_COURTESY_S, _MOST_COURTESY_S = 0.0005, 0.005
"""How long a process leaves a connection to the others, for each that it has; and at most."""
_IN_MEMORY = Path("/dev/shm")

log = structlog.get_logger("eunato_rag.http")


class Door(socket.socket):
    """A listening socket of several processes, at which each waits a little longer for every connection that it has.

    So one that has fewer comes first, where the machine has time to wake it. Without this the same process often takes all: of
    sixteen clients that came together one had every one, while the other had nothing to do.
    """

    def __init__(self, fileno: int) -> None:
        super().__init__(fileno=fileno)
        self.connections: Callable[[], int] = lambda: 0

    def accept(self) -> tuple[socket.socket, Any]:
        time.sleep(min(_COURTESY_S * self.connections(), _MOST_COURTESY_S))
        return super().accept()


@dataclass(frozen=True, slots=True)
class Part:
    """What one of several processes is told: its number, from 1; the sockets to listen on; the folder that all of them share.

    Files in the folder live as long as the service: figures (metrics) and counts (rates).
    """

    number: int
    listening: tuple[Door, ...]
    shared: Path
    pipe: socket.socket

    @classmethod
    def read(cls, told: str) -> Part:
        """From the value of `--part`; the process ends at once when its parent is gone, however that ended."""
        given = json.loads(told)
        listening = tuple(map(Door, given["listening"]))
        part = cls(given["number"], listening, Path(given["shared"]), socket.socket(fileno=given["pipe"]))
        Thread(target=part._end_with_parent, name="parent", daemon=True).start()
        return part

    def serves(self) -> None:
        """Tell the parent that requests are answered from now on."""
        with suppress(BrokenPipeError):  # this process is about to end, too
            self.pipe.send(_SERVES)

    def _end_with_parent(self) -> None:
        while self.pipe.recv(1):
            pass
        shutil.rmtree(self.shared, ignore_errors=True)
        os._exit(1)


def bound(host: str, port: int) -> list[socket.socket]:
    """The sockets of an address, bound and not yet listening: who comes before there is somebody to answer is refused.

    Raises:
        SettingsError: the address cannot be had.
    """
    sockets: list[socket.socket] = []
    try:
        with ExitStack() as undone:
            for family, kind, protocol, _, address in dict.fromkeys(
                socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            ):
                made = undone.enter_context(socket.socket(family, kind, protocol))
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                made.bind(address)
                sockets.append(made)
            undone.pop_all()
    except OSError as error:
        raise SettingsError(f"{host}:{port} cannot be listened on: {error.strerror}. Name another: --host, --port.") from error
    return sockets


def serve(command: Sequence[str], count: int, listening: Sequence[socket.socket], *, opened: Callable[[], None] = lambda: None) -> int:
    """Have `count` processes serve until SIGTERM or SIGINT; the exit code, 0 once they ended, `WITHIN_S` at most.

    `command` is what each runs, with `--part` behind it. The first starts alone, and makes what is missing; `opened` is called
    when it serves. If it ends before, its exit code is returned. Afterwards a process that ends is replaced. At a second
    signal this process ends at once, and the others with it.
    """
    if os.name == "nt":
        raise SettingsError("Several processes cannot share an address on Windows. Leave out --workers and EUNATO_SERVING__WORKERS.")
    with _shared_folder() as shared, _signals() as asked:
        places = [_Place(number, command, listening, shared) for number in range(1, count + 1)]
        try:
            first, is_open = places[0], False
            while not asked:
                for place in places if is_open else places[:1]:
                    place.look()
                if not is_open:
                    if first.has_served:
                        is_open = True
                        opened()
                        continue
                    if first.exit_code is not None:
                        return first.exit_code if first.exit_code > 0 else 1
                time.sleep(_LOOK_EVERY_S)
            for made in listening:  # so that nobody waits at a door behind which nobody is left
                made.close()
            _end(places)
        finally:
            for place in places:
                place.kill()
    return 0


def _end(places: Sequence[_Place]) -> None:
    log.info("ending", processes=sum(place.is_alive for place in places))
    deadline = time.monotonic() + WITHIN_S
    for place in places:
        place.end()
    while any(place.is_alive for place in places) and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_S / 2)


class _Place:
    """The place of one process among several: whoever is in it, or when the next one comes."""

    def __init__(self, number: int, command: Sequence[str], listening: Sequence[socket.socket], shared: Path) -> None:
        self.number, self.has_served = number, False
        self.exit_code: int | None = None
        """That of the last process that ended here by itself."""
        self._command, self._shared = command, shared
        self._listening = [made.fileno() for made in listening]
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: socket.socket | None = None
        self._serves = False
        self._failures, self._not_before = 0, 0.0

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def look(self) -> None:
        """Start a process where there is none; see whether it serves, or has ended."""
        if self._process is None:
            if time.monotonic() >= self._not_before:
                self._start()
            return
        if not self._serves and self._heard():
            self._serves = self.has_served = True
            self._failures = 0
        if self._process.poll() is not None:
            self._left()

    def end(self) -> None:
        """Ask the process to end."""
        if self._process is not None and self.is_alive:
            self._process.terminate()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._left()

    def _start(self) -> None:
        mine, theirs = socket.socketpair()
        with theirs:
            told = {"number": self.number, "pipe": theirs.fileno(), "listening": self._listening, "shared": str(self._shared)}
            self._process = subprocess.Popen(
                [*self._command, "--part", json.dumps(told)],
                pass_fds=[theirs.fileno(), *self._listening],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(self._shared)},
                start_new_session=True,  # Ctrl+C in a terminal is for the parent, which tells the others
            )
        mine.setblocking(False)
        self._pipe, self._serves = mine, False
        log.info("process begun", process=self.number, pid=self._process.pid)

    def _heard(self) -> bool:
        assert self._pipe is not None
        try:
            return self._pipe.recv(1) == _SERVES
        except (BlockingIOError, ConnectionError):
            return False

    def _left(self) -> None:
        assert self._process is not None
        assert self._pipe is not None
        self.exit_code = self._process.returncode
        log.info("process ended", process=self.number, pid=self._process.pid, code=self.exit_code)
        mark_process_dead(self._process.pid, str(self._shared))  # type: ignore[no-untyped-call]
        self._pipe.close()
        if not self._serves:  # one that served is replaced at once
            self._not_before = time.monotonic() + min(_AGAIN_S * 2**self._failures, _LATEST_S)
            self._failures += 1
        self._process = self._pipe = None


@contextmanager
def _shared_folder() -> Iterator[Path]:
    """In memory where that can be had: a write to a mapped file on a full disk kills the process that does it."""
    place = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="eunato-rag-", dir=place, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def _signals() -> Iterator[list[int]]:
    """The signals that asked for the end; after the first, one more ends this process as it ends any other."""
    asked: list[int] = []
    numbers = (signal.SIGTERM, signal.SIGINT)

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        for one in numbers:
            signal.signal(one, signal.SIG_DFL)

    before = [signal.signal(number, ask) for number in numbers]
    try:
        yield asked
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
