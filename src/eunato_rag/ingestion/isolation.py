"""Reading files in processes of their own, with limits of time and memory: no file can hang or kill a run.

A worker is started at the first file that wants one and serves many; one that overran or died is replaced. It answers in
JSON, which is checked against the records: a file that took hold of its reader cannot send objects that run code here.
Left out: plain text that is not long, which is read where it is asked for, since nothing foreign parses it; a sandbox, for a
worker has the rights of who runs it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from threading import local
from types import TracebackType
from typing import TYPE_CHECKING

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.readers import read, text
from eunato_rag.records import Document

if TYPE_CHECKING:
    from pydantic import TypeAdapter

MODULE = "eunato_rag.ingestion.isolation"
"""What a worker runs."""

_DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG (prctl(2))."""

_IN_PLACE = text.SUFFIXES
_SMALL = 2**20
"""Bytes of a text that is read where it is asked for."""
_IN_TIME = 2**21
"""Bytes of a file that has to be read within the seconds of `Limits`; a larger one has as much longer as it is larger."""
_LONGEST = 16
"""Times as long at most: what is larger still holds pictures."""

_AHEAD = 16
"""Documents for each worker that may wait, read, to be taken."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may take. Seconds are for 2 MiB; a larger file may take as much longer as it is larger, up to 16 times."""

    seconds: float = 120.0
    megabytes: int = 2048

    def seconds_for(self, size: int) -> float:
        """The time that reading a file of so many bytes may take."""
        return self.seconds * min(max(1.0, size / _IN_TIME), _LONGEST)


class Worker:
    """One process that reads one file after another. Not to be shared between threads."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def read(self, path: Path) -> Document:
        """The document in a file.

        Raises:
            UnreadableDocument: the reader's own reason, or that it took too long, too much memory, or crashed.
        """
        pipe = self._start()
        seconds = self.limits.seconds_for(_size(path))
        try:
            pipe.send_bytes(os.fsencode(path))
            if not pipe.poll(seconds):
                self.close()
                raise UnreadableDocument(
                    f"{path.name} took longer than {round(seconds, 1):g} s to read. Split it, or set EUNATO_READING__SECONDS."
                )
            answer = _loaded(pipe.recv_bytes(self.limits.megabytes * 1024 * 1024))
        except (EOFError, ConnectionError) as error:
            code = self._process.wait() if self._process else 0
            self.close()
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            raise UnreadableDocument(f"{path.name} cannot be read: the process that read it {how}. It may be damaged.") from error
        except (ValueError, OSError) as error:
            self.close()
            raise UnreadableDocument(f"{path.name} cannot be read: the process that read it answered with what is no document.") from error
        if isinstance(answer, Document):
            return answer
        raise UnreadableDocument(answer)

    def close(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._pipe = self._process = None

    def _start(self) -> Connection:
        if self._pipe is None:
            mine, theirs = socket.socketpair()
            with theirs:
                command = [sys.executable, "-m", MODULE, str(theirs.fileno()), str(self.limits.megabytes)]
                self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
            self._pipe = Connection(mine.detach())
        return self._pipe


class Workers:
    """As many workers as `count`, each started when it is first needed."""

    def __init__(self, limits: Limits, count: int) -> None:
        self._limits = limits
        self._own = local()
        self._all: list[Worker] = []
        self._count, self._pool = count, ThreadPoolExecutor(count)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the processes; what is being read is not waited for longer than its limits."""
        self._pool.shutdown(cancel_futures=True)
        for worker in self._all:
            worker.close()

    def read_all(self, paths: Iterable[Path]) -> Iterator[Document | UnreadableDocument]:
        """The document of each file or the reason why there is none, in the order of the paths; some files ahead of who asks."""
        begun: deque[Future[Document | UnreadableDocument]] = deque()
        for path in paths:
            begun.append(self._pool.submit(self._read, path))
            if len(begun) > _AHEAD * self._count:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()

    def _read(self, path: Path) -> Document | UnreadableDocument:
        try:
            if path.suffix.lower() in _IN_PLACE and _size(path) <= _SMALL:
                return read(path)
            if not hasattr(self._own, "worker"):
                self._own.worker = Worker(self._limits)
                self._all.append(self._own.worker)
            worker: Worker = self._own.worker
            return worker.read(path)
        except UnreadableDocument as error:
            return error


def _size(path: Path) -> int:
    """Bytes of a file; 0 where it cannot be told, which the reader will say."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _serve(pipe: Connection, megabytes: int) -> None:
    if sys.platform != "win32":
        import resource

        limit = megabytes * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # whoever is killed while a file hangs leaves nothing behind
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    while True:
        try:
            path = Path(os.fsdecode(pipe.recv_bytes()))
        except EOFError:
            return
        try:
            answer = _dumped(read(path))
        except UnreadableDocument as error:
            answer = _dumped(str(error))
        except MemoryError:
            answer = _dumped(f"{path.name} needs more than {megabytes} MB of memory to read. Split it, or set EUNATO_READING__MEGABYTES.")
        except RecursionError:
            answer = _dumped(f"{path.name} is nested too deeply to be read. It may be damaged.")
        pipe.send_bytes(answer)


def _dumped(answer: Document | str) -> bytes:
    """Without pydantic, which a worker need not import; and without what a record keeps for itself."""
    return json.dumps(answer, default=lambda record: {f.name: getattr(record, f.name) for f in fields(record) if f.init}).encode()


def _loaded(answer: bytes) -> Document | str:
    """A document, or why there is none.

    Raises:
        ValueError: it is neither, or a field has another type than its record says.
    """
    return _answers().validate_json(answer, strict=True)


@cache
def _answers() -> TypeAdapter[Document | str]:
    from pydantic import TypeAdapter

    return TypeAdapter(Document | str)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    _serve(Connection(int(sys.argv[1])), int(sys.argv[2]))
