"""An index of a thousand passages, of ten thousand, of a million: what it costs to build, to keep, to open and to ask.

    python -m tests.benchmarks.scaling FOLDER --data DIR... [--sizes 1000 5000 10000 100000 1000000] [--queries 200] [--raw FILE]

FOLDER keeps the real passages of the collections with their vectors, and the index of the size that is being measured, which
goes when it is done unless --keep is given: a million passages take some 20 GB. passages.py says what is put in. Each step is a
process of its own, so that its memory is its own, and each is kept in the file as soon as it is measured.

`build_s` is all but embedding and making the documents up: cutting, looking vectors up, writing, publishing. Embedding is
measured apart, on 512 real passages, and what it would take is computed from that pace. "again" is a build with one document changed.
`recall@10` is the share of the ten passages of highest cosine, by numpy over all vectors, that the dense search finds, over
the collections' questions; where scores tie, either passage counts.

Left out: reading files; how good answers are, for copies have no judgements.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks import scaling_steps
from tests.benchmarks.raw import Figures, Raw, say, step

SIZES = (1_000, 5_000, 10_000, 100_000, 1_000_000)
PARTS = ("fill", "build", "open", "query", "recall", "again")


def measure(raw: Raw, folder: Path, data: Sequence[Path], sizes: Sequence[int], queries: int, again: int, *, keep: bool) -> None:
    """All that the file does not have yet."""
    if all(name(size, part) in raw.parts for size in sizes for part in parts_of(size, again)):
        return
    raw.forget(["real passages"])  # what is embedded already stays, if it is still what is wanted
    if raw.part("real passages", lambda: run("prepare", folder, *data)) is None:
        return
    raw.part("embedding", lambda: run("pace", folder))
    for size in sizes:
        if all(name(size, part) in raw.parts for part in parts_of(size, again)):
            say(f"{size} passages: known")
            continue
        place = scaling_steps.index_of(folder, size)
        if not (place / "CURRENT").exists():
            raw.forget(name(size, part) for part in ("fill", "build"))
        for part in parts_of(size, again):
            if raw.part(name(size, part), steps(part, folder, size, queries)) is None:
                break
        else:
            if not keep:
                shutil.rmtree(place)


def parts_of(size: int, again: int) -> list[str]:
    """What is measured at a size."""
    return [part for part in PARTS if part != "again" or size <= again]


def steps(part: str, folder: Path, size: int, queries: int) -> Callable[[], Figures]:
    if part == "open":  # by two processes: the first may have more to check
        return lambda: {"first": run("open", folder, str(size)), "second": run("open", folder, str(size))}
    return lambda: run(part, folder, str(size), str(queries))


def run(part: str, folder: Path, *arguments: str | Path) -> Figures:
    return step("scaling_steps", part, folder, *arguments)


def name(size: int, part: str) -> str:
    return f"{size} passages, {part}"


def main() -> None:
    parser = argparse.ArgumentParser(description="What an index costs as it grows.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where real passages and indexes are kept")
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="DIR", help="test collections that the passages come from")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="passages")
    parser.add_argument("--queries", type=int, default=200, help="of the collections' questions, so many in all; 200 by default")
    parser.add_argument("--again", type=int, default=100_000, help="up to this size a build with one document changed is measured")
    parser.add_argument("--keep", action="store_true", help="keep the indexes")
    parser.add_argument("--raw", type=Path, metavar="FILE", help="keep the figures there; FOLDER/scaling.json by default")
    options = parser.parse_args()
    folder, data = options.folder.resolve(), [one.resolve() for one in options.data]
    raw = Raw(options.raw or folder / "scaling.json", "scaling", {"data": [one.name for one in data], "queries": options.queries})
    measure(raw, folder, data, options.sizes, options.queries, options.again, keep=options.keep)
    for part, figures in raw.parts.items():
        print(part)
        for figure, value in figures.items():
            print(f"  {figure:<22}{json.dumps(value)}")


if __name__ == "__main__":
    main()
