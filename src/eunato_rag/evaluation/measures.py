"""Outcomes -> figures of retrieval, answers, citations and refusals, each for itself. Pure.

Shares are in 0..1, and a figure of no questions is None. Left out: how documents are ranked (ranking) and the order of
answers by confidence (abstention).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from eunato_rag.evaluation.abstention import abstention, at_threshold, best_threshold
from eunato_rag.evaluation.questions import HALVES
from eunato_rag.evaluation.ranking import document_measures
from eunato_rag.evaluation.running import Found, Outcome

Figures = dict[str, Any]

DEPTHS = (1, 3, 5, 10)


def report(outcomes: Sequence[Outcome]) -> Figures:
    """Figures of all questions, of each half, and, shorter, of each kind of question.

    `abstention.calibrated` is what a threshold on confidence would refuse that was chosen on the fitted half.
    """
    kinds = dict.fromkeys(o.question.kind for o in outcomes)
    parts: dict[str, Sequence[Outcome]] = {"all": outcomes}
    parts |= {half: [o for o in outcomes if o.question.half == half] for half in HALVES}
    measured = {part: measure(some) for part, some in parts.items()}
    least = best_threshold(parts["fitted"])
    for part, some in parts.items():
        if least is not None and "abstention" in measured[part]:
            measured[part]["abstention"]["calibrated"] = at_threshold(some, least)
    return {
        **measured,
        "kinds": {kind: _of_kind([o for o in outcomes if o.question.kind == kind]) for kind in kinds},
    }


def measure(outcomes: Sequence[Outcome]) -> Figures:
    """The figures by group; a group that nothing speaks of is left out.

    `retrieval` is that of what the service searched for; `follow_ups` compares it, on the questions that have turns
    before them, with the bare words of the question and with its standalone form by hand.
    """
    asked = [o for o in outcomes if o.answer is not None]
    follow_ups = [o for o in outcomes if o.raw is not None]
    figures: Figures = {"questions": len(outcomes), "retrieval": retrieval(outcomes, lambda o: o.found)}
    if follow_ups:
        with_gold = [o for o in follow_ups if o.gold is not None]
        figures["follow_ups"] = {
            "questions": len(follow_ups),
            "raw": retrieval(follow_ups, lambda o: o.raw),
            "standalone": retrieval(follow_ups, lambda o: o.found),
            **({"gold": retrieval(with_gold, lambda o: o.gold)} if with_gold else {}),
        }
    if asked:
        figures |= {"answers": answers(asked), "citations": citations(asked), "refused": refused(asked), "abstention": abstention(asked)}
    return figures


def retrieval(outcomes: Sequence[Outcome], of: Callable[[Outcome], Found | None]) -> Figures:
    """Where the evidence stands among the hits, or, where documents are judged, how these are ranked (ranking.py).

    `found_at_k`: some evidence among the first k passages; `mrr`: mean reciprocal rank in ten; `recall_at_5`: the share
    of a question's evidence among the first five. A document stands where its best passage does.
    """
    found = [(o.question, f) for o in outcomes if (f := of(o)) is not None]
    if graded := [(q, f) for q, f in found if q.relevant]:
        return document_measures({q.id: q.relevant for q, _ in graded}, {q.id: f.documents for q, f in graded})
    judged = [f.ranks for q, f in found if q.evidence]
    first = [min((rank for rank in ranks if rank), default=0) for ranks in judged]
    return {
        **{f"found_at_{k}": share([0 < rank <= k for rank in first]) for k in DEPTHS},
        "mrr": mean([1 / rank if rank else 0.0 for rank in first]),
        "recall_at_5": mean([sum(0 < rank <= 5 for rank in ranks) / len(ranks) for ranks in judged]),
    }


def answers(outcomes: Sequence[Outcome]) -> Figures:
    """How the questions that have an answer are answered.

    `answered`: not refused; `cited`: the citations hold some evidence; `all_cited`: all of it, of the questions that
    need all. Over the answers given: their `sentences`, and on average the tiktoken `tokens` of the cited sentences and
    those `tokens_beyond` the sentences that hold evidence.
    """
    answerable = [o for o in outcomes if o.question.answerable]
    given = [o for o in answerable if o.answered]
    return {
        "answered": share([o.answered for o in answerable]),
        "cited": share([o.cited > 0 for o in answerable]),
        "all_cited": share([o.cited == len(o.question.evidence) for o in answerable if o.question.all]),
        "sentences": mean([float(len(o.supported)) for o in given]),
        "tokens": mean([float(o.tokens) for o in given]),
        "tokens_beyond": mean([float(o.beyond) for o in given]),
    }


def citations(outcomes: Sequence[Outcome]) -> Figures:
    """Precision and recall of citations after ALCE (Gao et al. 2023), with the judgements in place of a language model.

    Over the answers given to answerable questions, averaged by answer. `precision`: the share of citations that hold
    evidence or a part of it. `recall`: the share of the answer's sentences with such a citation. (ALCE asks a model
    whether the cited passages entail the sentence; that is verified before an answer is given, and what is asked here
    is whether it is to the point.) `verified`, over all answers given: every quotation equals its slice and every
    sentence is cited.
    """
    given = [o for o in outcomes if o.answered]
    judged = [o for o in given if o.question.answerable]
    return {
        "precision": mean([sum(o.supporting) / len(o.supporting) for o in judged if o.supporting]),
        "recall": mean([sum(o.supported) / len(o.supported) for o in judged if o.supported]),
        "verified": share([o.verified for o in given]),
    }


def refused(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """The share refused of each kind of question that need not be answered."""
    kinds = sorted({o.question.kind for o in outcomes if not o.question.answerable})
    return {kind: share([not o.answered for o in outcomes if o.question.kind == kind and not o.question.answerable]) for kind in kinds}


def _of_kind(outcomes: Sequence[Outcome]) -> Figures:
    """The figures of one kind that say most, in one row: whether it has answers, what is found, what is made of it."""
    figures: Figures = {"questions": len(outcomes), "answerable": outcomes[0].question.answerable}
    if any(o.question.evidence or o.question.relevant for o in outcomes):
        figures |= retrieval(outcomes, lambda o: o.found)
    asked = [o for o in outcomes if o.answer is not None]
    if asked:
        figures |= {"refused": share([not o.answered for o in asked])}
        figures |= {"cited": share([o.cited > 0 for o in asked])} if any(o.question.evidence for o in asked) else {}
    return figures


def share(truths: Sequence[bool]) -> float | None:
    return mean([float(truth) for truth in truths])


def mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None
