"""Ten thousand tiny documents, or one very long one, made up, read, embedded, indexed and asked: time, memory, room on disk.

python -m tests.benchmarks.bulk FOLDER [--documents 10000 [--texts DATA_DIR] | --megabytes 50] [--quick] [--json]

FOLDER is for the corpus and the index; what it holds is taken as it is, so that a second call shows a run over vectors that
are known. Each run is a process of its own, so that its peak of memory is its own. With --quick an embedder that costs
nothing stands in for the model, so that the figures are those of everything else. Questions ask for a place that one
document, or one section, names; the answer is right if it says the year. With --texts the documents are real, each of four
texts of a collection, and nothing is asked. Left out: how good answers are on real text.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tests.faults import prose
from tests.faults.quick import QuickEmbedder

from eunato_rag.engine import Engine
from eunato_rag.indexing.embedding import DEFAULT_MODEL, Embedder, load_embedder
from eunato_rag.indexing.snapshot import MODELS
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex
from eunato_rag.serving.http import render

QUESTIONS, PAGE = 60, 200
TOGETHER = 4
"""Texts of a collection that make one document: abstracts, so that it has a page or two."""


def embedder(index: Path, quick: bool) -> Embedder:
    return QuickEmbedder() if quick else load_embedder(DEFAULT_MODEL, index / MODELS)


def build(folder: Path, quick: bool) -> dict[str, Any]:
    """One run of the write path."""
    used = embedder(folder / "index", quick)
    stages: dict[str, float] = {}
    began, last = time.perf_counter(), ["start", time.perf_counter()]

    def advance(stage: str, done: int, total: int) -> None:
        now = time.perf_counter()
        stages[str(last[0])] = stages.get(str(last[0]), 0.0) + now - float(last[1])
        last[:] = [stage, now]

    report = reindex(folder / "corpus", folder / "index", used, Chunking(), progress=advance)
    stages["end"] = time.perf_counter() - float(last[1])
    return {
        "documents": report.documents,
        "passages": report.passages,
        "embedded": report.embedded,
        "failed": len(report.failed),
        "duplicates": len(report.duplicates),
        "seconds": round(time.perf_counter() - began, 1),
        "processor_seconds": round(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), 1),
        "stages": {stage: round(seconds, 1) for stage, seconds in stages.items()},
        "peak_mb": peak(resource.RUSAGE_SELF),
        "peak_of_readers_mb": peak(resource.RUSAGE_CHILDREN),
    }


def read(folder: Path, quick: bool) -> dict[str, Any]:
    """Open the snapshot, list its documents, ask it."""
    used = embedder(folder / "index", quick)
    began = time.perf_counter()
    engine = Engine.open(folder / "index", used)
    opened = time.perf_counter() - began
    count = len(engine.documents())
    pages = timed(range(0, count, PAGE), lambda start: [render.document(one).model_dump_json() for one in engine.listed(start, PAGE)])
    chance, places = random.Random(5), count if count > 1 else 500
    asked = [chance.randrange(places) for _ in range(QUESTIONS)]
    right = 0

    def ask(number: int) -> None:
        nonlocal right
        right += str(1900 + number % 120) in engine.ask(f"When was the buoy off {prose.name(number)} laid?").text

    asking = timed(asked, ask)
    quoting = timed(asked, lambda number: engine.quote(f"The buoy off {prose.name(number)} was laid in {1900 + number % 120}."))
    return {
        "open_s": round(opened, 2),
        f"list_{PAGE}_documents_ms": spread(pages),
        "ask_ms": spread(asking),
        "right": f"{right} of {QUESTIONS}",
        "quote_ms": spread(quoting),
        "peak_mb": peak(resource.RUSAGE_SELF),
    }


def write_texts(folder: Path, data: Path, count: int) -> None:
    """So many files of a collection's texts, a paragraph each under its title; fewer where it has too few."""
    texts = [json.loads(line) for line in (data / "corpus.jsonl").read_text("utf-8").splitlines()]
    for number, start in enumerate(range(0, min(count * TOGETHER, len(texts)), TOGETHER)):
        paragraphs = [f"{text['title']}\n\n{text['text']}" for text in texts[start : start + TOGETHER]]
        (folder / f"{number:05d}.txt").write_text("\n\n".join(paragraphs) + "\n", "utf-8")


def timed(numbers: Any, work: Callable[[int], object]) -> list[float]:
    """Milliseconds for each."""
    took = []
    for number in numbers:
        began = time.perf_counter()
        work(number)
        took.append((time.perf_counter() - began) * 1000)
    return took


def spread(took: list[float]) -> dict[str, float]:
    return {"p50": round(median(took), 1), "p95": round(quantiles([*took, took[-1]], n=20)[-1], 1), "first": round(took[0], 1)}


def peak(who: int) -> int:
    return resource.getrusage(who).ru_maxrss // 1024


def apart(name: str, folder: Path, quick: bool) -> dict[str, Any]:
    """One step, in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.bulk", str(folder), "--step", name, *(["--quick"] if quick else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--documents", type=int, default=10_000)
    arguments.add_argument("--megabytes", type=int, default=0)
    arguments.add_argument("--texts", type=Path, metavar="DATA_DIR")
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--step", choices=["build", "read"], help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.step:
        print(json.dumps({"build": build, "read": read}[given.step](given.folder, given.quick)))
        return
    corpus, index = given.folder / "corpus", given.folder / "index"
    if not corpus.exists():
        corpus.mkdir(parents=True)
        if given.megabytes:
            prose.write_text(corpus / "harbours.txt", given.megabytes * 10**6)
        elif given.texts:
            write_texts(corpus, given.texts, given.documents)
        else:
            prose.write_notices(corpus, given.documents)
    figures = {"first run": apart("build", given.folder, given.quick), "again, nothing changed": apart("build", given.folder, given.quick)}
    with next(path for path in sorted(corpus.rglob("*.txt"))).open("a", encoding="utf-8") as file:
        file.write("\n\nA sentence was added here.\n")
    figures["again, one changed"] = apart("build", given.folder, given.quick)
    if not given.texts:
        figures["reading"] = apart("read", given.folder, given.quick)
    newest = max((index / "snapshots").iterdir(), key=lambda path: path.stat().st_mtime)
    sizes = {"corpus": corpus, "a snapshot": newest, "cache of vectors": index / "cache"}
    figures["megabytes on disk"] = {name: size(place) for name, place in sizes.items()}
    if given.json:
        print(json.dumps(figures))
        return
    for step, found in figures.items():
        print(step)
        for name, value in found.items():
            print(f"  {name:<24}{value}")


def size(folder: Path) -> float:
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20, 1)


if __name__ == "__main__":
    main()
