"""The process that does one job: python -m eunato_rag.serving.jobs.worker CORPUS INDEX JOB

It has the environment, and so the settings, of whoever started it. SIGTERM ends it between two steps; what was embedded
by then is kept, and nothing is published. Left out: which job is next, and what becomes of one whose process died (dispatch).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from eunato_rag.errors import EunatoRagError, IndexBusy, InvalidText
from eunato_rag.serving.jobs.store import Job, JobStore

if TYPE_CHECKING:
    from eunato_rag.ingestion.preparing import Recruit
    from eunato_rag.reindex import Report
    from eunato_rag.settings import Settings

Progress = Callable[[str, int, int], None]
UPLOADED, REMOVED = "uploaded", ".removed"
"""Folders below the corpus: files that came over HTTP, and those that were taken out; of the second nothing is read."""

NAMED = 100
"""Files of one kind that a job's report names; of ten thousand that did not change nobody wants to read."""

_TELL_EVERY_S = 0.2
_WAIT_FOR_INDEX_S = 600.0
_YIELDS = 10
"""How far behind those who ask a job stands for the processor, of 19."""


class Cancelled(BaseException):
    """Raised in the middle of the work by the signal that ends it; nothing below may take it for a fault."""


def main(corpus: Path, index: Path, identity: str) -> int:
    """Do a queued job to its end; 0 where it succeeded."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Cancelled

    signal.signal(signal.SIGTERM, stop)
    os.nice(_YIELDS)
    from eunato_rag.settings import load_settings

    store = JobStore(index)
    try:
        with store.taking(identity) as job:
            perform(store, job, load_settings(corpus=corpus, index=index))
    except (EunatoRagError, Cancelled) as error:
        print(f"{identity}: {error or 'cancelled'}", file=sys.stderr)
        return 1
    return 0


def perform(
    store: JobStore,
    job: Job,
    settings: Settings,
    also: Progress | None = None,
    *,
    wait: bool = True,
    recruit: Recruit | None = None,
) -> Report:
    """Do a job that this process has taken, and write down its progress and what came of it.

    `also` is told of the progress besides. With `wait`, another process that writes to the index is waited for. `recruit` makes
    who reads and embeds, where that is not this machine alone.

    Raises:
        EunatoRagError: as `reindex` does, or the file to be added or removed is not what it should be.
    """
    from eunato_rag.ingestion.preparing import Here
    from eunato_rag.reindex import reindex
    from eunato_rag.serving import assembly

    tell = _teller(store, job.id, also)
    if job.kind == "add":
        try:
            _add(job.request, settings)
        finally:  # where this process is killed it stays, for the next attempt
            Path(job.request["file"]).unlink(missing_ok=True)
    elif job.kind == "remove":
        _remove(job.request, settings.corpus)
    embedder = assembly.embedder(settings)
    deadline = time.monotonic() + (_WAIT_FOR_INDEX_S if wait else 0)
    while True:
        try:
            report = reindex(
                settings.corpus,
                settings.index,
                embedder,
                assembly.chunking(settings),
                abstention=assembly.abstention(settings),
                limits=assembly.limits(settings),
                full=bool(job.request.get("full")),
                keep=settings.snapshots.keep,
                milvus=assembly.milvus(settings),
                recruit=recruit or Here,
                progress=tell,
            )
            break
        except IndexBusy:
            if time.monotonic() >= deadline:
                raise
            tell("waiting", 0, 1)
            time.sleep(0.5)
    store.finish(job.id, "succeeded", report=_told(report), snapshot=report.snapshot)
    return report


def _told(report: Report) -> dict[str, Any]:
    """The report as it is remembered: how many files each thing happened to, and the first of them by name."""
    table = asdict(report)
    counts = {name: len(listed) for name, listed in table.items() if isinstance(listed, list | tuple)}
    return {name: value[:NAMED] if name in counts else value for name, value in table.items()} | {"counts": counts}


def _add(request: Mapping[str, Any], settings: Settings) -> None:
    """Put an uploaded file into the corpus, if it can be read there; what it replaces is kept aside."""
    from eunato_rag.ingestion.isolation import Worker
    from eunato_rag.serving import assembly

    staged, target = Path(request["file"]), settings.corpus / UPLOADED / request["name"]
    if not staged.is_file():
        if target.is_file() and _digest(target) == request["sha256"]:  # put there by an attempt before, or another job for the same bytes
            return
        raise InvalidText("The uploaded file is gone. Upload it again.")
    reader = Worker(assembly.limits(settings))
    try:
        reader.read(staged)  # raises UnreadableDocument with the reason
    finally:
        reader.close()
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.part")
    shutil.copyfile(staged, aside)
    os.replace(aside, target)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(request: Mapping[str, Any], corpus: Path) -> None:
    """Take a document's file out of what is read, without destroying it."""
    path = corpus / request["source"]
    if not path.is_file() or not path.resolve().is_relative_to(corpus.resolve()):
        raise InvalidText(f"{request['source']} is not in the corpus any more.")
    digest = hashlib.sha256(str(request["source"]).encode()).hexdigest()[:8]
    kept = corpus / REMOVED / f"{digest}-{path.name}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    os.replace(path, kept)


def _teller(store: JobStore, identity: str, also: Progress | None) -> Progress:
    """Writes progress down, no more than some times a second, but every stage's begin and end."""
    last: tuple[str, float] = ("", 0.0)

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if stage != last[0] or done >= total or now - last[1] >= _TELL_EVERY_S:
            store.advance(identity, stage, done, total)
            last = (stage, now)
        if also is not None:
            also(stage, done, total)

    return tell


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
