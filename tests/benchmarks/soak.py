"""Asks a real service everything at once for some minutes, checks each answer, and watches what its process holds.

    python tests/benchmarks/soak.py [--seconds 300] [--clients 8] [--seed 1] [--documents PATH] [--index PATH]
    python tests/benchmarks/soak.py --overload 4

The service runs over a copy of the project's corpus, on loopback. Readers ask all kinds of things (soak_traffic) while one
operator changes the corpus and re-indexes it (soak_operator). It ends with 1 where an answer was wrong or none came, a
traceback stands in the log, the service does not end as it should, or what the server holds grew: the median of the last
fifth of the time is above that of the second fifth, the first being for warming up, by more than 5 % and 30 MB, 20 open
files, or 8 threads. What grows is not judged in less than a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Sequence
from pathlib import Path
from random import Random

import httpx2
from soak_operator import Operator
from soak_overload import overload
from soak_service import ROOT, Sample, Service, sampled, serving
from soak_traffic import KINDS, Material, Reader, Wrong

JUDGED_FROM_S = 60.0
MOST = {"memory": (0.05, 30.0), "handles": (0.0, 20.0), "threads": (0.0, 8.0)}
"""What may be gained, as a share and in all; the larger counts."""
UNITS = {"memory": "MB", "handles": "open files", "threads": "threads"}
LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=3.0)
"""Connections are given up before the service does so, which would be no fault of its."""


class Ledger:
    """What was done, how long it took in ms, and what was wrong; `requests` counts those of all kinds together."""

    def __init__(self) -> None:
        self.requests = 0
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        self.faults: Counter[tuple[str, str]] = Counter()
        self.examples: dict[tuple[str, str], str] = {}

    async def counted(self, _: httpx2.Response) -> None:
        self.requests += 1

    async def timed(self, kind: str, work: Awaitable[None]) -> None:
        began = time.perf_counter()
        try:
            await work
        except (Wrong, httpx2.HTTPError, TimeoutError, KeyError, IndexError, ValueError) as error:
            fault = kind, type(error).__name__
            self.faults[fault] += 1
            self.examples.setdefault(fault, f"{error!s:.300}" or repr(error))
        self.times[kind].append((time.perf_counter() - began) * 1000)


async def material(client: httpx2.AsyncClient) -> Material:
    """The judged questions, and the texts of the documents that are there at the start."""
    questions, conversations = [], []
    for line in (ROOT / "tests" / "eval" / "questions.jsonl").read_text("utf-8").splitlines():
        questions.append(json.loads(line)["question"])
    for line in (ROOT / "tests" / "eval" / "conversations.jsonl").read_text("utf-8").splitlines():
        conversations.append([turn["question"] for turn in json.loads(line)["turns"]])
    listed = (await client.get("/v1/documents", params={"limit": 200})).json()["documents"]
    texts = {one["id"]: (await client.get(f"/v1/documents/{one['id']}/text")).json()["text"] for one in listed}
    return Material(questions, conversations, {identity: text for identity, text in texts.items() if len(text.split()) > 100})


async def soak(service: Service, seconds: float, clients: int, seed: int) -> tuple[Ledger, list[Sample]]:
    """Everybody asks for so many seconds; what an operator has begun by then is cancelled."""
    ledger, samples = Ledger(), list[Sample]()
    hooks = {"response": [ledger.counted]}
    async with httpx2.AsyncClient(base_url=service.address, timeout=60, limits=LIMITS, event_hooks=hooks) as client:
        asked = await material(client)
        watching = asyncio.create_task(sampled(service, samples))
        deadline = time.monotonic() + seconds

        async def reading(number: int) -> None:
            reader = Reader(client, Random(f"{seed}-{number}"), asked)
            while time.monotonic() < deadline:
                (kind,) = reader.chance.choices(list(KINDS), list(KINDS.values()))
                await ledger.timed(kind.__name__, kind(reader))

        operator = asyncio.create_task(Operator(client, service.corpus, ledger.timed, pause=min(3.0, seconds / 20)).run())
        await asyncio.gather(*(reading(number) for number in range(clients)))
        for task in (operator, watching):
            task.cancel()
        await asyncio.gather(operator, watching, return_exceptions=True)
        for job in (await client.get("/v1/jobs")).json()["jobs"]:  # one that went on alone would outlive its folder
            if job["state"] in ("queued", "running"):
                await client.post(f"/v1/jobs/{job['id']}/cancel")
    return ledger, samples


def grown(samples: Sequence[Sample]) -> list[str]:
    """What the server holds more of at the end than after warming up, where that is more than it may be."""
    fifth = len(samples) // 5
    found = []
    for what, (share, most) in MOST.items():
        held = [getattr(sample, what) for sample in samples]
        early, late = statistics.median(held[fifth : 2 * fifth]), statistics.median(held[-fifth:])
        if late - early > max(share * early, most):
            found.append(f"{what} grew from {early:.0f} to {late:.0f} {UNITS[what]}")
    return found


def table(ledger: Ledger, seconds: float) -> str:
    """Each kind with its times; one that is done may take several requests."""
    lines = [f"{'':<16}{'done':>9}{'a second':>10}{'faults':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'worst ms':>10}"]
    for kind, times in sorted(ledger.times.items()):
        faults = sum(number for (named, _), number in ledger.faults.items() if named == kind)
        p50, p95, p99 = (sorted(times)[min(len(times) - 1, int(len(times) * share))] for share in (0.5, 0.95, 0.99))
        lines.append(
            f"{kind:<16}{len(times):>9}{len(times) / seconds:>10.1f}{faults:>8}{p50:>9.0f}{p95:>9.0f}{p99:>9.0f}{max(times):>10.0f}"
        )
    number = sum(map(len, ledger.times.values()))
    lines.append(f"{'all':<16}{number:>9}{number / seconds:>10.1f}{ledger.faults.total():>8}")
    return "\n".join((*lines, f"{ledger.requests} requests, {ledger.requests / seconds:.1f} a second"))


def held(samples: Sequence[Sample], requests: int) -> str:
    """What the server holds after warming up and at the end, how its memory goes on from there, and what it used."""
    fifth = max(1, len(samples) // 5)
    lines = [f"{'':<16}{'first':>9}{'warm':>9}{'end':>9}{'most':>9}"]
    for what in MOST:
        values = [getattr(sample, what) for sample in samples]
        warm, end = statistics.median(values[fifth : 2 * fifth] or values), statistics.median(values[-fifth:])
        lines.append(f"{what + (' MB' if what == 'memory' else ''):<16}{values[0]:>9.0f}{warm:>9.0f}{end:>9.0f}{max(values):>9.0f}")
    after = samples[fifth:]
    if len(after) > 2:
        slope = statistics.linear_regression([sample.at for sample in after], [sample.memory for sample in after]).slope
        lines.append(f"memory goes up by {slope * 60:.2f} MB a minute after the first fifth")
    used = samples[-1].processor - samples[0].processor
    lines.append(f"the server used {used:.0f} s of a processor, {used * 1000 / max(1, requests):.0f} ms a request")
    lines.append(f"jobs' processes held {max(sample.jobs_memory for sample in samples):.0f} MB at most")
    return "\n".join(lines)


def tracebacks(log: Path) -> list[str]:
    """Lines of the log that tell of a fault inside."""
    return [line[:300] for line in log.read_text("utf-8", "replace").splitlines() if '"exception"' in line or "Traceback" in line]


async def overloaded(service: Service, factor: float, seed: int) -> list[str]:
    async with httpx2.AsyncClient(base_url=service.address, timeout=60, limits=LIMITS) as client:
        return await overload(client, await material(client), factor, Random(seed))


def main() -> int:
    parser = argparse.ArgumentParser(description="Asks a real service everything at once, checks each answer, watches its process.")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--clients", type=int, default=8, help="readers that ask at the same time; default 8")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--documents", type=Path, help="a folder of more documents for the corpus")
    parser.add_argument("--index", type=Path, help="an index of the corpus to begin with; it is copied")
    parser.add_argument("--overload", type=float, metavar="N", help="instead: questions at N times the pace that the service can do")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        # how long a question waits where others use the processor, too, is not what is judged here
        patience = {} if options.overload else {"EUNATO_SERVING__QUEUE_SECONDS": "60"}
        with serving(Path(scratch), options.documents, options.index, **patience) as service:
            if options.overload:
                faults = asyncio.run(overloaded(service, options.overload, options.seed))
            else:
                ledger, samples = asyncio.run(soak(service, options.seconds, options.clients, options.seed))
                print(f"{table(ledger, options.seconds)}\n\n{held(samples, ledger.requests)}")
                faults = [f"{number} x {kind}: {ledger.examples[kind, name]}" for (kind, name), number in ledger.faults.items()]
                faults += grown(samples) if options.seconds >= JUDGED_FROM_S else []
        if service.process.returncode != 0:
            faults.append(f"the service ended with {service.process.returncode}")
        faults += tracebacks(service.log)
    print(f"\nload average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for fault in faults:
        print(f"FAULT {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
