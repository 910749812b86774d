"""The steps of scaling.py, each run in a process of its own; it prints its figures as JSON.

    python -m tests.benchmarks.scaling_steps STEP FOLDER ...

Memory is in MB (2^20), as the system tells it: `peak_mb` the most that the process held, `resident_mb` what it holds at the
end, of which `private_mb` is its own and not mapped from files. Left out: which steps there are, and in what order.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import Figures, medians, spread

REAL = "real"
PACED, AT_ONCE = 512, 10_000
TOP = (10, 100)


def index_of(folder: Path, size: int) -> Path:
    return folder / f"index-{size}"


def _embedder(folder: Path) -> Any:
    from eunato_rag.indexing.embedding import DEFAULT_MODEL, load_embedder
    from eunato_rag.indexing.snapshot import MODELS

    return load_embedder(DEFAULT_MODEL, folder / MODELS)


def _made(folder: Path, size: int, edition: int = 0) -> Any:
    from tests.benchmarks.passages import Made, Store

    store = Store(folder / REAL)
    return Made(store.reals(), store.pieces(), size, edition)


def _questions(folder: Path, limit: int) -> list[str]:
    """About so many, evenly spaced, as many of each collection as it can give."""
    from tests.benchmarks.passages import Store

    asked = Store(folder / REAL).about()["asked"]
    share = -(-limit // len(asked))
    return [one[n * len(one) // min(share, len(one))] for one in asked for n in range(min(share, len(one)))][:limit]


def prepare(folder: Path, *data: str) -> Figures:
    """Cut and embed the real passages."""
    from tests.benchmarks.passages import Store, cut

    embedder = _embedder(folder)
    reals, asked = cut([Path(one) for one in data], embedder)
    special = embedder.count_tokens("")
    words = {word for real in reals for word in real.words} | {"Changed"}
    Store(folder / REAL).write(reals, asked, {word: embedder.count_tokens(word) - special for word in sorted(words)}, embedder)
    return {"passages": len(reals), "questions": sum(map(len, asked)), "words": sum(len(real.words) for real in reals)}


def pace(folder: Path) -> Figures:
    """How many real passages are embedded in a second."""
    from tests.benchmarks.passages import Store, text_of

    reals = Store(folder / REAL).reals()
    count = min(PACED, len(reals))
    texts = sorted((text_of(reals[n * len(reals) // count]) for n in range(count)), key=len, reverse=True)
    embedder = _embedder(folder)
    embedder.encode_document_tokens(texts[:8])
    began = time.perf_counter()
    for start in range(0, len(texts), 64):
        embedder.encode_document_tokens(texts[start : start + 64])
    return {"passages": count, "passages_per_s": round(count / (time.perf_counter() - began), 2)}


def fill(folder: Path, size: str, _: str) -> Figures:
    """Put vectors and tokens of all passages where a build finds them."""
    import shutil

    from tests.benchmarks.passages import Store, rows

    from eunato_rag.indexing.cache import VectorCache
    from eunato_rag.indexing.snapshot import CACHE

    store, place = Store(folder / REAL), index_of(folder, int(size))
    shutil.rmtree(place, ignore_errors=True)
    began = time.perf_counter()
    cache = VectorCache(place / CACHE, _embedder(folder))
    waiting = rows(_made(folder, int(size)), store.vectors(), store.tokens())
    while some := list(islice(waiting, AT_ONCE)):  # a part at a time, or its journal would be as large as the cache
        cache.keep(some)
    return {"seconds": round(time.perf_counter() - began, 1), **memory()}


def build(folder: Path, size: str, _: str, edition: int = 0) -> Figures:
    """Publish an index of passages whose vectors are known."""
    from tests.benchmarks.passages import WHOLE

    from eunato_rag.indexing.snapshot import CACHE, SNAPSHOTS
    from eunato_rag.reindex import index_documents

    made, place, embedder = _made(folder, int(size), edition), index_of(folder, int(size)), _embedder(folder)
    stages: dict[str, float] = {}
    began = time.perf_counter()
    last: tuple[str, float] = ("start", began)

    def advance(stage: str, done: int, total: int) -> None:
        nonlocal last
        now = time.perf_counter()
        stages[last[0]] = stages.get(last[0], 0.0) + now - last[1]
        last = (stage, now)

    identity, passages, embedded = index_documents(made, (), place, embedder, WHOLE, advance)
    seconds = time.perf_counter() - began
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    return {
        "passages": passages,
        "documents": len(made),
        "embedded": embedded,
        "build_s": round(seconds - made.seconds, 2),
        "making_s": round(made.seconds, 2),
        "processor_s": round(used, 1),
        "stages_s": {stage: round(taken, 2) for stage, taken in stages.items()},
        **memory(),
        "disk_mb": {part.name: megabytes(part) for part in sorted((place / SNAPSHOTS / identity).iterdir())},
        "cache_mb": sum(megabytes(part) for part in (place / CACHE).parent.iterdir()),
    }


def again(folder: Path, size: str, _: str) -> Figures:
    """A build with one document changed."""
    return build(folder, size, "", edition=1)


def opening(folder: Path, size: str) -> Figures:
    from eunato_rag.engine import Engine

    embedder = _embedder(folder)
    before = memory()
    began = time.perf_counter()
    Engine.open(index_of(folder, int(size)), embedder)
    return {"open_ms": round((time.perf_counter() - began) * 1000, 1), "resident_before_mb": before["resident_mb"], **memory()}


def query(folder: Path, size: str, queries: str) -> Figures:
    """Ask one question after the other; the first is not timed."""
    from eunato_rag import timing
    from eunato_rag.engine import Engine

    engine = Engine.open(index_of(folder, int(size)), _embedder(folder))
    asked = _questions(folder, int(queries))
    began = time.perf_counter()
    engine.search(asked[0])
    first = time.perf_counter() - began
    stages: list[dict[str, float]] = []

    def told(stage: str, seconds: float) -> None:
        stages[-1][stage] = stages[-1].get(stage, 0.0) + seconds * 1000

    timing.listener.set(told)
    times = []
    for question in asked:
        stages.append({})
        began = time.perf_counter()
        engine.search(question)
        times.append((time.perf_counter() - began) * 1000)
    return {"queries": len(asked), "first_ms": round(first * 1000, 1), **spread(times), "stages_p50_ms": medians(stages), **memory()}


def recall(folder: Path, size: str, queries: str) -> Figures:
    """The dense search against all vectors, as they were put in."""
    import numpy as np
    from tests.benchmarks.passages import PER_DOCUMENT, Store

    from eunato_rag.indexing.snapshot import open_snapshot

    embedder, real, made = _embedder(folder), Store(folder / REAL).vectors(), _made(folder, int(size))
    snapshot = open_snapshot(index_of(folder, int(size)), embedder)
    for position in (0, made.size // 2, made.size - 1):
        own = made.embedded(position // PER_DOCUMENT)[position % PER_DOCUMENT]
        if not own.endswith(snapshot.catalogue.passage_at(position).text):
            raise ValueError(
                f"Passage {position} of the index is not the one that was put in there; positions are expected to keep their order."
            )
    asked = np.asarray(embedder.encode_query(_questions(folder, int(queries))))
    kept = np.full((len(asked), 0), -2.0, dtype=np.float32)
    places = np.zeros((len(asked), 0), dtype=np.int64)
    for start, block in _blocks(made, real):
        products = asked @ block.T
        kept = np.concatenate([kept, products], axis=1)
        places = np.concatenate([places, np.broadcast_to(np.arange(start, start + len(block)), products.shape)], axis=1)
        best = np.argsort(-kept, axis=1, kind="stable")[:, : max(TOP)]
        kept, places = np.take_along_axis(kept, best, axis=1), np.take_along_axis(places, best, axis=1)
    shares: dict[int, list[float]] = {top: [] for top in TOP}
    for n, vector in enumerate(asked):
        known = dict(zip(places[n].tolist(), kept[n].tolist(), strict=True))
        for top in (top for top in TOP if top <= made.size):
            least = kept[n, top - 1] - 1e-6
            found = [position for position, _ in snapshot.vectors.search(vector, top)]
            shares[top].append(sum(known.get(position, -2.0) >= least for position in found) / top)
    return {"queries": len(asked), **{f"recall@{top}": round(float(np.mean(each)), 5) for top, each in shares.items() if each}}


def _blocks(made: Any, real: Any) -> Iterator[tuple[int, Any]]:
    """All vectors, some thousand at a time, each block with the number of its first."""
    import numpy as np
    from tests.benchmarks.passages import PER_DOCUMENT, vectors_of

    step = 500
    for start in range(0, len(made), step):
        numbers = range(start, min(start + step, len(made)))
        yield start * PER_DOCUMENT, np.concatenate([vectors_of(n, made.size, real) for n in numbers])


def memory() -> Figures:
    state = {}
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name in ("VmRSS", "RssAnon"):
            state[name] = int(value.split()[0]) // 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"peak_mb": peak, "resident_mb": state["VmRSS"], "private_mb": state["RssAnon"]}


def megabytes(path: Path) -> float:
    files: Sequence[Path] = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return round(sum(one.stat().st_size for one in files) / 2**20, 2)


STEPS: Mapping[str, Callable[..., Figures]] = {
    "prepare": prepare,
    "pace": pace,
    "fill": fill,
    "build": build,
    "again": again,
    "open": opening,
    "query": query,
    "recall": recall,
}


def main() -> None:
    part, folder, *rest = sys.argv[1:]
    print(json.dumps(STEPS[part](Path(folder), *rest)))


if __name__ == "__main__":
    main()
