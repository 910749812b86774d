"""Questions + judgements -> measures of retrieval, answers, citations and abstention, each for itself.

A judgement is a document and a range of its canonical text, so it outlives any change of chunking. A passage or
citation finds a range when it holds at least half of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from eunato_rag.engine import Engine
from eunato_rag.errors import CorpusError
from eunato_rag.records import Answer, Locator, Passage

QUESTIONS = "questions.jsonl"
DEPTHS = (1, 3, 5)
_POOL = 10

Half = Literal["fitted", "held-out"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A range of a document that answers a question, with its words for people to read."""

    document: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its evidence; none where the corpus does not answer it. With `all`, every range is needed."""

    id: str
    kind: str
    question: str
    evidence: tuple[Judgement, ...]
    all: bool = False

    @property
    def half(self) -> Half:
        """Thresholds and weights are fitted on one half of the questions and reported on the other; the id decides."""
        return "fitted" if hashlib.sha256(self.id.encode()).digest()[0] % 2 else "held-out"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one question: the rank of the first hit that holds each range (0: none of the first ten)."""

    question: Question
    ranks: tuple[int, ...]
    answer: Answer
    cited: int
    verified: bool


def read_questions(folder: Path) -> list[Question]:
    """The questions of `questions.jsonl` in a folder.

    Raises:
        CorpusError: no such file, or a line that is not a question.
    """
    path = folder / QUESTIONS
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise CorpusError(f"There is no {path}. Name a folder that holds {QUESTIONS}: eunato-rag eval FOLDER") from error
    questions = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            evidence = tuple(Judgement(**judgement) for judgement in row.pop("evidence"))
            questions.append(Question(evidence=evidence, **row))
        except (ValueError, TypeError, KeyError) as error:
            raise CorpusError(f"{path}, line {number}, is no question: {error}") from error
    return questions


def run(engine: Engine, questions: Sequence[Question], progress: Callable[[int, int], None] = lambda done, total: None) -> list[Outcome]:
    """Ask every question."""
    outcomes = []
    for done, question in enumerate(questions, 1):
        answer = engine.ask(question.question, top_k=_POOL)
        ranks = tuple(next((h.rank for h in answer.hits if _holds(h.passage, h.passage.locator, j)), 0) for j in question.evidence)
        cited = sum(any(_holds(c.passage, c.locator, j) for c in answer.citations) for j in question.evidence)
        outcomes.append(Outcome(question, ranks, answer, cited, _verified(engine, answer)))
        progress(done, len(questions))
    return outcomes


def measure(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Shares in 0..1.

    `found_at_k`: some evidence among the first k passages; `recall_at_5`: the share of a question's ranges among the
    first five; `mrr`: mean reciprocal rank in ten. `cited`: the answer quotes some evidence. `verified`: answers whose
    every quotation equals its slice and whose every sentence is cited.
    """
    answerable = [o for o in outcomes if o.question.evidence]
    unanswerable = [o for o in outcomes if not o.question.evidence]
    first = [min((rank for rank in o.ranks if rank), default=0) for o in answerable]
    answered = [o for o in outcomes if o.answer.status == "answered"]
    kinds = sorted({o.question.kind for o in unanswerable})
    return {
        "questions": len(outcomes),
        "retrieval": {
            **{f"found_at_{k}": _share([0 < rank <= k for rank in first]) for k in DEPTHS},
            "mrr": _mean([1 / rank if rank else 0.0 for rank in first]),
            "recall_at_5": _mean([_share([0 < rank <= 5 for rank in o.ranks]) for o in answerable]),
        },
        "answers": {
            "answered": _share([o.answer.status == "answered" for o in answerable]),
            "cited": _share([o.cited > 0 for o in answerable]),
            "evidence_cited": _mean([o.cited / len(o.ranks) for o in answerable]),
            "sentences": _mean([float(o.answer.text.count(" [")) for o in answered]),
            "verified": _share([o.verified for o in answered]),
        },
        "refused": {kind: _share([o.answer.status == "abstained" for o in unanswerable if o.question.kind == kind]) for kind in kinds},
    }


def report(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Measures over all questions, over each half, and found_at_k for each kind of question."""
    halves: tuple[Half, ...] = ("fitted", "held-out")
    kinds = dict.fromkeys(o.question.kind for o in outcomes if o.question.evidence)
    return {
        "all": measure(outcomes),
        **{half: measure([o for o in outcomes if o.question.half == half]) for half in halves},
        "kinds": {
            kind: {**measured["retrieval"], **{k: measured["answers"][k] for k in ("answered", "cited")}}
            for kind in kinds
            if (measured := measure([o for o in outcomes if o.question.kind == kind]))
        },
    }


def as_rows(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """One row per question, to read what went wrong."""
    return [
        {
            "id": o.question.id,
            "kind": o.question.kind,
            "half": o.question.half,
            "question": o.question.question,
            "ranks": o.ranks,
            "status": o.answer.status,
            "cited": o.cited,
            "answer": o.answer.text,
            "evidence": [asdict(j) for j in o.question.evidence],
        }
        for o in outcomes
    ]


def _holds(passage: Passage, place: Locator, judgement: Judgement) -> bool:
    shared = min(place.end, judgement.end) - max(place.start, judgement.start)
    return passage.document_id == judgement.document and 2 * shared >= judgement.end - judgement.start


def _verified(engine: Engine, answer: Answer) -> bool:
    """Every quotation equals its slice, and the citations' spans cover the answer but for the spaces between."""
    slices = all(engine.document(c.passage.document_id).text[c.locator.start : c.locator.end] == c.quote for c in answer.citations)
    covered = sum(end - start for start, end in (c.answer_span for c in answer.citations)) + max(0, len(answer.citations) - 1)
    return slices and covered == len(answer.text)


def _share(truths: Sequence[bool]) -> float:
    return _mean([float(truth) for truth in truths])


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
