"""Read every PDF of a folder with this project's reader and, beside it, with plain pypdf, and print what got lost.

    python tests/benchmarks/documents.py PDFS_DIR [--jobs N] [--json]

Each file is read in a worker process with a limit of 30 seconds and 2 GiB, once by `readers.read` and once by pypdf's
`extract_text` on its first five pages. Every file has an outcome: text, an error with its message, time-out, or killed.
A word is a run of \\w, in NFKC and case-folded. A file's share is the part of pypdf's words, as a multiset, that stands
in the first five pages of our canonical text or among the texts that our report says were left out.

Left out: whether the words stand in the right order, and whether pypdf's are words at all: a look at the files that
come out worst tells. No figure makes it fail, but the exit status is 1 where a file has no outcome.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import re
import resource
import sys
import threading
import time
import unicodedata
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

PAGES = 5
SECONDS, BYTES = 30.0, 2 * 1024**3
ENOUGH = 0.95
WORST = 20
PER_WORKER = 100
"""Readings after which a worker is replaced, so that no file suffers from the memory that others left in pieces."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reader made of one file: `outcome` is text, nothing, error, time-out or killed."""

    outcome: str
    detail: str = ""
    seconds: float = 0.0
    words: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One file, read twice; `share` is None where pypdf gives no word."""

    file: str
    ours: Reading
    pypdf: Reading

    @property
    def share(self) -> float | None:
        total = sum(self.pypdf.words.values())
        return sum((Counter(self.pypdf.words) & Counter(self.ours.words)).values()) / total if total else None

    @property
    def missing(self) -> list[str]:
        return list((Counter(self.pypdf.words) - Counter(self.ours.words)).elements())


def words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def ours(path: Path) -> Counter[str]:
    from eunato_rag.ingestion.readers import read

    document = read(path)
    kept = (document.text[span.start : span.end] for span in document.pages if span.page.number <= PAGES)
    return words("\n".join((*kept, *(change.removed for change in document.report))))


def plain(path: Path) -> Counter[str]:
    import pypdf

    reader = pypdf.PdfReader(path)
    if reader.is_encrypted:
        reader.decrypt("")
    return words("\n".join(page.extract_text() for page in reader.pages[:PAGES]))


READERS = {"ours": ours, "pypdf": plain}


def work(connection: Connection) -> None:
    """A worker: reads what it is told to until the pipe closes."""
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    while True:
        try:
            reader, path = connection.recv()
        except EOFError:
            return
        began = time.perf_counter()
        try:
            found = READERS[reader](path)
        except Exception as error:  # noqa: BLE001 - the outcome of a foreign reader is whatever it raises
            connection.send(("error", f"{type(error).__name__}: {error}", time.perf_counter() - began, {}))
        else:
            connection.send(("text" if found else "nothing", "", time.perf_counter() - began, dict(found)))


class Worker:
    """A process that reads one file at a time and is replaced when it hangs or dies."""

    def __init__(self) -> None:
        self._process: Any = None

    def read(self, reader: str, path: Path) -> Reading:
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=work, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
            self._left = PER_WORKER
        try:
            self._pipe.send((reader, path))
            # A fresh worker imports first, which is none of the file's time.
            if not self._pipe.poll(SECONDS + (20.0 if self._left == PER_WORKER else 0.0)):
                self.close()
                return Reading("time-out", f"after {SECONDS:.0f} s", SECONDS)
            answer = Reading(*self._pipe.recv())
        except (EOFError, ConnectionError):
            self._process.join()
            detail = f"exit status {self._process.exitcode}"
            self.close()
            return Reading("killed", detail)
        self._left -= 1
        if not self._left:
            self.close()
        return answer

    def close(self) -> None:
        if self._process is not None:
            self._pipe.close()
            self._process.kill()
            self._process.join()
            self._process = None


def compare(paths: Sequence[Path], root: Path, jobs: int) -> list[Comparison]:
    """Both readings of every file, in the order of the paths."""
    queue: SimpleQueue[Path] = SimpleQueue()
    for path in paths:
        queue.put(path)
    done: dict[Path, Comparison] = {}

    def serve() -> None:
        worker = Worker()
        try:
            while True:
                path = queue.get_nowait()
                done[path] = Comparison(str(path.relative_to(root)), worker.read("ours", path), worker.read("pypdf", path))
        except Empty:
            worker.close()

    threads = [threading.Thread(target=serve) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [done[path] for path in paths if path in done]


def report(results: Sequence[Comparison], count: int) -> str:
    """The figures, then the files where something got lost."""
    lines = [f"{count} files, {len(results)} with an outcome"]
    for name in READERS:
        readings = [getattr(result, name) for result in results]
        outcomes = Counter(reading.outcome for reading in readings)
        slowest = max((reading.seconds for reading in readings), default=0.0)
        lines.append(f"{name:>6}: {', '.join(f'{n} {outcome}' for outcome, n in outcomes.most_common())}; slowest {slowest:.1f} s")
    lost = [r for r in results if r.pypdf.outcome == "text" and r.ours.outcome != "text"]
    lines.append(f"\n{len(lost)} files give text with pypdf and none here")
    lines += [f"  {r.file}: {r.ours.outcome} {r.ours.detail} ({sum(r.pypdf.words.values())} words)" for r in lost]
    short = sorted((r for r in results if r.share is not None and r.share < ENOUGH and r not in lost), key=lambda r: r.share or 0.0)
    lines.append(f"\n{len(short)} files below {ENOUGH:.0%} of pypdf's words")
    for r in short[:WORST]:
        lines.append(f"  {r.share:6.1%} of {sum(r.pypdf.words.values()):5} {r.file}: {' '.join(r.missing[:8])[:100]}")
    trouble = [r for r in results if r.ours.outcome in ("time-out", "killed")]
    lines.append(f"\n{len(trouble)} files killed or out of time here")
    lines += [f"  {r.file}: {r.ours.outcome}, {r.ours.detail}" for r in trouble]
    unforeseen = [r for r in results if r.ours.outcome == "error" and not r.ours.detail.startswith("UnreadableDocument:")]
    lines.append(f"\n{len(unforeseen)} files with an error that is not the reader's own")
    lines += [f"  {r.file}: {r.ours.detail[:140]}" for r in unforeseen]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Words of PDFs that plain pypdf finds and this project's reader loses.")
    parser.add_argument("pdfs_dir", type=Path)
    parser.add_argument("--jobs", type=int, default=2, help="files read at the same time")
    parser.add_argument("--json", action="store_true", help="one line of JSON per file instead of the figures")
    arguments = parser.parse_args()
    paths = sorted(arguments.pdfs_dir.rglob("*.pdf"))
    results = compare(paths, arguments.pdfs_dir, arguments.jobs)
    if arguments.json:
        for result in results:
            print(json.dumps(asdict(result) | {"share": result.share}, ensure_ascii=False))
    else:
        print(report(results, len(paths)))
    return 0 if len(results) == len(paths) else 1


if __name__ == "__main__":
    sys.exit(main())
