"""Every measure on outcomes made by hand, against values worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from eunato_rag.evaluation import report
from eunato_rag.evaluation.abstention import abstention, at_threshold, aurc, auroc, best_threshold, curve, curves
from eunato_rag.evaluation.measures import answers, citations, measure, refused
from eunato_rag.evaluation.questions import Question
from eunato_rag.evaluation.ranking import document_measures
from eunato_rag.evaluation.running import Found, Outcome
from tests.evaluation.conftest import outcome


def test_the_place_of_evidence_among_hits() -> None:
    """Ranks 1 and 0, 4, and none: found by depth, reciprocal ranks 1, 1/4 and 0, recall 1/2, 1 and 0."""
    figures = measure([outcome("a", ranks=(1, 0)), outcome("b", ranks=(4,)), outcome("c", ranks=(0,)), outcome("d", answerable=False)])
    assert figures["questions"] == 4
    assert figures["retrieval"] == {
        "found_at_1": 0.3333,
        "found_at_3": 0.3333,
        "found_at_5": 0.6667,
        "found_at_10": 0.6667,
        "mrr": 0.4167,
        "recall_at_5": 0.5,
    }


def test_ranked_documents() -> None:
    """Two queries: the relevant ones at 1 and 3 of three grades, and at none. nDCG by hand, with linear gain."""
    judged = {"a": {"x": 2, "y": 1, "z": 1}, "b": {"w": 1}}
    figures = document_measures(judged, {"a": ["x", "n", "y"], "b": ["n"]})
    gained = 2 / math.log2(2) + 1 / math.log2(4)
    ideal = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    assert figures == {
        "nDCG@10": pytest.approx(gained / ideal / 2, abs=1e-4),
        "Success@1": 0.5,
        "R@5": pytest.approx(2 / 3 / 2, abs=1e-4),
        "RR@10": 0.5,
        "R@100": None,
    }


def test_recall_at_a_hundred_wants_a_hundred() -> None:
    """A shorter ranking would make it look worse than it is."""
    ranking = [f"d{n}" for n in range(100)]
    assert document_measures({"a": {"d99": 1}}, {"a": ranking})["R@100"] == 1.0
    assert document_measures({"a": {"d99": 1}}, {"a": ranking[:99]})["R@100"] is None


def test_documents_in_outcomes_are_ranked() -> None:
    """A question with graded documents is measured by them."""
    question = Question("a", "query", "?", (), relevant={"x": 1})
    figures = measure([Outcome(question, Found((), ("n", "x")))])
    assert figures["retrieval"]["RR@10"] == 0.5
    assert set(figures) == {"questions", "retrieval"}


def test_follow_ups_are_compared() -> None:
    """The bare words find nothing, what the service made of them finds it third, the standalone form first."""
    turns = [
        outcome("a", ranks=(3,), raw=Found((0,)), gold=Found((1,))),
        outcome("b", ranks=(1,), raw=Found((1,))),
        outcome("c", ranks=(1,)),
    ]
    figures = measure(turns)["follow_ups"]
    assert figures["questions"] == 2
    assert [figures[name]["found_at_1"] for name in ("raw", "standalone", "gold")] == [0.5, 0.5, 1.0]
    assert [figures[name]["mrr"] for name in ("raw", "standalone", "gold")] == [0.5, 0.6667, 1.0]
    assert "follow_ups" not in measure(turns[2:])


def test_answers_and_their_length() -> None:
    """Three questions have an answer: one is refused, one cites a part of what is needed, one all of it."""
    outcomes = [
        outcome("a", answered=False, ranks=(1,)),
        outcome("b", ranks=(1, 2), all=True, cited=1, supported=(True, True), tokens=30, beyond=10),
        outcome("c", ranks=(1, 2), all=True, cited=2, supported=(True, False, False, False), tokens=50, beyond=40),
        outcome("d", answerable=False, supported=(False,), tokens=500, beyond=500),
    ]
    assert answers(outcomes) == {
        "answered": 0.6667,
        "cited": 0.6667,
        "all_cited": 0.5,
        "sentences": 3.0,
        "tokens": 40.0,
        "tokens_beyond": 25.0,
    }


def test_citations() -> None:
    """Precision by citation and recall by sentence, each answer for itself and then their mean."""
    outcomes = [
        outcome("a", supporting=(True, False), supported=(True, True, False, False), verified=True),
        outcome("b", supporting=(True,), supported=(True,), verified=True),
        outcome("c", answerable=False, supporting=(False,), supported=(False,), verified=False),
        outcome("d", answered=False),
    ]
    assert citations(outcomes) == {"precision": 0.75, "recall": 0.75, "verified": 0.6667}


def test_refusals_by_kind() -> None:
    """Right ones by kind; a kind of which nobody can say is shown, but counts for nothing."""
    outcomes = [
        outcome("a", kind="fact", answered=False),
        outcome("b", kind="fact", cited=1),
        outcome("c", kind="off_topic", answerable=False, answered=False),
        outcome("d", kind="near_miss", answerable=False, answered=False),
        outcome("e", kind="near_miss", answerable=False),
        outcome("f", kind="vague", answerable=None, answered=False),
    ]
    assert refused(outcomes) == {"near_miss": 0.5, "off_topic": 1.0, "vague": 1.0}
    figures = abstention(outcomes)
    assert (figures["refused_right"], figures["refused_wrong"]) == (2, 1)
    assert (figures["precision"], figures["recall"]) == (0.6667, 0.6667)
    assert (figures["coverage"], figures["risk"]) == (0.4, 0.5)
    assert set(figures["auroc"]) == {"all", "near_miss", "off_topic"}


def test_the_curve_of_risk_and_coverage() -> None:
    """Of five questions four are answered: right at 0.9, one right and one wrong at 0.7, wrong at 0.2."""
    outcomes = [
        outcome("a", confidence=0.9, cited=1),
        outcome("b", confidence=0.7, cited=1),
        outcome("c", confidence=0.7, cited=0),
        outcome("d", confidence=0.2, answerable=False),
        outcome("e", confidence=0.1, answered=False),
        outcome("f", confidence=1.0, answerable=None),
    ]
    steps = [(0.2, 0.0), (0.6, pytest.approx(1 / 3, abs=1e-6)), (0.8, 0.5)]
    assert curve(outcomes) == curve(outcomes[::-1]) == steps
    # the mean over the four answers of the risk at each: 0, 1/3, 1/3, 1/2
    assert aurc(curve(outcomes)) == pytest.approx((0 + 1 / 3 + 1 / 3 + 1 / 2) / 4, abs=1e-4)
    assert abstention(outcomes)["risk"] == 0.5
    assert curves(outcomes)["all"] == steps


def test_how_often_the_answerable_are_surer() -> None:
    """Of six pairs four are in order and one is equal."""
    assert auroc([0.9, 0.5, 0.3], [0.4, 0.5]) == pytest.approx(3.5 / 6, abs=1e-4)
    assert auroc([0.9], [0.1]) == 1.0
    assert auroc([], [0.1]) is None


def test_a_figure_of_nothing_is_none() -> None:
    """It is not nought, which would be bad."""
    figures = measure([])
    assert set(figures["retrieval"].values()) == {None}
    nothing = abstention([outcome("a", answered=False, answerable=None)])
    assert [nothing[name] for name in ("precision", "recall", "coverage", "risk", "aurc")] == [None] * 5
    assert aurc([]) is None


def test_a_report_has_all_both_halves_and_kinds() -> None:
    """q1 is of the fitted half, q2 and q3 are held out (test_questions)."""
    outcomes = [
        outcome("q1", ranks=(1,), cited=1),
        outcome("q2", ranks=(2,), answered=False),
        outcome("q3", kind="off_topic", answerable=False, answered=False),
    ]
    figures = report(outcomes)
    assert [figures[part]["questions"] for part in ("all", "fitted", "held-out")] == [3, 1, 2]
    assert [figures[part]["retrieval"]["found_at_1"] for part in ("all", "fitted", "held-out")] == [0.5, 1.0, 0.0]
    assert figures["kinds"]["fact"]["refused"] == 0.5
    assert figures["kinds"]["fact"]["cited"] == 0.5
    assert figures["kinds"]["off_topic"] == {"questions": 1, "answerable": False, "refused": 1.0}
    alone = report([replace(outcomes[0], answer=None)])
    assert "refused" not in alone["kinds"]["fact"]


def test_a_threshold_is_chosen_where_refusals_are_best_and_tried_elsewhere() -> None:
    """Below 0.45 stand the two questions without an answer, and no other."""
    fitted = [
        outcome("a", answerable=False, confidence=0.2),
        outcome("b", answerable=False, confidence=0.4),
        outcome("c", confidence=0.45),
        outcome("d", confidence=0.5),
        outcome("e", confidence=0.9),
    ]
    assert best_threshold(fitted) == 0.45
    assert at_threshold(fitted, 0.45) == {"least": 0.45, "precision": 1.0, "recall": 1.0, "answered": 1.0}
    assert at_threshold(fitted, 0.5) == {"least": 0.5, "precision": 0.6667, "recall": 1.0, "answered": 0.6667}
    assert best_threshold(fitted[2:]) is None
