"""The goals of speed, memory and quality, and whether measured figures reach them. Pure, standard library only.

A peer's figure is that of the best peer in it, whichever that is: the fastest to build need not be the fastest to answer.
Where nothing was measured a goal stays open. Left out: goals that no benchmark of this folder measures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.figures import SEVERAL, Figures

SIZES = range(1_400, 5_201)
"""Passages of the collections on which queries are compared."""
SERVED = range(4_000, 6_001)
"""Of those whose memory is."""
QUALITY = {"scifact": ("ndcg@10", 0.75), "cranfield": ("ndcg@10", 0.59), "squad_v2": ("ndcg@10", 0.96)}
FIRST = {"squad_v2": 0.91}
NEAR, FAR = 5_000, 100_000

Parts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Goal:
    """What was to be reached, what was measured, and whether that is enough; None where it was not measured."""

    name: str
    wanted: str
    found: str
    reached: bool | None


def goals(side: Mapping[str, Figures], serving: Parts, scaling: Parts, bulk: Parts, served: str = "") -> list[Goal]:
    """All goals in their order. `side` is made by `figures.summary`; the others are the parts of raw figures, empty for none.

    What is served is the collection `served`: a server is compared with the peers as they were measured on it side by side.
    """
    peers: Mapping[str, Figures] = side.get(served, {}).get("peers", {})
    return [
        _ratio("build, documents/s over the fastest peer's", side, "docs_per_s", 2.0, most=False),
        _own_cost(side),
        _incremental(bulk),
        _ratio("query p50 over the fastest peer's", side, "p50_ms", 1 / 3, among=SIZES),
        _ratio("query p99 over the fastest peer's", side, "p99_ms", 1 / 3, among=SIZES),
        *_scaling(scaling),
        *_concurrent(serving, peers),
        _cold_start(serving),
        _ratio("memory of a process that serves 5,000 passages over the leanest peer's", side, "served_mb", 1 / 2, among=SERVED),
        _server(serving, peers),
        *_quality(side),
    ]


def _goal(name: str, bound: float, found: Mapping[str, float], *, most: bool = True) -> Goal:
    """A bound that each of the values has to keep."""
    wanted = f"{'at most' if most else 'at least'} {bound:.3g}"
    if not found:
        return Goal(name, wanted, "not measured", None)
    told = ", ".join(f"{of} {value:.{4 if value < 1 else 3}g}".strip() for of, value in found.items())
    return Goal(name, wanted, told, all(value <= bound if most else value >= bound for value in found.values()))


def _ratio(name: str, side: Mapping[str, Figures], figure: str, bound: float, *, among: range | None = None, most: bool = True) -> Goal:
    """The least favourable ratio to any peer, collection by collection."""
    worst: Callable[[Sequence[float]], float] = max if most else min
    found = {}
    for data, figures in side.items():
        ratios = [each[figure] for each in figures["ratios"].values() if figure in each]
        if ratios and (among is None or figures["ours"]["docs"] in among):
            found[data] = worst(ratios)
    return _goal(name, bound, found, most=most)


def _own_cost(side: Mapping[str, Figures]) -> Goal:
    found = {data: figures["ours"]["own_cost"] for data, figures in side.items() if figures["ours"].get("own_cost") is not None}
    return _goal("build, the pipeline's own cost over embedding alone", 0.05, found)


def _incremental(bulk: Parts) -> Goal:
    name = "one document changed, time over a full run's"
    if not bulk:
        return _goal(name, 0.02, {})
    full, changed = bulk["first run"], bulk["again, one changed"]
    goal = _goal(name, 0.02, {f"of {changed['documents']} documents": changed["seconds"] / full["seconds"]})
    found = f"{goal.found}; {changed['embedded']} passages embedded"
    return Goal(name, f"{goal.wanted}, nothing else embedded", found, bool(goal.reached) and changed["embedded"] <= 1)


def _scaling(parts: Parts) -> list[Goal]:
    near, far = (parts.get(f"{size} passages, query") for size in (NEAR, FAR))
    ratio = {"": far["p50_ms"] / near["p50_ms"]} if near and far else {}
    recalls = {
        f"{size} passages": figures["recall@10"]
        for size in sizes(parts)
        if (figures := parts.get(f"{size} passages, recall")) and "recall@10" in figures
    }
    return [
        _goal(f"query p50 at {FAR:,} passages over that at {NEAR:,}", 2.0, ratio),
        _goal("recall@10 of the dense search against exact", 0.99, recalls, most=False),
    ]


def sizes(parts: Parts) -> list[int]:
    """The sizes that raw figures of scaling have anything of."""
    return sorted({int(name.split()[0]) for name in parts if " passages, " in name})


def _concurrent(parts: Parts, peers: Mapping[str, Figures]) -> list[Goal]:
    loads = {
        f"{name.split()[0]} by {server}:": figures
        for server, part in {"1 process": "server", SEVERAL: SEVERAL}.items()
        for name, figures in parts.get(part, {}).get("load", {}).items()
        if figures["clients"] > 1
    }
    streams = [1000 / figures["p50_ms"] for figures in peers.values()]
    failed = {name: sum(figures["failures"].values()) for name, figures in loads.items()}
    return [
        _goal(
            "concurrent clients, answers/s over one client's of the fastest peer",
            3.0,
            {name: figures["per_s"] / max(streams) for name, figures in loads.items()} if streams else {},
            most=False,
        ),
        _goal("concurrent clients, p99 over p50", 10.0, {name: figures["p99_ms"] / figures["p50_ms"] for name, figures in loads.items()}),
        _goal("concurrent clients, failures", 0, failed),
    ]


def _cold_start(parts: Parts) -> Goal:
    ratios = parts.get("cold start", {}).get("ratios", {})
    return _goal(
        "start to first answer over the fastest peer's imports",
        1 / 3,
        {max(ratios, key=ratios.get): max(ratios.values())} if ratios else {},
    )


def _server(parts: Parts, peers: Mapping[str, Figures]) -> Goal:
    """A server with its HTTP, where a peer is a process without one."""
    held = parts.get("server", {}).get("memory", {}).get("after 300 searches")
    leanest = min((figures["rss_mb"] for figures in peers.values()), default=0)
    found = {"": held["resident_mb"] / leanest} if held and leanest else {}
    return _goal("memory of the HTTP server after 300 searches over the leanest peer's", 1 / 2, found)


def _quality(side: Mapping[str, Figures]) -> list[Goal]:
    found = []
    for data, (figure, bound) in QUALITY.items():
        ours = side.get(data, {}).get("ours", {})
        value = ours.get(f"{figure}_deep", ours.get(figure))
        found.append(_asked(f"{data}, {figure}", bound, ours, value))
    for data, bound in FIRST.items():
        ours = side.get(data, {}).get("ours", {})
        found.append(_asked(f"{data}, first passage right", bound, ours, ours.get("first")))
    return found


def _asked(name: str, bound: float, ours: Figures, value: float | None) -> Goal:
    return _goal(name, bound, {} if value is None else {f"{ours['queries']} queries:": value}, most=False)
