"""When to answer: answers in the order of their confidence, and what a threshold on it would do. Pure.

An answer is wrong where the question has none, or where no citation holds evidence; a question for which neither an
answer nor a refusal is plainly right counts in nothing here. Left out: how confidence comes about (answering).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from eunato_rag.evaluation.questions import HALVES
from eunato_rag.evaluation.running import Outcome


def abstention(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Refusals right and wrong, and how well confidence tells what to refuse.

    `precision`: of the refusals, those of questions that have no answer; `recall`: of the questions that have none,
    those refused. `coverage`: the share answered, `risk`: the share of these that is wrong. `aurc`: the area under the
    curve of risk and coverage (Geifman and El-Yaniv 2017), the mean over the answers given of the risk at their
    confidence; lower is better, and it ends at `coverage`. `auroc`: how often an answerable question has more confidence
    than one without an answer, equal ones counted half, over all and by kind of the latter; 0.5 is chance.
    """
    known = [o for o in outcomes if o.question.answerable is not None]
    unanswerable = [o for o in known if not o.question.answerable]
    refused = [o for o in known if not o.answered]
    right = sum(not o.question.answerable for o in refused)
    steps = curve(known)
    sure = [_confidence(o) for o in known if o.question.answerable]
    kinds = sorted({o.question.kind for o in unanswerable})
    return {
        "refused_right": right,
        "refused_wrong": len(refused) - right,
        "precision": _ratio(right, len(refused)),
        "recall": _ratio(right, len(unanswerable)),
        "coverage": _ratio(len(known) - len(refused), len(known)),
        "risk": steps[-1][1] if steps else None,
        "aurc": aurc(steps),
        "auroc": {
            "all": auroc(sure, [_confidence(o) for o in unanswerable]),
            **{kind: auroc(sure, [_confidence(o) for o in unanswerable if o.question.kind == kind]) for kind in kinds},
        },
    }


def best_threshold(outcomes: Sequence[Outcome]) -> float | None:
    """The least confidence to answer with at which refusals have the highest F1; of equal ones the lowest.

    None without questions of both sorts.
    """
    known = [o for o in outcomes if o.question.answerable is not None and o.answer is not None]
    if len({o.question.answerable for o in known}) < 2:
        return None
    missing = sum(not o.question.answerable for o in known)
    best, least, right, refused = -1.0, 0.0, 0, 0
    for confidence, same in groupby(sorted(known, key=_confidence), key=_confidence):
        if (f1 := 2 * right / (refused + missing)) > best:
            best, least = f1, confidence
        verdicts = [not o.question.answerable for o in same]
        right, refused = right + sum(verdicts), refused + len(verdicts)
    return least


def at_threshold(outcomes: Sequence[Outcome], least: float) -> dict[str, float | None]:
    """What a threshold on confidence would refuse: its `precision` and `recall`, and the share of the rest `answered`."""
    known = [o for o in outcomes if o.question.answerable is not None and o.answer is not None]
    refused = [o for o in known if _confidence(o) < least]
    right = sum(not o.question.answerable for o in refused)
    answerable = sum(bool(o.question.answerable) for o in known)
    return {
        "least": round(least, 4),
        "precision": _ratio(right, len(refused)),
        "recall": _ratio(right, len(known) - answerable),
        "answered": _ratio(answerable - (len(refused) - right), answerable),
    }


def curve(outcomes: Sequence[Outcome]) -> list[tuple[float, float]]:
    """Coverage and risk as the threshold on confidence falls, a step for each confidence that an answer has.

    The share of the questions whose answers have at least that confidence, and the share of these answers that is wrong.
    """
    known = [o for o in outcomes if o.question.answerable is not None]
    given = sorted((-_confidence(o), _wrong(o)) for o in known if o.answered)
    steps, done, wrong = [], 0, 0
    for _, same in groupby(given, key=lambda pair: pair[0]):
        verdicts = [verdict for _, verdict in same]
        done, wrong = done + len(verdicts), wrong + sum(verdicts)
        steps.append((round(done / len(known), 6), round(wrong / done, 6)))
    return steps


def curves(outcomes: Sequence[Outcome]) -> dict[str, list[tuple[float, float]]]:
    """The curve of all questions and of each half."""
    return {"all": curve(outcomes), **{half: curve([o for o in outcomes if o.question.half == half]) for half in HALVES}}


def aurc(steps: Sequence[tuple[float, float]]) -> float | None:
    """The mean risk over a curve's coverage; None for no curve."""
    if not steps:
        return None
    before = [0.0, *(coverage for coverage, _ in steps)]
    area = sum((coverage - start) * risk for start, (coverage, risk) in zip(before, steps, strict=False))
    return round(area / steps[-1][0], 4)


def auroc(higher: Sequence[float], lower: Sequence[float]) -> float | None:
    """How often one of `higher` is above one of `lower`, a tie counted half; None where there is nothing to compare."""
    if not higher or not lower:
        return None
    ordered = sorted(lower)
    wins = sum((bisect_left(ordered, value) + bisect_right(ordered, value)) / 2 for value in higher)
    return round(wins / (len(higher) * len(lower)), 4)


def _wrong(outcome: Outcome) -> bool:
    return not outcome.question.answerable or not outcome.cited


def _confidence(outcome: Outcome) -> float:
    return outcome.answer.confidence if outcome.answer else 0.0


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
