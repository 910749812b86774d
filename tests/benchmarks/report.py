"""Raw figures -> docs/benchmarks.md and its plots.

    python -m tests.benchmarks.report RAW.json... --into docs

The files are those that side_by_side, serving, scaling and bulk (with --json) wrote, any of them, several of one kind if
they measured different things. Nothing is measured here, and the same files give the same document.
Left out: judging beyond the table of goals (goals), drawing (plots).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import OURS, RATIOS, SEVERAL, Figures, summary
from tests.benchmarks.goals import Goal, goals, sizes

PAGE, PLOTS = "benchmarks.md", "benchmarks"
KINDS = ("side_by_side", "serving", "scaling", "bulk")
COLUMNS = {
    "docs_per_s": "documents/s, build",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "ndcg@10": "nDCG@10",
    "first": "first right",
    "rss_mb": "peak MB, build and queries",
    "served_mb": "peak MB, queries alone",
}
BARS = {"p50_ms": "query, p50 in ms", "docs_per_s": "build, documents/s", "memory": "memory while queried, MB"}


@dataclass(frozen=True, slots=True)
class Measured:
    """The parts of each kind, and where and when they were measured."""

    parts: Mapping[str, Mapping[str, Any]]
    machines: Sequence[Mapping[str, Any]]
    peers: Mapping[str, Mapping[str, str]]
    failed: Mapping[str, str]
    settings: Mapping[str, Mapping[str, Any]]

    @property
    def dates(self) -> list[str]:
        found = (part["measured"][:10] for kind in self.parts.values() for part in kind.values() if "measured" in part)
        return sorted(set(found))


def read(paths: Iterable[Path]) -> Measured:
    """What the files hold, together. A part that two files have ends the program: which is right cannot be told."""
    parts: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    machines: list[Mapping[str, Any]] = []
    peers: dict[str, Mapping[str, str]] = {}
    failed: dict[str, str] = {}
    settings: dict[str, Mapping[str, Any]] = {}
    for path in paths:
        raw = json.loads(path.read_text("utf-8"))
        if "first run" in raw:  # what bulk prints
            raw = {"kind": "bulk", "parts": {name: part for name, part in raw.items() if isinstance(part, dict)}}
        kind = raw.get("kind")
        if kind not in KINDS:
            sys.exit(f"{path} holds no raw figures of {', '.join(KINDS)}.")
        if twice := raw["parts"].keys() & parts[kind].keys():
            sys.exit(f"{path} measured again what another file has: {', '.join(sorted(twice))}. Give one of the two.")
        parts[kind] |= raw["parts"]
        peers |= raw.get("peers", {})
        failed |= raw.get("failed", {})
        settings[kind] = raw.get("settings", {})
        if raw.get("machine") and raw["machine"] not in machines:
            machines.append(raw["machine"])
    return Measured(parts, machines, peers, failed, settings)


def page(measured: Measured, plots: Sequence[str]) -> str:
    side = summary(measured.parts["side_by_side"].values())
    serving, scaling, bulk = (measured.parts[kind] for kind in ("serving", "scaling", "bulk"))
    served = measured.settings.get("serving", {}).get("data", "")
    sections = [
        "# Benchmarks\n\nMade by `python -m tests.benchmarks.report` from raw figures; do not edit. What is measured, and how: "
        "[tests/benchmarks](../tests/benchmarks/README.md). Figures of one machine are comparable with each other, not with those "
        "of another; what counts is a ratio of two runs side by side.",
        _machines(measured),
        _goals(goals(side, serving, scaling, bulk, served)),
        *([_side(side, measured.settings["side_by_side"], "side_by_side.svg" in plots)] if side else []),
        *([_serving(serving, served, side.get(served, {}).get("peers", {}))] if serving else []),
        *([_scaling(scaling, plots)] if scaling else []),
        *([_bulk(bulk)] if bulk else []),
    ]
    if measured.failed:
        sections.append("## What failed\n\n" + "\n".join(f"- {name}: {why}" for name, why in sorted(measured.failed.items())))
    return "\n\n".join(sections) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table in Markdown; the first column is words, the others are numbers."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *([number(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: Any) -> str:
    """As it is read: three digits that count, four below 1, thousands apart, nothing for what was not measured."""
    if value is None:
        return ""
    if not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) < 1 else f"{value:.3g}"


def _machines(measured: Measured) -> str:
    lines = [f"Measured on {' and '.join(measured.dates)}."] if measured.dates else []
    for machine in measured.machines:
        packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
        lines.append(
            f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gb']} GB, {machine['system']}; "
            f"Python {machine['python']}, {packages}."
        )
    for peer, versions in measured.peers.items():
        lines.append(f"{peer}: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".")
    return "## Machine\n\n" + "\n".join(f"- {line}" for line in lines)


def _goals(found: Sequence[Goal]) -> str:
    words = {True: "reached", False: "**not reached**", None: "open"}
    rows = [(goal.name, goal.wanted, goal.found, words[goal.reached]) for goal in found]
    lines = [("goal", "wanted", "measured", ""), ("---",) * 4, *rows]
    return "## Goals\n\nA ratio is ours over that of the peer that is best in this very figure, a median over rounds.\n\n" + "\n".join(
        "| " + " | ".join(line) + " |" for line in lines
    )


def _side(side: Mapping[str, Figures], settings: Mapping[str, Any], plot: bool) -> str:
    asked = f"{settings['queries']} evenly spaced queries" if settings.get("queries") else "all judged queries"
    parts = [
        f"## Side by side\n\nThe same model and texts, {asked}, one at a time, ten hits each; medians over rounds in which ours and a peer "
        "were measured one right after the other. nDCG@10 is that of the first ten documents, also where a long document is several "
        "passages. A peer has one process, so our memory of queries alone is compared with its peak."
    ]
    parts += [f"![Bars of latency, build and memory]({PLOTS}/side_by_side.svg)"] if plot else []
    for data, figures in side.items():
        rows = [
            (OURS, figures["ours"] | {"ndcg@10": figures["ours"].get("ndcg@10_deep", figures["ours"]["ndcg@10"])}),
            *figures["peers"].items(),
        ]
        parts.append(f"### {data}\n\n{figures['ours']['docs']:,} documents, {figures['ours']['queries']:,} queries")
        parts.append(table(["", *COLUMNS.values()], ([name, *(row.get(column) for column in COLUMNS)] for name, row in rows)))
        if figures["ratios"]:
            each = (
                [f"{OURS} / {peer}, {figures['rounds'][peer]} pairs", *(ratios.get(name) for name in RATIOS)]
                for peer, ratios in figures["ratios"].items()
            )
            parts.append(table(["median of the ratios", *(COLUMNS[name] for name in RATIOS)], each))
    return "\n\n".join(parts)


def _serving(parts: Mapping[str, Any], data: str, peers: Mapping[str, Figures]) -> str:
    found = [f"## Serving\n\nOver {data}, on loopback, clients and server on the same cores; the peers as above."]
    if start := parts.get("cold start"):
        rows = [[OURS, start["first_answer_s"], None]]
        rows += [[f"{peer}, imports alone", seconds, start["ratios"][peer]] for peer, seconds in start["imports_s"].items()]
        found.append(table(["from the start of a process", "s", "ratio"], rows))
    if modules := parts.get("modules"):
        unwanted = ", ".join(modules["unwanted"]) or "none"
        found.append(f"Heavy packages imported for an answer: {', '.join(modules['heavy'])}; of those that should not be: {unwanted}.")
    if server := parts.get("server"):
        moments = [[name, *memory.values()] for name, memory in server["memory"].items()]
        found.append(table(["the server's memory", "resident MB", "private MB", "peak MB"], moments))
        rows = [
            [
                f"{name.split()[0]}, {load['clients']} at a time{of}",
                load["per_s"],
                load["p50_ms"],
                load["p99_ms"],
                sum(load["failures"].values()),
            ]
            for of, part in {"": server, f", {SEVERAL}": parts.get(SEVERAL, {})}.items()
            for name, load in part.get("load", {}).items()
        ]
        rows += [
            [f"{peer}, one client in its process", 1000 / row["p50_ms"], row["p50_ms"], row["p99_ms"], None] for peer, row in peers.items()
        ]
        found.append(table(["", "answers/s", "p50 ms", "p99 ms", "failures"], rows))
    return "\n\n".join(found)


def _scaling(parts: Mapping[str, Any], plots: Sequence[str]) -> str:
    pace, real = parts.get("embedding", {}).get("passages_per_s"), parts.get("real passages", {}).get("passages")
    found = [
        f"## Scaling\n\n{real:,} real passages, then perturbed copies of them (cosine about 0.9). Built is all but embedding, "
        f"which is computed from {number(pace)} passages/s, measured on real ones. Opened by a first and by a second process."
    ]
    found += [f"![{title}]({PLOTS}/{name})" for name, title in CURVES.items() if name in plots]
    lines, disks = [], []
    kept = list(dict.fromkeys(part for size in sizes(parts) for part in parts.get(f"{size} passages, build", {}).get("disk_mb", {})))
    for size in sizes(parts):
        build, opened, query, recall, again = (
            parts.get(f"{size} passages, {part}", {}) for part in ("build", "open", "query", "recall", "again")
        )
        disk = build.get("disk_mb", {})
        opens = [opened.get(which, {}).get("open_ms") for which in ("first", "second")]
        lines.append(
            [
                *(f"{size:,}", build.get("build_s"), size / pace if pace else None, build.get("peak_mb"), again.get("build_s")),
                *(
                    *opens,
                    query.get("resident_mb"),
                    query.get("private_mb"),
                    query.get("p50_ms"),
                    query.get("p99_ms"),
                    recall.get("recall@10"),
                ),
            ]
        )
        if disk:
            disks.append([f"{size:,}", *(disk.get(part) for part in kept), sum(disk.values()), build["cache_mb"]])
    found.append(
        table(
            [
                *("passages", "built s", "embedding s", "peak MB", "built with one document changed s", "open ms", "again ms"),
                *("resident MB after queries", "of it private", "p50 ms", "p99 ms", "recall@10"),
            ],
            lines,
        )
    )
    if disks:
        found.append(table(["MB on disk", *kept, "together", "cache of vectors"], disks))
    stages = {size: parts[f"{size} passages, query"]["stages_p50_ms"] for size in sizes(parts) if f"{size} passages, query" in parts}
    names = list(dict.fromkeys(name for each in stages.values() for name in each))
    if stages:
        rows = ([f"{size:,}", *(each.get(name) for name in names)] for size, each in stages.items())
        found.append(table(["query, p50 ms of", *names], rows))
    return "\n\n".join(found)


def _bulk(parts: Mapping[str, Any]) -> str:
    runs = [
        [name, run["documents"], run["passages"], run["embedded"], run["seconds"], run["peak_mb"]]
        for name, run in parts.items()
        if "seconds" in run
    ]
    return "## A thousand documents in files\n\n" + table(["", "documents", "passages", "embedded", "s", "peak MB"], runs)


CURVES = {"scaling.svg": "Latency and memory against passages", "recall.svg": "Recall against passages"}


def draw(measured: Measured, folder: Path) -> list[str]:
    """Write the plots for which there are figures; their names."""
    from tests.benchmarks import plots

    side, scaling = summary(measured.parts["side_by_side"].values()), measured.parts["scaling"]
    drawn = []
    if side:
        systems = {data: {OURS: figures["ours"], **figures["peers"]} for data, figures in side.items()}
        memory = {
            data: {name: row | {"memory": row.get("served_mb", row["rss_mb"])} for name, row in each.items()}
            for data, each in systems.items()
        }
        panels = {title: {d: {n: row[figure] for n, row in each.items()} for d, each in memory.items()} for figure, title in BARS.items()}
        plots.bars(folder / "side_by_side.svg", panels)
        drawn.append("side_by_side.svg")

    def line(name: str, part: str, figure: str) -> plots.Line:
        known = {size: each for size in sizes(scaling) if figure in (each := scaling.get(f"{size} passages, {part}", {}))}
        return name, list(known), [each[figure] for each in known.values()]

    if any(", query" in name for name in scaling):
        latency = [line("p50", "query", "p50_ms"), line("p99", "query", "p99_ms")]
        memory_lines = [
            line("peak of the build", "build", "peak_mb"),
            line("asked, resident", "query", "resident_mb"),
            line("asked, private", "query", "private_mb"),
        ]
        plots.curves(folder / "scaling.svg", {"Query": ("ms", latency), "Memory": ("MB", memory_lines)})
        drawn.append("scaling.svg")
    if any(", recall" in name for name in scaling):
        plots.curves(folder / "recall.svg", {"recall@10 of the dense search": ("", [line("recall@10", "recall", "recall@10")])}, log=False)
        drawn.append("recall.svg")
    return drawn


def main() -> None:
    parser = argparse.ArgumentParser(description="Raw figures -> docs/benchmarks.md and its plots.")
    parser.add_argument("raw", type=Path, nargs="+", metavar="RAW.json")
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="folder of the document, as docs")
    options = parser.parse_args()
    measured = read(options.raw)
    drawn = draw(measured, options.into / PLOTS)
    (options.into / PAGE).write_text(page(measured, drawn), "utf-8")


if __name__ == "__main__":
    main()
