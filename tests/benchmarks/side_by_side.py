"""Index test collections, query them, and print the figures: ours alone, or in turn with peer libraries and as ratios.

    python -m tests.benchmarks.side_by_side DATA_DIR... [--peers PEERS_DIR --peer-script PATH] [--rounds 3] [--queries N] [--raw FILE]

A round measures, for each collection and each peer, ours and that peer one right after the other, in the next round in
the other order; own.py says how ours is measured. A ratio is that of two such runs, and what is printed is the median over
the rounds, of each figure and of each ratio. p50 and p99 are over all queries asked. `rss_mb` is the peak memory of the
process that builds and is asked. `served_mb` is that of a second process which opens the built index and is asked the same;
a peer has but one process, so ours is divided by its `rss_mb`. `own_cost`, once in a round, is by how much the build, from
texts to a published index, takes longer than it takes a process that does nothing else to embed the same texts. The model's
ONNX export, needed once per model, is made before any clock starts.

With --raw each pair is kept as soon as it is measured, and a run that was broken off goes on with the next one.
Left out: what own.py leaves out. No figure makes it fail.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import OURS, RATIOS, Figures, summary
from tests.benchmarks.raw import PEERS, Raw, RunFailed, environments, output, step

COLUMNS = (
    *("docs", "passages", "queries", "build_s_imports_included", "docs_per_s", "p50_ms", "p99_ms"),
    *("ndcg@10", "ndcg@10_deep", "first", "rss_mb", "served_mb"),
)
FILES = ("corpus.jsonl", "queries.jsonl", "qrels.tsv")


def ours(data: Path, size: int, models: Path, *, alone: bool) -> Figures:
    """Ours, built in one process and served by another; with `alone` a third embeds the same texts and does nothing else."""
    with tempfile.TemporaryDirectory() as scratch:
        arguments = (data, Path(scratch) / "index", models, str(size))
        figures = {**step("own", "build", *arguments), **step("own", "serve", *arguments)}
        if alone:
            figures |= step("own", "embed", *arguments)
            figures["own_cost"] = round(figures["indexing_s"] / figures["embedding_alone_s"] - 1, 4)
        return figures


def pair(data: Path, size: int, models: Path, peer: str, python: Path | None, script: Path | None, *, first: bool, alone: bool) -> Figures:
    """Ours and a peer's, ours first or second; without an environment ours alone."""
    if python is None or script is None:
        return {"data": data.name, "peer": peer, "ours": ours(data, size, models, alone=alone), "theirs": None}
    command = (python, script, peer, data, "--queries", str(size))
    if first:
        mine, theirs = ours(data, size, models, alone=alone), output(*command)
    else:
        theirs, mine = output(*command), ours(data, size, models, alone=alone)
    return {"data": data.name, "peer": peer, "ours_first": first, "ours": mine, "theirs": theirs}


def measure(raw: Raw, folders: Sequence[Path], rounds: int, size: int, peers: Mapping[str, Path], script: Path | None) -> None:
    """All that the file does not have yet: round by round, so that what is there after an hour is of all collections."""
    with tempfile.TemporaryDirectory() as models:
        step("own", "export", models)
        for name, python in peers.items():
            raw.peer(name, python)
        for number in range(1, rounds + 1):
            for data in folders:
                for place, (peer, environment) in enumerate(peers.items() or [(OURS, None)]):
                    once = partial(pair, data, size, Path(models), peer, environment, script, first=bool(number % 2), alone=not place)
                    raw.part(f"{data.name}, round {number}, {peer}", once)


def table(rows: Iterable[tuple[str, Mapping[str, Any]]], columns: Sequence[str]) -> str:
    """The rows, each with its name, under the names of their columns."""
    cells = [["", *columns], *([name, *(_cell(row.get(column)) for column in columns)] for name, row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) and abs(value) < 1000 else str(value)


def show(found: Mapping[str, Figures]) -> None:
    for data, figures in found.items():
        print(f"{data}: medians\n\n{table([(OURS, figures['ours']), *figures['peers'].items()], COLUMNS)}\n")
        if figures["ratios"]:
            pairs = ", ".join(f"{count} with {peer}" for peer, count in figures["rounds"].items())
            print(f"{OURS} / peer: medians over pairs, {pairs}\n\n{table(figures['ratios'].items(), RATIOS)}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Figures on test collections: ours alone, or in turn with peer libraries.")
    parser.add_argument("data", type=Path, nargs="+", metavar="DATA_DIR", help="folder with corpus.jsonl, queries.jsonl and qrels.tsv")
    parser.add_argument("--peers", type=Path, metavar="PEERS_DIR", help=f"folder of virtual environments: {', '.join(PEERS)}")
    parser.add_argument("--peer-script", type=Path, metavar="PATH", help="what each of them runs; needed with --peers")
    parser.add_argument("--only", nargs="+", default=list(PEERS), choices=list(PEERS), metavar="PEER", help="of the peers, only these")
    parser.add_argument("--rounds", type=int, default=3, help="how often each pair is measured; 3 by default")
    parser.add_argument("--queries", type=int, default=0, metavar="N", help="ask N evenly spaced queries; 0, the default, asks all")
    parser.add_argument("--raw", type=Path, metavar="FILE", help="keep the figures there, and go on with what it has")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    if (options.peers is None) != (options.peer_script is None):
        parser.error("--peers and --peer-script go together")
    folders = [folder.resolve() for folder in options.data]
    for folder in folders:
        if absent := [name for name in FILES if not (folder / name).is_file()]:
            parser.error(f"{folder} lacks {', '.join(absent)}")
    script = options.peer_script.resolve() if options.peer_script else None
    with tempfile.TemporaryDirectory() as scratch:
        raw = Raw(options.raw or Path(scratch) / "raw.json", "side_by_side", {"queries": options.queries})
        try:
            measure(raw, folders, options.rounds, options.queries, environments(options.peers, options.only), script)
        except RunFailed as error:
            sys.exit(f"{OURS} failed: {error}")
        found = summary(raw.parts.values())
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)


if __name__ == "__main__":
    main()
