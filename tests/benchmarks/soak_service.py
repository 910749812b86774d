"""The service under load: a real `eunato-rag serve` in a folder of its own, and what its processes hold, once a second.

Figures come from /proc, so this runs on Linux alone. Left out: what is asked (soak_traffic), what is made of the figures (soak).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

ROOT = Path(__file__).parents[2]
RATE = "1000000/second"
"""Of one caller; what is measured is the work, not the rates."""
_STARTS_S = 300.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server holds at a moment, in seconds from the first, and the seconds of a processor that it has used.

    Memory is in MB (2^20), that of its jobs apart.
    """

    at: float
    memory: float
    handles: int
    threads: int
    jobs_memory: float
    processor: float


@dataclass(frozen=True, slots=True)
class Service:
    """Where it listens, and where its folders and its log are."""

    address: str
    process: subprocess.Popen[bytes]
    corpus: Path
    log: Path


@contextmanager
def serving(scratch: Path, documents: Path | None, index: Path | None, **settings: str) -> Iterator[Service]:
    """The service over a copy of the project's corpus, of more documents, and of an index where one is given."""
    corpus, own = scratch / "corpus", scratch / "index"
    shutil.copytree(ROOT / "corpus", corpus, ignore=shutil.ignore_patterns("fetched", ".removed", "uploaded"))
    if documents is not None:
        shutil.copytree(documents, corpus / "more")
    if index is not None:
        shutil.copytree(index, own, symlinks=True, ignore=shutil.ignore_patterns("jobs", ".*"))
    elif (ROOT / "index" / "models").is_dir():
        own.mkdir()
        (own / "models").symlink_to(ROOT / "index" / "models")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    rates = dict.fromkeys(("EUNATO_SERVING__RATE", "EUNATO_SERVING__COSTLY_RATE", "EUNATO_SERVING__ADMIN_RATE"), RATE)
    command = [sys.executable, "-m", "eunato_rag", "serve", "--corpus", str(corpus), "--index", str(own), "--port", str(port)]
    log = scratch / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=scratch, env={**os.environ, **rates, **settings}, stderr=output)
    service = Service(f"http://127.0.0.1:{port}", process, corpus, log)
    try:
        _wait(service)
        yield service
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait(service: Service) -> None:
    deadline = time.monotonic() + _STARTS_S
    while time.monotonic() < deadline:
        if service.process.poll() is not None:
            sys.exit(f"The service ended with {service.process.returncode}:\n{service.log.read_text('utf-8', 'replace')[-2000:]}")
        try:
            if httpx2.get(f"{service.address}/readyz", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.2)
    sys.exit(f"The service was not ready within {_STARTS_S:.0f} s.")


async def sampled(service: Service, samples: list[Sample]) -> None:
    """Adds a sample each second, until it is cancelled."""
    began = time.monotonic()
    while True:
        samples.append(sample(service.process.pid, time.monotonic() - began))
        await asyncio.sleep(1.0)


def sample(pid: int, at: float = 0.0) -> Sample:
    """What a process holds now, and its descendants together."""
    below = [child for child in descendants(pid) if child != pid]
    state = _status(pid)
    memory, threads = state.get("VmRSS", 0) / 1024, state.get("Threads", 0)
    handles = len(os.listdir(f"/proc/{pid}/fd"))
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    processor = sum(map(int, used)) / os.sysconf("SC_CLK_TCK")
    return Sample(at, memory, handles, threads, sum(_status(child).get("VmRSS", 0) for child in below) / 1024, processor)


def descendants(pid: int) -> list[int]:
    """A process and all below it, the process first."""
    found = [pid]
    for one in found:
        try:
            threads = os.listdir(f"/proc/{one}/task")
            found += [int(child) for thread in threads for child in Path(f"/proc/{one}/task/{thread}/children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _status(pid: int) -> dict[str, int]:
    """The numbers in a process's status; none where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    pairs = (line.partition(":") for line in lines)
    return {name: int(value.split()[0]) for name, _, value in pairs if value.split() and value.split()[0].isdigit()}
