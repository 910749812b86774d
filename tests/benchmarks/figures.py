"""What is made of measured numbers: quantiles, nDCG, medians over rounds, ratios of two runs side by side. Pure, standard library only.

Left out: measuring, and what a ratio has to be (goals).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

OURS = "eunato-rag"
TOP_K = 10
RATIOS = ("docs_per_s", "p50_ms", "p99_ms", "rss_mb", "served_mb")
"""What is divided by a peer's. A peer has one process, which builds and is asked: `served_mb` is divided by its `rss_mb`."""

PROCESSES = 2
SEVERAL = f"{PROCESSES} processes"
"""The part of a server of several, beside that of one."""

Figures = dict[str, Any]


def spread(times: Sequence[float]) -> Figures:
    """p50 and p99 of times in milliseconds, over all of them. p99 is the one with 99 of 100 below it.

    Raises:
        ValueError: there is no time.
    """
    if not times:
        raise ValueError("Nothing was timed; there is no p50 of nothing. Ask at least one query.")
    ordered = sorted(times)
    return {"p50_ms": round(statistics.median(ordered), 2), "p99_ms": round(ordered[int(len(ordered) * 0.99)], 2)}


def ndcg(ranking: Sequence[str], relevant: Mapping[str, float]) -> float:
    """nDCG at 10 with linear gain (Järvelin and Kekäläinen 2002), 0..1; `relevant` has at least one grade above zero."""
    gain = sum(relevant.get(document, 0.0) / math.log2(index + 2) for index, document in enumerate(ranking[:TOP_K]))
    ideal = sorted(relevant.values(), reverse=True)[:TOP_K]
    return gain / sum(score / math.log2(index + 2) for index, score in enumerate(ideal))


def compare(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Figures:
    """Ours over theirs, figure by figure; those that one of the two lacks are left out, as is what would be divided by zero."""
    pairs = {name: (ours.get(name), theirs.get("rss_mb" if name == "served_mb" else name)) for name in RATIOS}
    return {name: our / their for name, (our, their) in pairs.items() if our is not None and their}


def medians(rows: Iterable[Mapping[str, Any]]) -> Figures:
    """The median of each number over the rows that have it; of what is no number, the last row's."""
    collected: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            collected.setdefault(name, []).append(value)
    return {name: _median(values) for name, values in collected.items()}


def _median(values: list[Any]) -> Any:
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) < len(values):
        return values[-1]
    middle = statistics.median(numbers)
    whole = isinstance(middle, float) and middle.is_integer() and all(isinstance(number, int) for number in numbers)
    return int(middle) if whole else round(middle, 4)


def summary(pairs: Iterable[Mapping[str, Any]]) -> dict[str, Figures]:
    """By collection: the medians of ours over all runs, of each peer over its own, and of the ratios of each pair.

    A pair is what was measured side by side: {"data", "peer", "ours", "theirs"}; `theirs` is None where there was no peer.
    A ratio is the median of the pairs' ratios, not the ratio of two medians: what slows a machine slows both of a pair.
    """
    by_data: dict[str, list[Mapping[str, Any]]] = {}
    for pair in pairs:
        by_data.setdefault(pair["data"], []).append(pair)
    found = {}
    for data, measured in by_data.items():
        peers = list(dict.fromkeys(pair["peer"] for pair in measured if pair["theirs"] is not None))
        found[data] = {
            "ours": medians(pair["ours"] for pair in measured),
            "runs": len(measured),
            "peers": {peer: medians(pair["theirs"] for pair in measured if pair["peer"] == peer) for peer in peers},
            "ratios": {peer: medians(compare(p["ours"], p["theirs"]) for p in measured if p["peer"] == peer) for peer in peers},
            "rounds": {peer: sum(pair["peer"] == peer for pair in measured) for peer in peers},
        }
    return found
