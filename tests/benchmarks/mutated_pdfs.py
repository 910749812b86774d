"""Read the PDFs of a folder made wrong in every way, as the service reads them, and count what came of it.

    python tests/benchmarks/mutated_pdfs.py FOLDER [--seconds N] [--seed S] [--keep DIR] [--suffix .html] [--jobs N]

Each file is one of the folder's with bytes flipped, cut or doubled, numbers, names and references swapped, streams unpacked
and made wrong, or parts of another file put in (tests/ingestion/mutation.py). It is read in a worker with a limit of time
and memory; a document must be sound (tests/ingestion/soundness.py), and a refusal must be the reader's own reason. A worker
that PDFium kills is counted: the run goes on, and the file is named. A worker that ends by itself is a mistake of this
project's: its reader raised what its contract does not name.

The same folder, seed and number make the same file. What went wrong is kept in DIR, its number in its name. The exit status
is 1 where a document was unsound or a reader raised what it should not. Left out: whether a document says what its file does.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.ingestion.mutation import mutated, mutated_pdf, mutated_zip
from tests.ingestion.soundness import check_document

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.isolation import Limits, Workers
from eunato_rag.records import Document

LARGEST = 1024 * 1024
"""Bytes of a file that is made wrong: thousands of small ones find more than a few large ones."""
_BATCH = 40
_WRONG = {".pdf": mutated_pdf, ".docx": mutated_zip}
_KINDS = (
    ("took longer than", "time limit"),
    ("of memory to read", "memory limit"),
    ("was ended by", "worker crashed"),
    ("ended with code", "raised what it should not"),
)
_FAULTS = ("raised what it should not", "unsound")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one file: a kind that is counted, and what was said."""

    kind: str
    detail: str = ""


def made(sources: list[bytes], suffix: str, seed: str) -> bytes:
    chance = random.Random(seed)
    others = chance.sample(sources, min(3, len(sources)))
    return _WRONG.get(suffix, mutated)(chance.choice(sources), chance, others)


def outcome_of(read: Document | UnreadableDocument, path: Path) -> Outcome:
    if isinstance(read, Document):
        try:
            check_document(read)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a document is what this looks for
            return Outcome("unsound", f"{type(error).__name__}: {error}"[:300])
        return Outcome("document")
    reason = str(read)
    kind = next((kind for words, kind in _KINDS if words in reason), "")
    if kind == "raised what it should not":
        command = "import sys, pathlib; from eunato_rag.ingestion.readers import read; read(pathlib.Path(sys.argv[1]))"
        again = subprocess.run([sys.executable, "-c", command, str(path)], capture_output=True, text=True, timeout=120, check=False)
        return Outcome(kind, " / ".join(line.strip() for line in again.stderr.splitlines()[-5:]))
    if kind:
        return Outcome(kind, reason)
    plain = reason.replace(path.name, "it")
    return Outcome("refused: " + re.sub(r"\(.*?\)|[\d,]*\d", "…", plain.partition(". ")[0])[:90])


def outcomes(sources: list[bytes], arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[Path, Outcome]]:
    """Files and what came of them, until the time is over; each file is deleted after its turn."""
    limits = Limits(seconds=arguments.limit, megabytes=arguments.megabytes)
    end, number = time.monotonic() + arguments.seconds, arguments.first
    with Workers(limits, arguments.jobs) as workers:
        while time.monotonic() < end:
            names = [f"{arguments.seed}-{n}" for n in range(number, number + _BATCH)]
            number += _BATCH
            paths = [folder / f"{name}{arguments.suffix}" for name in names]
            for name, path in zip(names, paths, strict=True):
                path.write_bytes(made(sources, arguments.suffix, name))
            for path, read in zip(paths, workers.read_all(paths), strict=True):
                yield path, outcome_of(read, path)
                path.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description="Files of a folder made wrong, read as the service reads them.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--keep", type=Path, help="folder for the files that something went wrong with")
    parser.add_argument("--suffix", default=".pdf")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=30, help="seconds for one file")
    parser.add_argument("--megabytes", type=int, default=2048)
    arguments = parser.parse_args()
    files = sorted(path for path in arguments.folder.rglob(f"*{arguments.suffix}") if path.stat().st_size <= LARGEST)
    if not files:
        parser.error(f"no {arguments.suffix} of at most {LARGEST:,} bytes in {arguments.folder}")
    sources = [path.read_bytes() for path in files]
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for path, outcome in outcomes(sources, arguments, Path(folder)):
            counts[outcome.kind] += 1
            if outcome.detail:
                print(f"{path.name}: {outcome.kind}: {outcome.detail}", flush=True)
                if arguments.keep is not None:
                    arguments.keep.mkdir(parents=True, exist_ok=True)
                    (arguments.keep / path.name).write_bytes(path.read_bytes())
    print(f"{counts.total():,} files made of {len(files)}, seed {arguments.seed}")
    for kind, count in sorted(counts.items(), key=lambda item: -item[1]):
        print(f"{count:7,} {kind}")
    return 1 if any(counts[fault] for fault in _FAULTS) else 0


if __name__ == "__main__":
    sys.exit(main())
