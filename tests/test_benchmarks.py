"""What benchmarks make of what they measured, and that a run which was broken off goes on; nothing is timed here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eunato_rag.indexing.embedding import unit
from eunato_rag.indexing.interaction import TokenCodes
from eunato_rag.ingestion.chunking import chunk
from tests.benchmarks.figures import compare, medians, ndcg, spread, summary
from tests.benchmarks.goals import goals
from tests.benchmarks.passages import PER_DOCUMENT, WHOLE, Made, Real, rows, vectors_of
from tests.benchmarks.raw import Raw, RunFailed
from tests.benchmarks.report import page, read


def pair(peer: str, ours: dict[str, Any], theirs: dict[str, Any] | None, data: str = "scifact") -> dict[str, Any]:
    return {"data": data, "peer": peer, "ours": ours, "theirs": theirs}


def fail() -> dict[str, Any]:
    raise RunFailed("no memory")


def test_nothing_timed_has_no_quantiles() -> None:
    with pytest.raises(ValueError, match="Nothing was timed"):
        spread([])


def test_the_slowest_of_a_hundred_is_their_p99_however_fast_the_others_are() -> None:
    assert spread([*[1.0] * 99, 500.0]) == {"p50_ms": 1.0, "p99_ms": 500.0}
    assert spread([4.0, 1.0]) == {"p50_ms": 2.5, "p99_ms": 4.0}


def test_a_hit_at_the_second_rank_is_worth_less_by_a_logarithm() -> None:
    assert ndcg(["wrong", "right"], {"right": 1.0}) == pytest.approx(1 / np.log2(3))
    assert ndcg(["wrong"] * 10 + ["right"], {"right": 1.0}) == 0.0


def test_what_one_side_lacks_has_no_ratio_and_nothing_is_divided_by_zero() -> None:
    ours = {"docs_per_s": 40.0, "p50_ms": 5.0, "p99_ms": 9.0, "rss_mb": 300, "served_mb": 200}
    assert compare(ours, {"docs_per_s": 20.0, "p50_ms": 0.0, "rss_mb": 1000}) == {"docs_per_s": 2.0, "rss_mb": 0.3, "served_mb": 0.2}


def test_a_ratio_is_the_median_of_the_pairs_ratios() -> None:
    """A machine that was slow for one pair slows both of it; the ratio of the two medians would be 1."""
    measured = [
        pair("txtai", {"p50_ms": 10}, {"p50_ms": 20}),
        pair("txtai", {"p50_ms": 40}, {"p50_ms": 80}),
        pair("txtai", {"p50_ms": 30}, {"p50_ms": 30}),
    ]
    found = summary(measured)["scifact"]
    assert (found["ours"]["p50_ms"], found["peers"]["txtai"]["p50_ms"]) == (30, 30)
    assert found["ratios"]["txtai"] == {"p50_ms": 0.5}


def test_without_a_peer_there_are_figures_and_no_ratios() -> None:
    found = summary([pair("eunato-rag", {"p50_ms": 10, "peer": "eunato-rag"}, None)])["scifact"]
    assert (found["ours"], found["peers"], found["ratios"]) == ({"p50_ms": 10, "peer": "eunato-rag"}, {}, {})


def test_counts_stay_whole_numbers() -> None:
    assert medians([{"docs": 400, "p50": 1.0}, {"docs": 400, "p50": 2.0}]) == {"docs": 400, "p50": 1.5}


def test_where_nothing_was_measured_every_goal_is_open() -> None:
    assert {goal.reached for goal in goals({}, {}, {}, {})} == {None}


def test_a_goal_is_reached_against_the_best_peer_in_that_figure_or_not_at_all() -> None:
    ours = {
        "docs": 5183,
        "docs_per_s": 60.0,
        "p50_ms": 6.0,
        "p99_ms": 9.0,
        "rss_mb": 400,
        "served_mb": 300,
        "ndcg@10": 0.76,
        "queries": 300,
    }
    slow = {"docs_per_s": 20.0, "p50_ms": 60.0, "p99_ms": 200.0, "rss_mb": 1000}
    quick = {"docs_per_s": 10.0, "p50_ms": 12.0, "p99_ms": 100.0, "rss_mb": 2000}
    found = {goal.name: goal for goal in goals(summary([pair("slow", ours, slow), pair("quick", ours, quick)]), {}, {}, {})}
    assert found["build, documents/s over the fastest peer's"].reached
    assert found["query p50 over the fastest peer's"].reached is False
    assert found["query p50 over the fastest peer's"].found == "scifact 0.5"
    assert found["query p99 over the fastest peer's"].reached
    assert found["memory of a process that serves 5,000 passages over the leanest peer's"].found == "scifact 0.3"
    assert found["scifact, ndcg@10"].reached


def test_one_collection_that_misses_a_goal_misses_it() -> None:
    good = pair("peer", {"docs": 1400, "p50_ms": 1.0}, {"p50_ms": 9.0}, "cranfield")
    bad = pair("peer", {"docs": 5183, "p50_ms": 5.0}, {"p50_ms": 9.0})
    (goal,) = (goal for goal in goals(summary([good, bad]), {}, {}, {}) if goal.name.startswith("query p50 over"))
    assert (goal.found, goal.reached) == ("cranfield 0.1111, scifact 0.5556", False)


def test_failures_and_slow_ones_among_concurrent_clients_are_seen() -> None:
    load = {"clients": 16, "per_s": 200.0, "p50_ms": 10.0, "p99_ms": 90.0, "failures": {"503": 2}}
    alone = {**load, "clients": 1, "failures": {"500": 9}}
    parts = {
        "server": {"load": {"/v1/ask 1": alone, "/v1/ask 16": load}},
        "2 processes": {"load": {"/v1/ask 16": {**load, "per_s": 250.0, "failures": {}}}},
    }
    ours = {"docs": 5183, "p50_ms": 9.0}
    side = summary([pair("quick", ours, {"p50_ms": 20.0, "rss_mb": 900}), pair("slow", ours, {"p50_ms": 80.0, "rss_mb": 800})])
    found = {goal.name: goal for goal in goals(side, parts, {}, {}, "scifact") if goal.name.startswith("concurrent")}
    assert [(goal.found, goal.reached) for goal in found.values()] == [
        ("/v1/ask by 1 process: 4, /v1/ask by 2 processes: 5", True),
        ("/v1/ask by 1 process: 9, /v1/ask by 2 processes: 9", True),
        ("/v1/ask by 1 process: 2, /v1/ask by 2 processes: 0", False),
    ]


def test_a_changed_document_that_lets_others_be_embedded_misses_its_goal() -> None:
    bulk = {"first run": {"seconds": 100.0}, "again, one changed": {"seconds": 1.0, "documents": 1000, "embedded": 2}}
    (goal,) = (goal for goal in goals({}, {}, {}, bulk) if goal.name.startswith("one document"))
    assert goal.reached is False


def test_a_run_that_was_broken_off_measures_only_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "raw.json"
    raw = Raw(path, "serving", {"clients": 2})
    assert raw.part("first", lambda: {"p50_ms": 1.0}) == {"p50_ms": 1.0}
    assert raw.part("second", fail) is None
    assert json.loads(path.read_text("utf-8"))["failed"] == {"second": "no memory"}
    again = Raw(path, "serving", {"clients": 2})
    assert again.part("first", fail)["p50_ms"] == 1.0  # type: ignore[index]  # it is there
    assert again.part("second", lambda: {"p50_ms": 2.0}) == {"p50_ms": 2.0}
    assert json.loads(path.read_text("utf-8"))["failed"] == {}
    assert list(again.parts) == ["first", "second"]


@pytest.mark.parametrize(("kind", "settings"), [("scaling", {"clients": 2}), ("serving", {"clients": 3})])
def test_figures_measured_in_another_way_are_not_gone_on_with(tmp_path: Path, kind: str, settings: dict[str, int]) -> None:
    Raw(tmp_path / "raw.json", "serving", {"clients": 2}).part("first", lambda: {})
    with pytest.raises(SystemExit, match="was measured with another"):
        Raw(tmp_path / "raw.json", kind, settings)


REALS = [Real(f"Heading {n}", tuple(f"word{n} more{n} short. Then{n} it ends.".split()), (3, 6)) for n in range(30)]
PIECES = {word: len(word) for real in REALS for word in real.words} | {"Changed": 7}


@pytest.mark.parametrize("size", [10, 30, 75])
def test_made_up_passages_are_cut_as_they_were_put_in(size: int) -> None:
    """What is kept for a passage is found under the very text that a build embeds, sentence by sentence as it was made."""
    made, vectors = Made(REALS, PIECES, size), unit(np.random.default_rng(1).normal(size=(len(REALS), 64)))
    tokens = [TokenCodes(np.zeros((4, 8), np.uint8), np.arange(4, dtype=np.int32), np.arange(4, dtype=np.int32))] * len(REALS)
    kept = [text for text, _ in rows(made, vectors, tokens)]
    texts = []
    for document in made:
        for passage in chunk(document, WHOLE, size=len, model_size=len, model_limit=2000):
            place = passage.locator
            assert [document.text[a:b].split()[-1] for a, b in document.sentences_in(place.start, place.end)] == [
                passage.text.split()[2],
                passage.text.split()[-1],
            ]
            texts.append("\n".join((*document.context(place.start), passage.text)))
    assert texts == kept
    assert len(set(texts)) == size
    assert len(made) == -(-size // PER_DOCUMENT)


def test_a_copy_is_near_its_original_and_outgrows_no_model() -> None:
    real = unit(np.random.default_rng(2).normal(size=(len(REALS), 384)))
    first, later = vectors_of(0, 75, real), vectors_of(2, 75, real)
    assert np.array_equal(first, real[:20])
    nearest = (later @ real.T).max(axis=1)
    assert later.shape == (20, 384)
    assert np.all((nearest > 0.85) & (nearest < 0.95))
    longest = max(sum(PIECES[word] for word in real.words) for real in REALS)
    assert all(sum(PIECES[word] for word in text.split("\n")[2].split()) <= longest for text in Made(REALS, PIECES, 75).embedded(3))


def test_an_edition_changes_one_passage_and_no_other() -> None:
    plain, changed = (Made(REALS, PIECES, 75, edition) for edition in (0, 1))
    differ = [(n, k) for n in range(len(plain)) for k, text in enumerate(plain.embedded(n)) if text != changed.embedded(n)[k]]
    assert differ == [(0, 0)]


def written(path: Path, kind: str, parts: dict[str, Any], failed: dict[str, str] | None = None) -> Path:
    packages = {"numpy": "2.0"}
    machine = {"cores": 2, "processor": "a processor", "memory_gb": 24, "system": "Linux", "python": "3.11", "packages": packages}
    settings = {"queries": 0} if kind == "side_by_side" else {"data": "scifact", "seconds": 1, "clients": 16}
    whole = {"kind": kind, "settings": settings, "machine": machine, "peers": {"txtai": {"txtai": "9.0"}}, "parts": parts}
    path.write_text(json.dumps(whole | {"failed": failed or {}}), "utf-8")
    return path


def test_a_report_is_not_made_of_what_was_measured_twice_or_of_something_else(tmp_path: Path) -> None:
    once, twice = (written(tmp_path / name, "scaling", {"embedding": {"passages_per_s": 9.0}}) for name in ("a.json", "b.json"))
    with pytest.raises(SystemExit, match="measured again what another file has: embedding"):
        read([once, twice])
    with pytest.raises(SystemExit, match="holds no raw figures"):
        read([written(tmp_path / "c.json", "soak", {})])


def test_a_report_tells_figures_machine_and_what_failed(tmp_path: Path) -> None:
    ours = {"docs": 5183, "queries": 300, "docs_per_s": 60.0, "p50_ms": 6.0, "ndcg@10": 0.70, "ndcg@10_deep": 0.7512, "rss_mb": 1400}
    one = {
        **pair("txtai", ours, {"docs_per_s": 20.0, "p50_ms": 24.0, "ndcg@10": 0.66, "rss_mb": 2000}),
        "measured": "2026-01-02T03:04:05+00:00",
    }
    measured = read(
        [written(tmp_path / "raw.json", "side_by_side", {"scifact, round 1, txtai": one}, {"scifact, round 1, haystack": "no memory"})]
    )
    lines = page(measured, []).splitlines()
    assert "- Measured on 2026-01-02." in lines
    assert "- 2 cores of a processor, 24 GB, Linux; Python 3.11, numpy 2.0." in lines
    assert "| eunato-rag | 60 | 6 |  | 0.7512 |  | 1,400 |  |" in lines
    assert "| eunato-rag / txtai, 1 pairs | 3 | 0.25 |  | 0.7 |  |" in lines
    assert "| scifact, ndcg@10 | at least 0.75 | 300 queries: 0.7512 | reached |" in lines
    assert "- scifact, round 1, haystack: no memory" in lines
